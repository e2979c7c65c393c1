/** A neuron's incentive over blocks: a line at a glance, a chart for who wants it. */
import { t } from '@lingui/core/macro';
import { useState } from 'react';
import { useChainRecords } from '../client/queries.ts';
import { formatInteger } from '../ui/format.ts';
import { LineChart, type Series } from '../ui/line-chart.tsx';
import { formatShare } from './amounts.ts';
import { historyOf, type HistoryPoint } from './history.ts';
import { Sparkline } from './sparkline.tsx';
import type { Sample } from './subnet-watch.ts';

export function useNeuronHistory(hotkey: string, samples: readonly Sample[], ofRun: boolean): readonly HistoryPoint[] {
  const records = useChainRecords(ofRun ? hotkey : undefined).data ?? [];
  return historyOf(hotkey, samples, records);
}

function describe(points: readonly HistoryPoint[]): string {
  const [first, last] = [points[0]!, points.at(-1)!];
  return t`Incentive from block ${formatInteger(first.block)} to ${formatInteger(last.block)}, from ${formatShare(first.incentive)} to ${formatShare(last.incentive)}.`;
}

export function IncentiveLine({ points }: { points: readonly HistoryPoint[] }) {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return null;
  return (
    <div>
      <Sparkline
        description={describe(points)}
        x={points.map(({ block }) => block)}
        y={points.map(({ incentive }) => incentive)}
      />
      <p className="soft">
        <small>
          {points.length === 1
            ? t`Incentive: the curve begins with the next block read`
            : t`Incentive from ${formatShare(first.incentive)} to ${formatShare(last.incentive)}, blocks ${formatInteger(first.block)} to ${formatInteger(last.block)}`}
        </small>
      </p>
    </div>
  );
}

/** Drawn when it is opened: a screen of eight charts nobody asked for is slow. */
export function HistoryChart({ points, ofRun }: { points: readonly HistoryPoint[]; ofRun: boolean }) {
  const [open, setOpen] = useState(false);
  if (points.length < 2) return null;
  const percent = (share: number | null): number | null => (share === null ? null : share * 100);
  const series: Series[] = [
    { name: t`Incentive, %`, colour: '--series-1', values: points.map(({ incentive }) => percent(incentive)) },
    { name: t`Gauntlet weight, %`, colour: '--series-2', values: points.map((point) => percent(point.gauntletWeight)) },
  ];
  const known = series.filter(({ values }) => values.some((value) => value !== null));
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{ofRun ? t`History, with what the validator recorded` : t`History since this page was opened`}</summary>
      {open && (
        <LineChart
          description={describe(points)}
          xName={t`Block`}
          x={points.map(({ block }) => block)}
          series={known.map((each) => ({ ...each, points: points.length < 40 }))}
        />
      )}
    </details>
  );
}
