/** The five best peers and one's own, and the way to all of them. */
import { Trans, useLingui } from '@lingui/react/macro';
import { Link } from 'wouter';
import { useLeaderboard } from '../client/queries.ts';
import { PeerName } from '../peers/peer-name.tsx';
import { Badge } from '../ui/badge.tsx';
import { Card } from '../ui/card.tsx';
import { formatDecimal, formatPercent } from '../ui/format.ts';
import { Notice } from '../ui/notice.tsx';
import { Scroller } from '../ui/scroller.tsx';
import { useOwnHotkey } from '../wallet/use-identity.ts';
import { Rank } from './standing.tsx';

const BEST = 5;

export function LeaderboardTeaser() {
  const { t } = useLingui();
  const peers = useLeaderboard().data?.peers ?? [];
  const own = useOwnHotkey();
  const shown = peers.filter(({ hotkey }, i) => i < BEST || hotkey === own);
  return (
    <Card
      title={t`Leaderboard`}
      aside={
        <Link href="/leaderboard">
          <Trans>All peers</Trans>
        </Link>
      }
    >
      {shown.length === 0 ? (
        <Notice>
          <Trans>Nobody is listed yet. Be the first: press Start.</Trans>
        </Notice>
      ) : (
        <Scroller label={t`The best peers`}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t`Rank`}</th>
                <th scope="col">{t`Peer`}</th>
                <th scope="col" className="number">{t`Score`}</th>
                <th scope="col" className="number">{t`Weight`}</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((peer) => (
                <tr key={peer.hotkey} aria-current={peer.hotkey === own || undefined}>
                  <td>
                    <Rank rank={peer.rank} previousRank={peer.previousRank} />
                  </td>
                  <th scope="row">
                    <PeerName hotkey={peer.hotkey} /> {peer.hotkey === own && <Badge tone="accent">{t`You`}</Badge>}
                  </th>
                  <td className="number">{formatDecimal(peer.peerScore, 2)}</td>
                  <td className="number">{formatPercent(peer.weight)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroller>
      )}
    </Card>
  );
}
