/**
 * The judgement of a window: fast checks on all, losses of a drawn sample, figures, selection, outer step. It reads and
 * computes; nothing is written, so judging again from the same record gives the same result.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import { beaconOf } from '../../core/gauntlet/beacon.ts';
import { ordinal } from '../../core/gauntlet/rating.ts';
import { drawEvaluations, selectAggregation } from '../../core/gauntlet/selection.ts';
import type { Evaluation, PeerHistoryPoint, Rating, Verdict } from '../../core/protocol/api.ts';
import type { RoundsPorts, RunContext } from './context.ts';
import { evaluateContributions, type LossResult } from './evaluation-stage.ts';
import { absent, checkContribution, readSealed, type FastResult, type FastStageInput } from './fast-stage.ts';
import { inLanes } from './in-lanes.ts';
import { createLossMeter, type LossMeter } from './losses.ts';
import type { JudgeEngine, SignedBytes } from './ports.ts';
import { idleFigures, isActive, scorePeers, type ActivePeer } from './scoring.ts';
import type { ContributionRow, PeerFigures, PeerRow, WindowClose } from './store.ts';

export interface Judgement extends Pick<WindowClose, 'verdicts' | 'history' | 'peers'> {
  readonly contributions: readonly ContributionRow[];
  readonly evaluated: readonly Evaluation[];
  readonly aggregated: readonly string[];
  /** Canonical bytes of the outer step. */
  readonly step: Uint8Array<ArrayBuffer>;
  /** θ_{w+1}. */
  readonly parameters: Float32Array<ArrayBuffer>;
  readonly root: string;
  /** On the held-out pages, nats a token. */
  readonly lossBefore: number;
  readonly lossAfter: number;
  /** How long the loss scores took. */
  readonly evaluationMs: number;
}

export interface JudgeInput extends FastStageInput {
  /** θ_w; not changed. */
  readonly parameters: Float32Array<ArrayBuffer>;
}

async function activePeers(
  context: RunContext,
  { store, uploads }: RoundsPorts,
  engine: JudgeEngine,
  input: JudgeInput,
  peers: readonly PeerRow[],
): Promise<{ active: ActivePeer[]; contributions: ContributionRow[] }> {
  const { window } = input.open;
  const contributions = await store.contributions(window);
  const byHotkey = new Map(contributions.map((row) => [row.hotkey, row]));
  const present = peers.filter(
    ({ hotkey, figures }) => byHotkey.has(hotkey) || isActive(figures.lastDelivered, window, context.manifest.gauntlet),
  );
  const active = await inLanes(present, engine.lanes, async ({ hotkey, uid, figures }): Promise<ActivePeer> => {
    const row = byHotkey.get(hotkey);
    const fast: FastResult = row ? await checkContribution(context, uploads, engine, input, row) : absent(window);
    return { hotkey, uid, figures, fast, delivered: row !== undefined };
  });
  return { active, contributions };
}

/** The verdicts that follow from being drawn. */
function lossVerdicts(window: number, drawn: boolean, loss: LossResult | undefined, poc: number): Verdict[] {
  if (!drawn) return [];
  if (!loss) {
    const reason = 'It was drawn for evaluation and there was nothing valid to evaluate: it ranks last in this window.';
    return [{ window, check: 'loss', pass: false, reason, value: null, threshold: null }];
  }
  const { assigned, random } = loss.scores;
  const gained = (score: number): string =>
    `${score >= 0 ? 'lowers' : 'raises'} the loss by ${Math.abs(score).toPrecision(3)} nats`;
  return [
    {
      window,
      check: 'loss',
      pass: random > 0,
      reason: `A fraction of its step ${gained(random)} a token on random pages.`,
      value: random,
      threshold: 0,
    },
    {
      window,
      check: 'proof-of-computation',
      pass: assigned > random,
      reason: `On its own pages it ${gained(assigned)} a token, on random pages it ${gained(random)}; μ is now ${poc.toFixed(3)}.`,
      value: assigned - random,
      threshold: 0,
    },
  ];
}

/** Loss of θ_w on the held-out pages: the window before measured these very parameters on these very pages. */
async function heldOutBefore(
  { store }: Pick<RoundsPorts, 'store'>,
  meter: LossMeter,
  { open }: JudgeInput,
): Promise<number> {
  const measured = (await store.record(open.window - 1))?.lossAfter;
  return typeof measured === 'number' ? measured : meter.heldOut();
}

/** @throws CorruptRunError when what a receipt was given for is gone; whatever the engine throws */
export async function judgeWindow(
  context: RunContext,
  ports: RoundsPorts,
  engine: JudgeEngine,
  input: JudgeInput,
): Promise<Judgement> {
  const { gauntlet } = context.manifest;
  const { open, parameters } = input;
  const { window } = open;
  const { clock, uploads } = ports;
  const meter = createLossMeter(context, ports.blobs, engine);
  const peers = await ports.store.peers();
  const { active, contributions } = await activePeers(context, ports, engine, input, peers);

  const beacon = beaconOf(open.beaconSecret, window, contributions);
  const drawn = drawEvaluations(
    active.map(({ hotkey, figures }) => ({ hotkey, windowsWaited: figures.waited })),
    gauntlet.evaluationsPerWindow,
    beacon,
  );
  const byHotkey = new Map(active.map((peer) => [peer.hotkey, peer]));
  const read = (hotkey: string): Promise<SignedBytes> => readSealed(uploads, byHotkey.get(hotkey)!.fast.valid!.row);
  await engine.use({ root: open.stateRoot, parameters });
  const evaluating = clock.now();
  const losses = await evaluateContributions(context, meter, {
    open,
    drawn: drawn.flatMap((hotkey) => {
      const contribution = byHotkey.get(hotkey)!.fast.valid;
      return contribution ? [{ hotkey, contribution }] : [];
    }),
    beacon: bytesToHex(beacon),
    read,
    lanes: engine.lanes,
  });
  const evaluationMs = clock.now() - evaluating;
  const draw = { hotkeys: new Set(drawn), losses: new Map(losses.map((loss) => [loss.hotkey, loss])) };
  const figures = scorePeers(window, active, draw, gauntlet);
  const ratingOf = ({ rating }: PeerFigures): Rating => ({ ...rating, ordinal: ordinal(rating, gauntlet.rating) });

  const aggregated = selectAggregation(
    active.map(({ hotkey, fast }) => {
      const now = figures.get(hotkey)!;
      return {
        hotkey,
        passedFastChecks: fast.valid !== null,
        evaluatedLossScoreRandom: draw.losses.get(hotkey)?.scores.random ?? null,
        peerScore: now.peerScore,
        ordinal: ordinal(now.rating, gauntlet.rating),
        evaluations: now.evaluations,
      };
    }),
    gauntlet,
    beacon,
  );
  const lossBefore = await heldOutBefore(ports, meter, input);
  const { step, state } = await engine.advance(window, await Promise.all(aggregated.map(read)));
  const lossAfter = await meter.heldOut();

  const chosen = new Set(aggregated);
  return {
    contributions,
    evaluated: losses.map(({ hotkey, assigned, random }) => ({
      hotkey,
      assigned,
      random,
      rating: { before: ratingOf(byHotkey.get(hotkey)!.figures), after: ratingOf(figures.get(hotkey)!) },
    })),
    aggregated,
    step,
    parameters: state.parameters,
    root: state.root,
    lossBefore,
    lossAfter,
    evaluationMs,
    verdicts: active.flatMap(({ hotkey, fast }) =>
      [
        ...fast.verdicts,
        ...lossVerdicts(window, draw.hotkeys.has(hotkey), draw.losses.get(hotkey), figures.get(hotkey)!.poc),
      ].map((verdict) => ({ hotkey, verdict })),
    ),
    history: active.map(({ hotkey }) => {
      const now = figures.get(hotkey)!;
      const { poc, sync, peerScore, weight, rank } = now;
      const point: PeerHistoryPoint = {
        window,
        rating: ratingOf(now),
        poc,
        sync,
        peerScore,
        weight,
        rank,
        aggregated: chosen.has(hotkey),
        lossScore: draw.losses.get(hotkey)?.scores ?? null,
      };
      return { hotkey, point };
    }),
    peers: peers.flatMap(({ hotkey, figures: old }) => {
      const now = figures.get(hotkey) ?? idleFigures(old, window, gauntlet);
      if (!now) return [];
      return [{ hotkey, figures: now, evaluated: draw.losses.has(hotkey), aggregated: chosen.has(hotkey) }];
    }),
  };
}
