/** Who stands where, by name: on screens without a leaderboard too, what a click did can be seen. */
import { Trans, useLingui } from '@lingui/react/macro';
import { useLeaderboard } from '../client/queries.ts';
import { usePeerLabels } from '../client/app-context.ts';
import { Badge } from '../ui/badge.tsx';
import { formatPercent, shorten } from '../ui/format.ts';
import styles from './demo-panel.module.css';

export function Standings() {
  const { t } = useLingui();
  const labels = usePeerLabels();
  const leaderboard = useLeaderboard().data;
  if (!leaderboard || leaderboard.peers.length === 0) {
    return (
      <p className="soft">
        <Trans>The peers are getting ready: the first window is judged after about fifteen seconds.</Trans>
      </p>
    );
  }
  return (
    <div className={styles['standings']}>
      <p className="soft">
        <Trans>Share of the weight now:</Trans>
      </p>
      <ol className={styles['peers']} data-testid="standings">
        {leaderboard.peers.map(({ hotkey, weight }) => {
          const label = labels.get(hotkey);
          const cheats = label !== undefined && label.kind !== 'honest';
          return (
            <li key={hotkey}>
              <Badge tone={cheats ? 'bad' : 'good'} title={cheats ? t`A cheat` : t`Honest`}>
                <span aria-hidden="true">{cheats ? '✗' : '✓'}</span> {label?.name ?? shorten(hotkey)}{' '}
                {formatPercent(weight)}
              </Badge>
            </li>
          );
        })}
      </ol>
    </div>
  );
}
