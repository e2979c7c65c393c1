/** All peers of the run by rank, this tab's row marked. */
import type { LeaderboardEntry } from '../../core/protocol/api.ts';
import { useLeaderboard, useUnreachable } from '../client/queries.ts';
import { Badge } from '../ui/badge.tsx';
import { Card } from '../ui/card.tsx';
import { formatDecimal, formatPercent, plural, shorten, UNKNOWN } from '../ui/format.ts';
import { Notice } from '../ui/notice.tsx';
import { RatingBand, ratingScale, type Scale } from '../ui/rating-band.tsx';
import { Scroller } from '../ui/scroller.tsx';
import { useOwnHotkey } from '../wallet/use-identity.ts';
import styles from './leaderboard.module.css';
import { visibleRows } from './rows.ts';

export function Leaderboard() {
  const { data } = useLeaderboard();
  const unreachable = useUnreachable() !== undefined;
  const own = useOwnHotkey();
  return (
    <Card title="Leaderboard" aside={data && data.peers.length > 0 ? `after window ${data.window}` : undefined}>
      {!data && (
        <Notice>
          {unreachable ? 'Peers are listed once the validator answers.' : 'Asking the validator for the peers.'}
        </Notice>
      )}
      {data?.peers.length === 0 && <Notice>Nobody has joined yet. Be the first: press Start.</Notice>}
      {data && data.peers.length > 0 && <Peers peers={data.peers} own={own} />}
    </Card>
  );
}

function Peers({ peers, own }: { peers: readonly LeaderboardEntry[]; own: string | undefined }) {
  const { rows, hidden } = visibleRows(peers, own);
  const scale = ratingScale(rows.map(({ rating }) => rating));
  return (
    <>
      <Scroller label="All peers by rank">
        <table className={styles['table']}>
          <thead>
            <tr>
              <th scope="col">Rank</th>
              <th scope="col">Peer</th>
              <th scope="col" title="Band: rating and its uncertainty. Upright mark: the cautious reading that counts.">
                Rating
              </th>
              <th scope="col" className="number" title="Proof of computation">
                μ
              </th>
              <th scope="col" className="number">
                Score
              </th>
              <th scope="col" className="number">
                Weight
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((peer) => (
              <Row key={peer.hotkey} peer={peer} own={peer.hotkey === own} scale={scale} />
            ))}
          </tbody>
        </table>
      </Scroller>
      {hidden > 0 && <p className="soft">{plural(hidden, 'more peer')} with lower scores not shown.</p>}
    </>
  );
}

function Row({ peer, own, scale }: { peer: LeaderboardEntry; own: boolean; scale: Scale }) {
  return (
    <tr data-own={own || undefined} aria-current={own || undefined}>
      <td>{peer.rank ?? UNKNOWN}</td>
      <th scope="row">
        <code title={peer.hotkey}>{shorten(peer.hotkey)}</code>
        {(own || peer.flags.length > 0) && (
          <span className={styles['marks']}>
            {own && <Badge tone="accent">You</Badge>}
            {peer.flags.map((flag) => (
              <Badge key={flag} tone="warn">
                {flag}
              </Badge>
            ))}
          </span>
        )}
      </th>
      <td className={styles['band']}>
        <RatingBand rating={peer.rating} scale={scale} />
      </td>
      <td className="number">{formatDecimal(peer.poc, 2)}</td>
      <td className="number">{formatDecimal(peer.peerScore, 2)}</td>
      <td className="number">{formatPercent(peer.weight)}</td>
    </tr>
  );
}
