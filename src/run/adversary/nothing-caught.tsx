/** Nobody cheated yet: what would be seen, and where to see it now. */
import { i18n } from '@lingui/core';
import { Trans } from '@lingui/react/macro';
import { useApp } from '../../client/app-context.ts';
import { FAMILIES } from '../checks.ts';
import { Swatch } from './swatch.tsx';
import styles from './nothing-caught.module.css';

export function NothingCaught() {
  const { source } = useApp();
  return (
    <div className={styles['empty']}>
      <p>
        <Trans>
          <strong>Nothing was caught so far.</strong> When somebody cheats, it lands in one of these:
        </Trans>
      </p>
      <dl>
        {FAMILIES.map(({ id, name, meaning }) => (
          <div key={id}>
            <dt>
              <Swatch kind={id} /> {i18n._(name)}
            </dt>
            <dd>{i18n._(meaning)}</dd>
          </div>
        ))}
      </dl>
      <p>
        {source.kind === 'demo' ? (
          <Trans>Let a cheat take part, at the top of this page, and watch where it lands.</Trans>
        ) : (
          <a href="?demo#/run">
            <Trans>See it happen in the demo, where you can switch attackers on</Trans>
          </a>
        )}
      </p>
    </div>
  );
}
