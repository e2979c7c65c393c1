/** Which app this is. */
import { Trans, useLingui } from '@lingui/react/macro';
import { SPOKEN } from '../../core/protocol/versions.ts';
import { useApp } from '../client/app-context.ts';
import { Card } from '../ui/card.tsx';
import { formatInteger, localised } from '../ui/format.ts';
import { BuildRow } from './build-row.tsx';
import { BUILD } from './build.ts';
import styles from './settings.module.css';

const madeOn = localised((locale) => new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short' }));

export function AboutCard() {
  const { t } = useLingui();
  const { source } = useApp();
  const unknown = t`unknown`;
  return (
    <Card title={t`About`}>
      <dl className={styles['facts']}>
        <div>
          <dt>
            <Trans>Version</Trans>
          </dt>
          <dd data-testid="version">{BUILD?.version ?? unknown}</dd>
        </div>
        <div>
          <dt>
            <Trans>Commit</Trans>
          </dt>
          <dd data-testid="commit">
            <code>{BUILD?.commit ?? unknown}</code>
          </dd>
        </div>
        <div>
          <dt>
            <Trans>Sources of</Trans>
          </dt>
          <dd>{BUILD?.date ? <time dateTime={BUILD.date}>{madeOn().format(new Date(BUILD.date))}</time> : unknown}</dd>
        </div>
        <BuildRow />
        <div>
          <dt>
            <Trans>Protocol</Trans>
          </dt>
          <dd>
            {SPOKEN.oldest === SPOKEN.newest ? (
              <Trans>version {formatInteger(SPOKEN.newest)}</Trans>
            ) : (
              <Trans>
                versions {formatInteger(SPOKEN.oldest)} to {formatInteger(SPOKEN.newest)}
              </Trans>
            )}
          </dd>
        </div>
        <div>
          <dt>
            <Trans>Licence</Trans>
          </dt>
          <dd>Apache-2.0</dd>
        </div>
      </dl>
      <ul className={styles['links']}>
        <li>
          <a href="#/learn">
            <Trans>What is going on here?</Trans>
          </a>
        </li>
        <li>
          <a href="https://arxiv.org/abs/2505.21684" rel="noreferrer">
            <Trans>The paper</Trans>
          </a>
        </li>
        {source.kind === 'validator' && (
          <li>
            <a href={new URL('/docs', source.validatorUrl).href} rel="noreferrer">
              <Trans>The validator’s API</Trans>
            </a>
          </li>
        )}
        <li>
          <a href="https://www.apache.org/licenses/LICENSE-2.0" rel="noreferrer">
            <Trans>The licence</Trans>
          </a>
        </li>
        <li>
          <a href="third-party-licences.txt">
            <Trans>Licences of what is built in</Trans>
          </a>
        </li>
      </ul>
    </Card>
  );
}
