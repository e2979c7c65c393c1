/** A peer's figures over windows, as curves. */
import { useLingui } from '@lingui/react/macro';
import type { PeerHistoryPoint } from '../../core/protocol/api.ts';
import { Card } from '../ui/card.tsx';
import { formatDecimal } from '../ui/format.ts';
import { LineChart } from '../ui/line-chart.tsx';
import styles from './scores.module.css';

export function HistoryCharts({ history }: { history: readonly PeerHistoryPoint[] }) {
  const { t } = useLingui();
  const [first, last] = [history[0], history.at(-1)];
  if (!first || !last || first === last) return null;
  const x = history.map(({ window }) => window);
  return (
    <div className={styles['halves']}>
      <Card
        title={t`Rating over time`}
        intro={t`The line is the belief, the two faint ones how sure it is, the orange one the cautious reading that counts.`}
      >
        <LineChart
          description={t`Rating from window ${first.window} to ${last.window}: from ${formatDecimal(first.rating.mu, 1)} to ${formatDecimal(last.rating.mu, 1)}, cautiously read ${formatDecimal(last.rating.ordinal, 1)}.`}
          xName={t`Window`}
          x={x}
          series={[
            {
              name: t`Rating + σ`,
              colour: '--series-faint',
              values: history.map(({ rating }) => rating.mu + rating.sigma),
              derived: true,
            },
            {
              name: t`Rating − σ`,
              colour: '--series-faint',
              values: history.map(({ rating }) => rating.mu - rating.sigma),
              derived: true,
            },
            { name: t`Rating`, colour: '--series-1', values: history.map(({ rating }) => rating.mu) },
            { name: t`Cautious`, colour: '--series-2', values: history.map(({ rating }) => rating.ordinal) },
          ]}
        />
      </Card>
      <Card
        title={t`Proof of computation over time`}
        intro={t`Above zero: the contributions help more on the peer’s own pages than on others.`}
      >
        <LineChart
          description={t`Proof of computation μ from window ${first.window} to ${last.window}: from ${formatDecimal(first.poc, 2)} to ${formatDecimal(last.poc, 2)}.`}
          xName={t`Window`}
          x={x}
          series={[{ name: t`μ`, colour: '--series-1', values: history.map(({ poc }) => poc) }]}
        />
      </Card>
    </div>
  );
}
