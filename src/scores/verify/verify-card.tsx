/** A published window recomputed in this tab from public data: nobody has to be believed. */
import { Plural, Trans, useLingui } from '@lingui/react/macro';
import { useId, useState } from 'react';
import { useStore } from 'zustand';
import { startWorker } from '../../../workers/start-worker.ts';
import verifier from '../../../workers/verifier/verifier.ts?worker&url';
import { useApp } from '../../client/app-context.ts';
import { useClock } from '../../client/queries.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { sentence } from '../../ui/failure-words.ts';
import { formatDecimal } from '../../ui/format.ts';
import { Notice } from '../../ui/notice.tsx';
import { createVerification, type Finding } from './verification.ts';
import styles from './verify-card.module.css';

/** One for the page: looking at another screen does not end it. */
const verification = createVerification(() => startWorker(verifier, 'verifier'));
const SHOWN_DIFFERENCES = 5;

export function VerifyCard() {
  const { t } = useLingui();
  const { source, parameters } = useApp();
  const state = useStore(verification.store);
  const newest = (useClock().data?.window ?? 1) - 1;
  const [chosen, setChosen] = useState<number>();
  const id = useId();
  const window = chosen ?? newest;
  const running = state.kind === 'running';
  const start = (): void => {
    const { validatorPort } = source.trainerOptions();
    verification.start({
      validatorUrl: parameters.start.validatorUrl,
      window,
      ...(validatorPort ? { validatorPort } : {}),
    });
  };
  return (
    <Card
      title={t`Verify it yourself`}
      intro={t`Your tab downloads what a window was judged by and computes all of it again: who was drawn, the losses before and after, ratings, weights and the next model.`}
    >
      {newest < 1 ? (
        <Notice>
          <Trans>No window has been published yet: there is something to verify after the first.</Trans>
        </Notice>
      ) : (
        <div className={styles['controls']}>
          <label htmlFor={id}>
            <Trans>Window</Trans>
          </label>
          <input
            id={id}
            type="number"
            min={1}
            max={newest}
            value={window}
            disabled={running}
            data-testid="verify-window"
            onChange={(event) => {
              const value = event.target.valueAsNumber;
              if (Number.isInteger(value)) setChosen(Math.min(newest, Math.max(1, value)));
            }}
          />
          {running ? (
            <Button onClick={verification.cancel}>
              <Trans>Cancel</Trans>
            </Button>
          ) : (
            <Button kind="primary" data-testid="verify" onClick={start}>
              <Trans>Verify</Trans>
            </Button>
          )}
        </div>
      )}
      <div role="status">
        {running && (
          <p className="soft">
            {state.progress === undefined ? (
              <Trans>Starting.</Trans>
            ) : (
              <Trans>
                Checking: <span lang="en">{state.progress}</span>
              </Trans>
            )}
          </p>
        )}
        {state.kind === 'done' && <Verdict findings={state.findings} window={state.window!} seconds={state.seconds!} />}
      </div>
      {state.kind === 'failed' && (
        <Notice tone="warn" title={t`It could not be verified`}>
          <span lang="en">{sentence(state.reason ?? '')}</span> <Trans>Try again, or choose another window.</Trans>
        </Notice>
      )}
      {state.findings.length > 0 && (
        <ul className={styles['findings']} data-testid="findings">
          {state.findings.map((finding) => (
            <FindingRow key={finding.check} finding={finding} />
          ))}
        </ul>
      )}
    </Card>
  );
}

function Verdict({ findings, window, seconds }: { findings: readonly Finding[]; window: number; seconds: number }) {
  const wrong = findings.filter(({ differences }) => differences.length > 0).length;
  const equal = findings.filter(
    ({ differences, unchecked }) => differences.length === 0 && unchecked === undefined,
  ).length;
  return (
    <p data-testid="verified" data-wrong={wrong}>
      {wrong === 0 ? (
        <Badge tone="good">
          <Trans>✓ verified</Trans>
        </Badge>
      ) : (
        <Badge tone="bad">
          <Trans>✕ differs</Trans>
        </Badge>
      )}{' '}
      {wrong === 0 ? (
        <Trans>
          Window {window}: <Plural value={equal} one="# part" other="# parts" /> computed again in{' '}
          {formatDecimal(seconds, 1)} s, and all of it is what the validator published.
        </Trans>
      ) : (
        <Trans>
          Window {window}: <Plural value={wrong} one="# part is" other="# parts are" /> not what the validator
          published. Ask its operator, and keep your receipts.
        </Trans>
      )}
    </p>
  );
}

/** What is absent has no JSON. */
const show = (value: unknown): string => (value === undefined ? '–' : JSON.stringify(value));

function FindingRow({ finding: { check, differences, unchecked } }: { finding: Finding }) {
  const { t } = useLingui();
  const [mark, spoken, tone] =
    unchecked !== undefined
      ? ['–', t`not checked:`, styles['skipped']]
      : differences.length === 0
        ? ['✓', t`equal:`, styles['equal']]
        : ['✕', t`differs:`, styles['differs']];
  const more = differences.length - SHOWN_DIFFERENCES;
  return (
    <li>
      <span className={tone} aria-hidden="true">
        {mark}
      </span>
      <div lang="en">
        <p>
          <span className="visually-hidden" lang={document.documentElement.lang}>
            {spoken}
          </span>{' '}
          {check}
          {unchecked !== undefined && <span className="soft"> ({unchecked})</span>}
        </p>
        {differences.slice(0, SHOWN_DIFFERENCES).map(({ item, published, recomputed }) => (
          <p key={item} className="soft">
            <code>{item}</code>: {show(published)} → {show(recomputed)}
          </p>
        ))}
        {more > 0 && <p className="soft">+ {more}</p>}
      </div>
    </li>
  );
}
