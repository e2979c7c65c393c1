/** Each check of each window with its verdict and its reason. */
import { i18n } from '@lingui/core';
import { t } from '@lingui/core/macro';
import { Plural, Trans } from '@lingui/react/macro';
import type { Verdict } from '../../core/protocol/api.ts';
import { CHECK_NAMES } from '../run/checks.ts';
import { Badge } from '../ui/badge.tsx';
import { formatFigure } from '../ui/format.ts';
import { Notice } from '../ui/notice.tsx';
import { Scroller } from '../ui/scroller.tsx';
import { verdictsByWindow, type WindowVerdicts } from './explain.ts';
import styles from './verdict-list.module.css';

export function VerdictList({ verdicts }: { verdicts: readonly Verdict[] }) {
  const windows = verdictsByWindow(verdicts);
  return (
    <div>
      <h3>
        <Trans>Verdicts</Trans>
      </h3>
      {windows.length === 0 ? (
        <Notice>
          <Trans>None yet. They come when a window with a delivery is published.</Trans>
        </Notice>
      ) : (
        <Scroller label={t`Verdicts by window`}>
          <ul className={styles['windows']}>
            {windows.map((window, i) => (
              <WindowItem key={window.window} window={window} open={i === 0} />
            ))}
          </ul>
        </Scroller>
      )}
    </div>
  );
}

function WindowItem({ window: { window, verdicts, failed }, open }: { window: WindowVerdicts; open: boolean }) {
  return (
    <li>
      <details open={open}>
        <summary>
          <Trans>Window {window}</Trans>{' '}
          {failed.length === 0 ? (
            <Badge tone="good">
              <Plural value={verdicts.length} one="✓ # check passed" other="✓ # checks passed" />
            </Badge>
          ) : (
            <Badge tone="bad">✕ {failed.map(({ check }) => i18n._(CHECK_NAMES[check])).join(', ')}</Badge>
          )}
        </summary>
        <ul className={styles['checks']}>
          {verdicts.map(({ check, pass, reason, value, threshold }) => (
            <li key={check}>
              <span className={pass ? styles['pass'] : styles['fail']}>
                <span aria-hidden="true">{pass ? '✓' : '✕'}</span>
                <span className="visually-hidden">{pass ? t`passed:` : t`failed:`}</span> {i18n._(CHECK_NAMES[check])}
              </span>
              <span>
                <span lang="en">{reason}</span>
                {value !== null && (
                  <span className="soft">
                    {' '}
                    ({formatFigure(value)}
                    {threshold !== null && t`, limit ${formatFigure(threshold)}`})
                  </span>
                )}
              </span>
            </li>
          ))}
        </ul>
      </details>
    </li>
  );
}
