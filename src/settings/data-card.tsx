/** Where the figures come from, and a report for when something is wrong. */
import { Trans, useLingui } from '@lingui/react/macro';
import { useState } from 'react';
import { formatRange, SPOKEN } from '../../core/protocol/versions.ts';
import { useStorageRoom } from '../checkpoint/use-storage.ts';
import { useApp, useContribute, useLive } from '../client/app-context.ts';
import { useClock, useRun } from '../client/queries.ts';
import { log } from '../platform/log.ts';
import { saveFile } from '../platform/save-file.ts';
import { useExpectedBackend } from '../platform/use-backend.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { UNKNOWN } from '../ui/format.ts';
import { Identifier } from '../ui/identifier.tsx';
import { BUILD } from './build.ts';
import { placeOf, reportText } from './report.ts';
import styles from './settings.module.css';

export function DataCard() {
  const { t } = useLingui();
  const { source, parameters } = useApp();
  const signed = useRun().data;
  return (
    <Card
      title={t`Data`}
      intro={t`The figures of the run come from one validator. Its books are public, so anybody can compute them again.`}
    >
      <dl className={styles['facts']}>
        <div>
          <dt>
            <Trans>Validator</Trans>
          </dt>
          <dd data-testid="validator-address">
            {source.kind === 'demo' ? (
              <Trans>In this tab: a demonstration, with simulated peers. None of its figures are of a real run.</Trans>
            ) : (
              placeOf(parameters.start.validatorUrl)
            )}
          </dd>
        </div>
        <div>
          <dt>
            <Trans>Its key</Trans>
          </dt>
          <dd>
            {signed ? (
              <Identifier value={signed.manifest.validator.publicKey} name={t`the validator’s key`} />
            ) : (
              UNKNOWN
            )}
          </dd>
        </div>
        <div>
          <dt>
            <Trans>Run</Trans>
          </dt>
          <dd>{signed ? `${signed.manifest.name} (${signed.manifest.preset})` : UNKNOWN}</dd>
        </div>
        <div>
          <dt>
            <Trans>Run id</Trans>
          </dt>
          <dd>{signed ? <Identifier value={signed.run} name={t`the run id`} testId="run-id" /> : UNKNOWN}</dd>
        </div>
        <div>
          <dt>
            <Trans>Training text</Trans>
          </dt>
          <dd lang="en">
            {signed ? `${signed.manifest.data.description} (${signed.manifest.data.licence})` : UNKNOWN}
          </dd>
        </div>
      </dl>
      <p className={styles['plain']}>
        <Trans>
          To follow another validator, open this page with <code>?validator=</code> and its address.
        </Trans>
      </p>
      <Report />
    </Card>
  );
}

function Report() {
  const { t } = useLingui();
  const write = useReport();
  const [text, setText] = useState<string>();
  return (
    <div className={styles['plain']}>
      <h3>
        <Trans>Something wrong?</Trans>
      </h3>
      <p>
        <Trans>
          A report says what this tab is, what it does and what went wrong since it was opened. No key is in it. It is
          sent nowhere: look at it, save it, and attach it to an issue.
        </Trans>
      </p>
      <div className={styles['actions']}>
        <Button
          data-testid="report-save"
          onClick={() => saveFile(new Blob([write()], { type: 'text/plain' }), 'gauntlet-report.txt')}
        >
          <Trans>Save the report</Trans>
        </Button>
        <Button
          kind="quiet"
          aria-expanded={text !== undefined}
          onClick={() => setText(text === undefined ? write() : undefined)}
        >
          {text === undefined ? t`Look at it` : t`Hide it`}
        </Button>
      </div>
      {text !== undefined && (
        // It scrolls, so it takes the focus (WCAG 2.1.1).
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <pre className={styles['report']} role="region" aria-label={t`Report`} lang="en" tabIndex={0}>
          {text}
        </pre>
      )}
    </div>
  );
}

/** Writes the report of this moment. */
function useReport(): () => string {
  const { validatorUrl } = useApp().parameters.start;
  const status = useContribute((state) => state.status.kind);
  const used = useContribute((state) => state.backend);
  const stream = useLive((state) => state.stream);
  const expected = useExpectedBackend().data;
  const clock = useClock().data;
  const signed = useRun().data;
  const storage = useStorageRoom().data;
  const device = used ?? expected;
  return () =>
    reportText({
      at: new Date(),
      build: BUILD,
      protocol: formatRange(SPOKEN),
      validator: placeOf(validatorUrl),
      run: signed?.run,
      runName: signed?.manifest.name,
      window: clock?.window,
      phase: clock?.phase,
      stream,
      status,
      device: device && [`${device.backend}, ${device.device}`, ...device.reasons].join('; '),
      browser: navigator.userAgent,
      isolated: crossOriginIsolated,
      gpu: 'gpu' in navigator,
      storage,
      log: log.entries(),
    });
}
