/** One peer of a run without a chain: its weight, its rank, and how both went. */
import { useState } from 'react';
import type { PeerHistoryPoint } from '../../core/protocol/api.ts';
import { useLeaderboard, usePeer } from '../client/queries.ts';
import { Badge } from '../ui/badge.tsx';
import { formatDecimal, formatInteger, plural, UNKNOWN } from '../ui/format.ts';
import { LineChart } from '../ui/line-chart.tsx';
import { formatShare } from './amounts.ts';
import { Row, Rows } from './rows.tsx';
import { Sparkline } from './sparkline.tsx';
import { Headline, HeadlineFigure, SubjectCard } from './subject-card.tsx';

export interface RunCardProps {
  readonly hotkey: string;
  readonly uid: number;
  readonly own: boolean;
  readonly onRemove?: (() => void) | undefined;
}

export function RunCard({ hotkey, uid, own, onRemove }: RunCardProps) {
  const peer = usePeer(hotkey).data;
  const peers = useLeaderboard().data?.peers.length ?? 0;
  return (
    <div data-subject={uid}>
      <SubjectCard
        title={`uid ${uid}`}
        hotkey={hotkey}
        onRemove={onRemove}
        badges={own ? <Badge tone="accent">You</Badge> : undefined}
      >
        {!peer ? (
          <p className="soft">Asking the validator for its figures.</p>
        ) : (
          <>
            <Headline>
              <HeadlineFigure
                label="Weight in this run"
                testId="run-weight"
                hint="Its share of all weights of this run, from its scores alone. It is no amount of anything."
                below="of all peers’ weights"
              >
                {formatShare(peer.weight)}
              </HeadlineFigure>
              <HeadlineFigure label="Rank" testId="run-rank" below={`of ${plural(peers, 'peer')}`}>
                {peer.rank === null ? UNKNOWN : `#${formatInteger(peer.rank)}`}
              </HeadlineFigure>
            </Headline>
            <WeightHistory history={peer.history} />
            <Rows>
              <Row label="Peer score" hint="What the weight is derived from: rating, proof of computation and conduct.">
                {formatDecimal(peer.peerScore, 3)}
              </Row>
              <Row label="Since window">{formatInteger(peer.firstWindow)}</Row>
              <Row label="Accepted">{plural(peer.contributions.accepted, 'contribution')}</Row>
              <Row label="In the model">{plural(peer.contributions.aggregated, 'contribution')}</Row>
            </Rows>
          </>
        )}
      </SubjectCard>
    </div>
  );
}

function WeightHistory({ history }: { history: readonly PeerHistoryPoint[] }) {
  const [open, setOpen] = useState(false);
  const [first, last] = [history[0], history.at(-1)];
  if (!first || !last) return <p className="soft">The curve begins with its first published window.</p>;
  const windows = history.map(({ window }) => window);
  const description =
    `Weight from window ${first.window} to ${last.window}, ` +
    `from ${formatShare(first.weight)} to ${formatShare(last.weight)}.`;
  return (
    <div>
      <Sparkline description={description} x={windows} y={history.map(({ weight }) => weight)} />
      <p className="soft">
        <small>
          Weight from {formatShare(first.weight)} to {formatShare(last.weight)}, windows {first.window} to {last.window}
        </small>
      </p>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>Weight and rank by window</summary>
        {open && (
          <>
            <LineChart
              description={description}
              xName="Window"
              x={windows}
              series={[{ name: 'Weight, %', colour: '--series-1', values: history.map(({ weight }) => weight * 100) }]}
            />
            <LineChart
              description={`Rank from window ${first.window} to ${last.window}; 1 is the best.`}
              xName="Window"
              x={windows}
              series={[{ name: 'Rank', colour: '--series-2', values: history.map(({ rank }) => rank) }]}
            />
          </>
        )}
      </details>
    </div>
  );
}
