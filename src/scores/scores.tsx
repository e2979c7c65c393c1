/** Your scores: what was delivered, what was made of it, and why. */
import { t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import type { PeerState } from '../../core/protocol/api.ts';
import { messageOf } from '../../client/http.ts';
import { useContribute } from '../client/app-context.ts';
import { useLeaderboard, usePeer } from '../client/queries.ts';
import { sentence } from '../ui/failure-words.ts';
import { Card } from '../ui/card.tsx';
import { Figure, Figures } from '../ui/figures.tsx';
import { formatDecimal, formatInteger, formatPercent, UNKNOWN } from '../ui/format.ts';
import { Notice } from '../ui/notice.tsx';
import { RatingBand, ratingScale } from '../ui/rating-band.tsx';
import { useOwnHotkey } from '../wallet/use-identity.ts';
import { explainScore, scoreParts } from './explain.ts';
import { HistoryCharts } from './history-charts.tsx';
import { HistoryTable } from './history-table.tsx';
import { LossEffects } from './loss-effects.tsx';
import { ReceiptList } from './receipt-list.tsx';
import styles from './scores.module.css';
import { VerdictList } from './verdict-list.tsx';

export function Scores() {
  const hotkey = useOwnHotkey();
  const started = useContribute((state) => state.verifiedRoot !== undefined);
  const listed = useLeaderboard().data?.peers.some((peer) => peer.hotkey === hotkey) ?? false;
  // A hotkey that never joined is not asked for: the answer is known.
  const peer = usePeer(started || listed ? hotkey : undefined);
  if (peer.data) return <PeerScores peer={peer.data} own />;
  return (
    <Card title={t`Your scores`}>
      {peer.isError ? (
        <Notice tone="warn">
          <span lang="en">{sentence(messageOf(peer.error))}</span>{' '}
          <Trans>Your scores come back when the validator answers.</Trans>
        </Notice>
      ) : peer.isLoading ? (
        <Notice>
          <Trans>Asking the validator for your scores.</Trans>
        </Notice>
      ) : (
        <Notice>
          <Trans>
            You have not contributed to this run yet. Press Start: the first score comes within a few windows.
          </Trans>
        </Notice>
      )}
    </Card>
  );
}

/** All of one peer's figures and where they come from. @param own whether it is this tab's, which is told why in words */
export function PeerScores({ peer, own }: { peer: PeerState; own: boolean }) {
  return (
    <>
      <Card title={t`Score`} aside={t`uid ${peer.uid}, since window ${peer.firstWindow}`}>
        <Standing peer={peer} own={own} />
      </Card>
      <HistoryCharts history={peer.history} />
      <LossEffects peer={peer} />
      <Card title={t`Window by window`}>
        <div className={styles['halves']}>
          <VerdictList verdicts={peer.verdicts} />
          <HistoryTable history={peer.history} />
        </div>
        <ReceiptList receipts={peer.receipts} />
      </Card>
    </>
  );
}

function Standing({ peer, own }: { peer: PeerState; own: boolean }) {
  return (
    <>
      {own && <p className={styles['why']}>{explainScore(peer)}</p>}
      <Product peer={peer} />
      <div className={styles['halves']}>
        <Figures columns={3}>
          <Figure label={t`Rank`} hint={t`Among all peers of this run, by peer score.`}>
            {peer.rank === null ? UNKNOWN : `#${peer.rank}`}
          </Figure>
          <Figure
            label={t`Weight`}
            hint={t`Its share of all weights: scores to the power of the manifest, normalised.`}
          >
            {formatPercent(peer.weight)}
          </Figure>
          <Figure label={t`Accepted`} hint={t`Contributions that passed the fast checks.`}>
            {formatInteger(peer.contributions.accepted)}
          </Figure>
          <Figure label={t`Rejected`} hint={t`Contributions that failed a fast check.`}>
            {formatInteger(peer.contributions.rejected)}
          </Figure>
          <Figure label={t`Evaluated`} hint={t`Contributions drawn for loss scoring.`}>
            {formatInteger(peer.contributions.evaluated)}
          </Figure>
          <Figure label={t`Aggregated`} hint={t`Contributions folded into the shared model.`}>
            {formatInteger(peer.contributions.aggregated)}
          </Figure>
        </Figures>
        <div className={styles['rating']}>
          <h3>
            <Trans>
              Rating {formatDecimal(peer.rating.mu, 1)}{' '}
              <span className="soft">± {formatDecimal(peer.rating.sigma, 1)}</span>
            </Trans>
          </h3>
          <RatingBand rating={peer.rating} scale={ratingScale([peer.rating])} />
          <p className="soft">
            <Trans>
              The band is how sure the rating is. The upright mark, {formatDecimal(peer.rating.ordinal, 1)}, is the
              cautious reading that counts.
            </Trans>
          </p>
        </div>
      </div>
    </>
  );
}

function Product({ peer }: { peer: PeerState }) {
  return (
    <div className={styles['product']}>
      {scoreParts(peer).map(({ name, value, digits, hint }, i) => (
        <div key={name} className={styles['term']}>
          {i > 0 && <span aria-label={t`times`}>×</span>}
          <div className={styles['part']} title={hint}>
            <span>{name}</span>
            <strong>{formatDecimal(value, digits)}</strong>
          </div>
        </div>
      ))}
      <div className={styles['term']}>
        <span aria-label={t`equals`}>=</span>
        <div
          className={`${styles['part']!} ${styles['result']!}`}
          title={t`The validator’s figure; its weight is derived from it.`}
        >
          <span>
            <Trans>Peer score</Trans>
          </span>
          <strong>{formatDecimal(peer.peerScore, 3)}</strong>
        </div>
      </div>
    </div>
  );
}
