/** One peer of a run without a chain: its weight, its rank, and how both went. */
import { plural, t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import { useState } from 'react';
import type { PeerHistoryPoint } from '../../core/protocol/api.ts';
import { useLeaderboard, usePeer } from '../client/queries.ts';
import { Badge } from '../ui/badge.tsx';
import { formatDecimal, formatInteger, UNKNOWN } from '../ui/format.ts';
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
        title={t`uid ${uid}`}
        hotkey={hotkey}
        onRemove={onRemove}
        badges={
          own ? (
            <Badge tone="accent">
              <Trans>You</Trans>
            </Badge>
          ) : undefined
        }
      >
        {!peer ? (
          <p className="soft">
            <Trans>Asking the validator for its figures.</Trans>
          </p>
        ) : (
          <>
            <Headline>
              <HeadlineFigure
                label={t`Weight in this run`}
                testId="run-weight"
                hint={t`Its share of all weights of this run, from its scores alone. It is no amount of anything.`}
                below={t`of all peers’ weights`}
              >
                {formatShare(peer.weight)}
              </HeadlineFigure>
              <HeadlineFigure
                label={t`Rank`}
                testId="run-rank"
                below={t`of ${plural(peers, { one: '# peer', other: '# peers' })}`}
              >
                {peer.rank === null ? UNKNOWN : `#${formatInteger(peer.rank)}`}
              </HeadlineFigure>
            </Headline>
            <WeightHistory history={peer.history} />
            <Rows>
              <Row
                label={t`Peer score`}
                hint={t`What the weight is derived from: rating, proof of computation and conduct.`}
              >
                {formatDecimal(peer.peerScore, 3)}
              </Row>
              <Row label={t`Since window`}>{formatInteger(peer.firstWindow)}</Row>
              <Row label={t`Accepted`}>
                {plural(peer.contributions.accepted, { one: '# contribution', other: '# contributions' })}
              </Row>
              <Row label={t`In the model`}>
                {plural(peer.contributions.aggregated, { one: '# contribution', other: '# contributions' })}
              </Row>
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
  if (!first || !last)
    return (
      <p className="soft">
        <Trans>The curve begins with its first published window.</Trans>
      </p>
    );
  const windows = history.map(({ window }) => window);
  const description = t`Weight from window ${first.window} to ${last.window}, from ${formatShare(first.weight)} to ${formatShare(last.weight)}.`;
  return (
    <div>
      <Sparkline description={description} x={windows} y={history.map(({ weight }) => weight)} />
      <p className="soft">
        <small>
          <Trans>
            Weight from {formatShare(first.weight)} to {formatShare(last.weight)}, windows {first.window} to{' '}
            {last.window}
          </Trans>
        </small>
      </p>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <Trans>Weight and rank by window</Trans>
        </summary>
        {open && (
          <>
            <LineChart
              description={description}
              xName={t`Window`}
              x={windows}
              series={[{ name: t`Weight, %`, colour: '--series-1', values: history.map(({ weight }) => weight * 100) }]}
            />
            <LineChart
              description={t`Rank from window ${first.window} to ${last.window}; 1 is the best.`}
              xName={t`Window`}
              x={windows}
              series={[{ name: t`Rank`, colour: '--series-2', values: history.map(({ rank }) => rank) }]}
            />
          </>
        )}
      </details>
    </div>
  );
}
