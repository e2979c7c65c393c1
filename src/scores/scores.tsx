/** Your scores: what was delivered, what was made of it, and why. */
import type { PeerState } from '../../core/protocol/api.ts';
import { messageOf } from '../../client/http.ts';
import { useContribute } from '../client/app-context.ts';
import { useLeaderboard, usePeer } from '../client/queries.ts';
import { sentence } from '../contribute/describe.ts';
import { Card } from '../ui/card.tsx';
import { Figure, Figures } from '../ui/figures.tsx';
import { formatDecimal, formatInteger, formatPercent, UNKNOWN } from '../ui/format.ts';
import { Notice } from '../ui/notice.tsx';
import { RatingBand, ratingScale } from '../ui/rating-band.tsx';
import { useOwnHotkey } from '../wallet/use-identity.ts';
import { explainScore, scoreParts } from './explain.ts';
import { HistoryTable } from './history-table.tsx';
import { ReceiptList } from './receipt-list.tsx';
import styles from './scores.module.css';
import { VerdictList } from './verdict-list.tsx';

export function Scores() {
  const hotkey = useOwnHotkey();
  const started = useContribute((state) => state.verifiedRoot !== undefined);
  const listed = useLeaderboard().data?.peers.some((peer) => peer.hotkey === hotkey) ?? false;
  // A hotkey that never joined is not asked for: the answer is known.
  const peer = usePeer(started || listed ? hotkey : undefined);
  return (
    <Card title="Your scores" aside={peer.data && `uid ${peer.data.uid}, since window ${peer.data.firstWindow}`}>
      {peer.data ? (
        <PeerScores peer={peer.data} />
      ) : peer.isError ? (
        <Notice tone="warn">{sentence(messageOf(peer.error))} Your scores come back when the validator answers.</Notice>
      ) : peer.isLoading ? (
        <Notice>Asking the validator for your scores.</Notice>
      ) : (
        <Notice>
          You have not contributed to this run yet. Press Start: the first score comes within a few windows.
        </Notice>
      )}
    </Card>
  );
}

function PeerScores({ peer }: { peer: PeerState }) {
  return (
    <>
      <p className={styles['why']}>{explainScore(peer)}</p>
      <Product peer={peer} />
      <div className={styles['halves']}>
        <Figures columns={3}>
          <Figure label="Rank" hint="Among all peers of this run, by peer score.">
            {peer.rank === null ? UNKNOWN : `#${peer.rank}`}
          </Figure>
          <Figure label="Weight" hint="Your share of all weights: scores to the power of the manifest, normalised.">
            {formatPercent(peer.weight)}
          </Figure>
          <Figure label="Accepted" hint="Contributions that passed the fast checks.">
            {formatInteger(peer.contributions.accepted)}
          </Figure>
          <Figure label="Rejected" hint="Contributions that failed a fast check.">
            {formatInteger(peer.contributions.rejected)}
          </Figure>
          <Figure label="Evaluated" hint="Contributions drawn for loss scoring.">
            {formatInteger(peer.contributions.evaluated)}
          </Figure>
          <Figure label="Aggregated" hint="Contributions folded into the shared model.">
            {formatInteger(peer.contributions.aggregated)}
          </Figure>
        </Figures>
        <div className={styles['rating']}>
          <h3>
            Rating {formatDecimal(peer.rating.mu, 1)}{' '}
            <span className="soft">± {formatDecimal(peer.rating.sigma, 1)}</span>
          </h3>
          <RatingBand rating={peer.rating} scale={ratingScale([peer.rating])} />
          <p className="soft">
            The band is how sure the rating is. The upright mark, {formatDecimal(peer.rating.ordinal, 1)}, is the
            cautious reading that counts.
          </p>
        </div>
      </div>
      <div className={styles['halves']}>
        <VerdictList verdicts={peer.verdicts} />
        <HistoryTable history={peer.history} />
      </div>
      <ReceiptList receipts={peer.receipts} />
    </>
  );
}

function Product({ peer }: { peer: PeerState }) {
  return (
    <div className={styles['product']}>
      {scoreParts(peer).map(({ name, value, digits, hint }, i) => (
        <div key={name} className={styles['term']}>
          {i > 0 && <span aria-label="times">×</span>}
          <div className={styles['part']} title={hint}>
            <span>{name}</span>
            <strong>{formatDecimal(value, digits)}</strong>
          </div>
        </div>
      ))}
      <div className={styles['term']}>
        <span aria-label="equals">=</span>
        <div
          className={`${styles['part']!} ${styles['result']!}`}
          title="The validator’s figure; its weight is derived from it."
        >
          <span>Peer score</span>
          <strong>{formatDecimal(peer.peerScore, 3)}</strong>
        </div>
      </div>
    </div>
  );
}
