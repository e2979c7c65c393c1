/** Each check of each window with its verdict and its reason. */
import type { Verdict } from '../../core/protocol/api.ts';
import { Badge } from '../ui/badge.tsx';
import { formatFigure, plural } from '../ui/format.ts';
import { Notice } from '../ui/notice.tsx';
import { Scroller } from '../ui/scroller.tsx';
import { verdictsByWindow, type WindowVerdicts } from './explain.ts';
import styles from './verdict-list.module.css';

const CHECK_NAMES: Record<Verdict['check'], string> = {
  delivered: 'Delivered',
  'in-time': 'In time',
  signature: 'Signature',
  format: 'Format',
  finite: 'Finite',
  model: 'Right model',
  sync: 'Sync',
  overlap: 'No copy',
  loss: 'Loss falls',
  'proof-of-computation': 'Own pages',
  conduct: 'Conduct',
};

export function VerdictList({ verdicts }: { verdicts: readonly Verdict[] }) {
  const windows = verdictsByWindow(verdicts);
  return (
    <div>
      <h3>Verdicts</h3>
      {windows.length === 0 ? (
        <Notice>None yet. They come when a window that you delivered in is published.</Notice>
      ) : (
        <Scroller label="Verdicts by window">
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
          Window {window}{' '}
          {failed.length === 0 ? (
            <Badge tone="good">✓ {plural(verdicts.length, 'check')} passed</Badge>
          ) : (
            <Badge tone="bad">✕ {failed.map(({ check }) => CHECK_NAMES[check]).join(', ')}</Badge>
          )}
        </summary>
        <ul className={styles['checks']}>
          {verdicts.map(({ check, pass, reason, value, threshold }) => (
            <li key={check}>
              <span className={pass ? styles['pass'] : styles['fail']}>
                <span aria-hidden="true">{pass ? '✓' : '✕'}</span>
                <span className="visually-hidden">{pass ? 'passed:' : 'failed:'}</span> {CHECK_NAMES[check]}
              </span>
              <span>
                {reason}
                {value !== null && (
                  <span className="soft">
                    {' '}
                    ({formatFigure(value)}
                    {threshold !== null && `, limit ${formatFigure(threshold)}`})
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
