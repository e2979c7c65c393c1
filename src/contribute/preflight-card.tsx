/** Before the first press of Start: what it will take, and what is in the way. */
import { Trans, useLingui } from '@lingui/react/macro';
import { Card } from '../ui/card.tsx';
import { classes } from '../ui/classes.ts';
import type { PreflightVerdict } from './preflight.ts';
import styles from './preflight-card.module.css';
import { usePreflight } from './use-preflight.ts';

const MARKS: Readonly<Record<PreflightVerdict, string>> = { good: '✓', warn: '!', bad: '✕', unknown: '…' };

export function PreflightCard() {
  const { t } = useLingui();
  const items = usePreflight();
  const spoken: Record<PreflightVerdict, string> = {
    good: t`fine:`,
    warn: t`could be better:`,
    bad: t`in the way:`,
    unknown: t`not known yet:`,
  };
  return (
    <Card
      title={t`Before you start`}
      intro={<Trans>What it takes of your device, before anything is downloaded.</Trans>}
    >
      <ul className={styles['items']} data-testid="preflight">
        {items.map(({ id, name, verdict, text, fix }) => (
          <li key={id} data-id={id} data-verdict={verdict}>
            <span className={classes(styles['mark'], styles[verdict])} aria-hidden="true">
              {MARKS[verdict]}
            </span>
            <div>
              <p>
                <strong>{name}</strong> <span className="visually-hidden">{spoken[verdict]}</span> {text}
              </p>
              {fix !== undefined && fix !== '' && <p className="soft">{fix}</p>}
            </div>
          </li>
        ))}
      </ul>
    </Card>
  );
}
