/** What each evaluated contribution would have done to the model, to the left for better and to the right for worse. */
import { Trans, useLingui } from '@lingui/react/macro';
import { Badge } from '../../ui/badge.tsx';
import { formatDecimal, formatSigned } from '../../ui/format.ts';
import { Notice } from '../../ui/notice.tsx';
import { PeerLink } from '../peer-link.tsx';
import { keptOut, type Effect, type FlowPeer } from './flow.ts';
import styles from './effects.module.css';

/** A window evaluates a few; this bounds what a strange validator may claim. */
const MAX_EFFECTS = 64;
/** Where fewer digits would show two losses as the same. */
const DIGITS = 4;

export function Effects({ effects, peers }: { effects: readonly Effect[]; peers: readonly FlowPeer[] }) {
  const total = keptOut(effects);
  const widest = Math.max(Number.MIN_VALUE, ...effects.map(({ change }) => Math.abs(change)));
  const peerOf = new Map(peers.map((peer) => [peer.hotkey, peer]));
  return (
    <section className={styles['effects']}>
      <h3>
        <Trans>What each would have done</Trans>
      </h3>
      <p className="soft">
        <Trans>
          The judge tries a fraction of a contribution on random text. A loss that falls is good; one that rises would
          have harmed the model.
        </Trans>
      </p>
      {total > 0 && (
        <p className={styles['total']} data-testid="kept-out">
          <Trans>
            Kept out: <strong>{formatSigned(total, DIGITS)}</strong> nats
          </Trans>
        </p>
      )}
      {effects.length === 0 && (
        <Notice>
          <Trans>No contribution was drawn for the loss score in this window.</Trans>
        </Notice>
      )}
      <ul className={styles['list']}>
        {effects.slice(0, MAX_EFFECTS).map((effect) => (
          <Row key={effect.hotkey} effect={effect} widest={widest} peer={peerOf.get(effect.hotkey)} />
        ))}
      </ul>
    </section>
  );
}

function Row({ effect, widest, peer }: { effect: Effect; widest: number; peer: FlowPeer | undefined }) {
  const { t } = useLingui();
  const { hotkey, before, after, change, aggregated } = effect;
  const harmful = !(change < 0);
  return (
    <li>
      <p className={styles['head']}>
        <PeerLink hotkey={hotkey} />
        <Badge tone={aggregated ? 'good' : harmful ? 'bad' : 'neutral'}>
          {aggregated ? t`folded in` : harmful ? t`kept out` : t`not chosen`}
        </Badge>
      </p>
      <div className={styles['scale']} aria-hidden="true">
        <span
          className={styles['bar']}
          data-kind={harmful ? 'loss' : 'aggregated'}
          data-side={harmful ? 'right' : 'left'}
          style={{ width: `${(50 * Math.abs(change)) / widest}%` }}
        />
      </div>
      <p className={styles['numbers']}>
        <Trans>
          Loss {formatDecimal(before, DIGITS)} → {formatDecimal(after, DIGITS)}
        </Trans>
        <strong>
          {harmful ? '▲' : '▼'} {formatSigned(change, DIGITS)}
        </strong>
      </p>
      {peer?.reason !== undefined && (
        <p className="soft" lang="en">
          {peer.reason}
        </p>
      )}
    </li>
  );
}
