/** The tour's steps: a picture and a figure of this very run each, or what will be there. */
import { Trans, useLingui } from '@lingui/react/macro';
import type { ReactNode } from 'react';
import { parameterLayout } from '../../../core/model/layout.ts';
import type { PeerState } from '../../../core/protocol/api.ts';
import { useContribute, useServerNowMs } from '../../client/app-context.ts';
import { useClock, useLeaderboard, useManifest, usePeer, useWindows } from '../../client/queries.ts';
import { isActive } from '../../contribute/state.ts';
import { formatBytes, formatDecimal, formatInteger, formatPercent } from '../../ui/format.ts';
import { lossPoints } from '../../ui/curve.ts';
import { LossCurve } from '../../ui/loss-curve.tsx';
import { RatingBand, ratingScale } from '../../ui/rating-band.tsx';
import { useOwnHotkey } from '../../wallet/use-identity.ts';
import { LossPicture, PeersPicture, SizePicture, WeightsPicture, WindowPicture } from './pictures.tsx';
import styles from './tour.module.css';
import { useExample, type Example } from './use-example.ts';

/** A picture and its figures in words; in its place, what will be there. */
function Live({ picture, children }: { picture?: ReactNode; children: ReactNode }) {
  return (
    <div className={styles['live']}>
      {picture}
      <p data-testid="tour-figure">{children}</p>
    </div>
  );
}

function NotYet() {
  return (
    <Live>
      <Trans>
        Nothing was evaluated in this run lately. As soon as a contribution is, its real figures are shown here.
      </Trans>
    </Live>
  );
}

export function WindowFigure() {
  const clock = useClock().data;
  const nowMs = useServerNowMs();
  if (!clock) {
    return (
      <Live>
        <Trans>The validator has not answered yet. The present window will be here.</Trans>
      </Live>
    );
  }
  return (
    <Live picture={<WindowPicture clock={clock} nowMs={nowMs} />}>
      <PhaseInWords window={formatInteger(clock.window)} phase={clock.phase} />
    </Live>
  );
}

function PhaseInWords({ window, phase }: { window: string; phase: 'train' | 'put' | 'judge' | 'publish' }) {
  switch (phase) {
    case 'train':
      return <Trans>This is window {window}: everybody trains.</Trans>;
    case 'put':
      return <Trans>This is window {window}: uploads are open.</Trans>;
    case 'judge':
      return <Trans>This is window {window}: the validator measures what came in.</Trans>;
    case 'publish':
      return <Trans>This is window {window}: the next model is being published.</Trans>;
    default:
      return phase satisfies never;
  }
}

export function PeersFigure() {
  const peers = useLeaderboard().data?.peers ?? [];
  const own = useOwnHotkey();
  const active = useContribute(({ status }) => isActive(status));
  const count = formatInteger(peers.length);
  return (
    <Live picture={peers.length > 0 ? <PeersPicture peers={peers} own={own} /> : undefined}>
      {active ? (
        <Trans>Your tab is taking part right now. {count} peers are known to this run.</Trans>
      ) : (
        <Trans>Your tab only watches so far. {count} peers are known to this run.</Trans>
      )}
    </Live>
  );
}

export function UploadFigure() {
  const model = useManifest()?.model;
  const example = useExample().data;
  if (!model || example?.bytes === undefined) return <NotYet />;
  const whole = parameterLayout(model).total * Float32Array.BYTES_PER_ELEMENT;
  return (
    <Live picture={<SizePicture whole={whole} sent={example.bytes} />}>
      <About example={example} />{' '}
      <Trans>
        What it uploaded took {formatBytes(example.bytes)}. The whole model takes {formatBytes(whole)}: the upload is{' '}
        {formatPercent(example.bytes / whole)} of it.
      </Trans>
    </Live>
  );
}

/** Whose figures these are, in a sentence of its own: names inside sentences do not translate. */
function About({ example }: { example: Example }) {
  const { hotkey } = example.evaluation;
  const uid = useLeaderboard().data?.peers.find((peer) => peer.hotkey === hotkey)?.uid;
  const window = formatInteger(example.window);
  if (example.own) return <Trans>This is your tab in window {window}.</Trans>;
  if (uid === undefined) return <Trans>This is one of the peers in window {window}.</Trans>;
  return (
    <Trans>
      This is the peer with uid {uid} in window {window}.
    </Trans>
  );
}

export function EvaluationFigure() {
  const example = useExample().data;
  if (!example) return <NotYet />;
  const { assigned, random } = example.evaluation;
  const honest = assigned.before - assigned.after > random.before - random.after;
  return (
    <Live picture={<LossPicture assigned={assigned} random={random} />}>
      <About example={example} />{' '}
      <Trans>
        Its contribution took the loss on its own pages from {formatDecimal(assigned.before, 4)} to{' '}
        {formatDecimal(assigned.after, 4)}, and on random pages from {formatDecimal(random.before, 4)} to{' '}
        {formatDecimal(random.after, 4)}.
      </Trans>{' '}
      {honest ? (
        <Trans>It helped more on its own pages: that speaks for honest work.</Trans>
      ) : (
        <Trans>
          It helped no more on its own pages: once is chance, always would mean that it did not train on them.
        </Trans>
      )}
    </Live>
  );
}

export function RatingFigure() {
  const { t } = useLingui();
  const example = useExample().data;
  if (!example) return <NotYet />;
  const { before, after } = example.evaluation.rating;
  const scale = ratingScale([before, after]);
  return (
    <Live
      picture={
        <div className={styles['ratings']}>
          <span>{t`before`}</span>
          <RatingBand rating={before} scale={scale} />
          <span>{t`after`}</span>
          <RatingBand rating={after} scale={scale} />
        </div>
      }
    >
      <About example={example} />{' '}
      <Trans>
        The evaluation moved its rating from {formatDecimal(before.mu, 2)} ± {formatDecimal(before.sigma, 2)} to{' '}
        {formatDecimal(after.mu, 2)} ± {formatDecimal(after.sigma, 2)}. Counted is the cautious reading:{' '}
        {formatDecimal(after.ordinal, 2)}.
      </Trans>{' '}
      {before.mu === after.mu && before.sigma === after.sigma && (
        <Trans>It did not change, since nobody else was evaluated: there was no match.</Trans>
      )}
    </Live>
  );
}

export function WeightFigure() {
  const example = useExample().data;
  const peers = useLeaderboard().data?.peers ?? [];
  const peer = usePeer(example?.evaluation.hotkey).data;
  if (!example || !peer) return <NotYet />;
  return (
    <Live picture={<WeightsPicture peers={peers} hotkey={peer.hotkey} />}>
      <About example={example} />{' '}
      <Trans>
        Its score is now <Product peer={peer} />. Its weight is {formatPercent(peer.weight)} of all.
      </Trans>
    </Live>
  );
}

function Product({ peer }: { peer: PeerState }) {
  const factors = [peer.rating.ordinal, Math.max(0, peer.poc), peer.sync, peer.gate];
  return (
    <>
      {factors.map((factor) => formatDecimal(factor, 2)).join(' × ')} = {formatDecimal(peer.peerScore, 2)}
    </>
  );
}

export function ModelFigure() {
  const points = lossPoints(useWindows().data ?? []);
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) {
    return (
      <Live>
        <Trans>No window has been published yet. The model’s loss will be drawn here.</Trans>
      </Live>
    );
  }
  return (
    <Live picture={<LossCurve points={points} />}>
      <Trans>
        The model of this run began at a loss of {formatDecimal(first.loss, 3)}. After window{' '}
        {formatInteger(last.window)} it is at {formatDecimal(last.loss, 3)}.
      </Trans>
    </Live>
  );
}
