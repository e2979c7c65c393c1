/** A peer's profile, '/peers/HOTKEY': all that the validator has on record of it, at an address to hand on. */
import { Trans, useLingui } from '@lingui/react/macro';
import { Link, useLocation } from 'wouter';
import type { PeerState } from '../../core/protocol/api.ts';
import { usePeerLabels } from '../client/app-context.ts';
import { usePeer } from '../client/queries.ts';
import { HistoryTable } from '../scores/history-table.tsx';
import { ReceiptList } from '../scores/receipt-list.tsx';
import { VerdictList } from '../scores/verdict-list.tsx';
import { Card } from '../ui/card.tsx';
import { Figure, Figures } from '../ui/figures.tsx';
import { formatDecimal, formatInteger, formatPercent, UNKNOWN } from '../ui/format.ts';
import { Identifier } from '../ui/identifier.tsx';
import { LineChart } from '../ui/line-chart.tsx';
import { Notice } from '../ui/notice.tsx';
import { RatingBand, ratingScale } from '../ui/rating-band.tsx';
import { ScreenHead } from '../ui/screen-head.tsx';

/** Longer than any address; what is longer is not asked for. */
const MAX_HOTKEY = 64;

export default function PeerScreen() {
  const { t } = useLingui();
  const [location] = useLocation();
  const hotkey = location.split('/')[2] ?? '';
  const askable = /^[1-9A-HJ-NP-Za-km-z]+$/.test(hotkey) && hotkey.length <= MAX_HOTKEY;
  const label = usePeerLabels().get(hotkey);
  const peer = usePeer(askable ? hotkey : undefined);
  return (
    <>
      <ScreenHead title={label ? t`Peer ${label.name}` : t`Peer`}>
        <Link href="/leaderboard">
          <Trans>All peers</Trans>
        </Link>
      </ScreenHead>
      {peer.data ? (
        <Profile peer={peer.data} />
      ) : peer.isLoading ? (
        <Notice fill>
          <Trans>Asking the validator for this peer.</Trans>
        </Notice>
      ) : peer.isError ? (
        <Notice tone="warn">
          <Trans>The validator did not answer for this peer. It is asked again by itself.</Trans>
        </Notice>
      ) : (
        <Notice title={t`No peer of this run has this hotkey`} fill>
          <Trans>
            It has not joined, its place went to somebody else, or the address was cut short. Look for it in the
            leaderboard, or check the link.
          </Trans>
        </Notice>
      )}
    </>
  );
}

function Profile({ peer }: { peer: PeerState }) {
  const { t } = useLingui();
  const { uid, firstWindow, rating, contributions, history } = peer;
  return (
    <>
      <Card title={t`Standing`} aside={t`uid ${uid}, since window ${firstWindow}`}>
        <Identifier value={peer.hotkey} name={t`hotkey`} />
        <Identifier value={location.href} name={t`the link to this page`} />
        <Figures>
          <Figure label={t`Rank`}>{peer.rank === null ? UNKNOWN : formatInteger(peer.rank)}</Figure>
          <Figure label={t`Peer score`}>{formatDecimal(peer.peerScore, 3)}</Figure>
          <Figure label={t`Weight`}>{formatPercent(peer.weight)}</Figure>
          <Figure label={t`Rating`}>{formatDecimal(rating.ordinal, 2)}</Figure>
          <Figure label={t`Proof of computation μ`}>{formatDecimal(peer.poc, 3)}</Figure>
          <Figure label={t`Sync`}>{formatDecimal(peer.sync, 3)}</Figure>
          <Figure label={t`Gate`}>{formatDecimal(peer.gate, 3)}</Figure>
          <Figure label={t`Accepted`}>{formatInteger(contributions.accepted)}</Figure>
          <Figure label={t`Rejected`}>{formatInteger(contributions.rejected)}</Figure>
          <Figure label={t`Aggregated`}>{formatInteger(contributions.aggregated)}</Figure>
        </Figures>
        <RatingBand rating={rating} scale={ratingScale([rating])} />
      </Card>
      {history.length > 1 && (
        <Card title={t`Rating over time`}>
          <LineChart
            description={t`Rating after each window: what is believed, and the cautious figure that counts.`}
            xName={t`Window`}
            x={history.map(({ window }) => window)}
            series={[
              { name: t`Rating`, colour: '--series-1', values: history.map((point) => point.rating.mu) },
              { name: t`Cautious`, colour: '--series-2', values: history.map((point) => point.rating.ordinal) },
            ]}
          />
        </Card>
      )}
      <Card title={t`Windows`}>
        <VerdictList verdicts={peer.verdicts} />
        <HistoryTable history={history} />
        <ReceiptList receipts={peer.receipts} />
      </Card>
    </>
  );
}
