/**
 * The judgement of a window: fast checks on all, losses of a drawn sample, figures, selection, outer step. It reads and
 * computes; nothing is written, so judging again from the same record gives the same result.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import { beaconOf } from '../../core/gauntlet/beacon.ts';
import { ordinal } from '../../core/gauntlet/rating.ts';
import { idleFigures, isActive, scoreWindow, type ScoredPeer } from '../../core/gauntlet/scoring.ts';
import { drawEvaluations, selectAggregation } from '../../core/gauntlet/selection.ts';
import { idleVerdicts, scoredVerdicts } from '../../core/gauntlet/verdicts.ts';
import type { Evaluation, PeerHistoryPoint, Rating } from '../../core/protocol/api.ts';
import type { Figures } from '../../core/protocol/figures.ts';
import { compareContributions } from './comparison-stage.ts';
import type { RoundsPorts, RunContext } from './context.ts';
import { evaluateContributions, type LossResult } from './evaluation-stage.ts';
import { absent, checkContribution, readSealed, type FastResult, type FastStageInput } from './fast-stage.ts';
import { inLanes } from './in-lanes.ts';
import { createLossMeter, type LossMeter } from './losses.ts';
import type { FinalisedBlock, JudgeEngine, SignedBytes } from './ports.ts';
import type { ContributionRow, PeerRow, WindowClose } from './store.ts';

/** A peer that did not take part in a window and whose figures changed all the same. */
export interface IdlePeer {
  readonly hotkey: string;
  readonly uid: number;
  readonly before: Figures;
  readonly after: Figures;
}

export interface Judgement
  extends Pick<WindowClose, 'verdicts' | 'history' | 'peers'>, Pick<JudgeInput, 'closingBlock'> {
  readonly contributions: readonly ContributionRow[];
  /** What the scheme clips the valid contributions to; null where it clips none. */
  readonly clipNorms: readonly number[] | null;
  /** The draw, in the order in which evaluations begin. */
  readonly drawn: readonly string[];
  /** How many of these the time allowed: all that scoring calls drawn, a beginning of `drawn`. */
  readonly reached: number;
  /** Everybody who took part, in the order of their uids. */
  readonly scored: readonly (ScoredPeer & { readonly after: Figures })[];
  readonly idle: readonly IdlePeer[];
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
  /** The block that ended the put phase, in a run with a chain. */
  readonly closingBlock?: FinalisedBlock | undefined;
}

interface CheckedPeer {
  readonly peer: PeerRow;
  readonly fast: FastResult;
  /** Its accepted upload, valid or not. */
  readonly row: ContributionRow | undefined;
}

/** The fast checks on everybody who delivered now or lately. */
async function checkPeers(
  context: RunContext,
  ports: Pick<RoundsPorts, 'uploads' | 'digest'>,
  engine: JudgeEngine,
  input: JudgeInput,
  peers: readonly PeerRow[],
  contributions: readonly ContributionRow[],
): Promise<CheckedPeer[]> {
  const { window } = input.open;
  const byHotkey = new Map(contributions.map((row) => [row.hotkey, row]));
  const present = peers.filter(
    ({ hotkey, figures }) => byHotkey.has(hotkey) || isActive(figures, window, context.manifest.gauntlet),
  );
  return inLanes(present, engine.lanes, async (peer): Promise<CheckedPeer> => {
    const row = byHotkey.get(peer.hotkey);
    const fast: FastResult = row ? await checkContribution(context, ports, engine, input, row) : absent(window);
    return { peer, fast, row };
  });
}

interface Turns {
  readonly window: number;
  readonly checked: ReadonlyMap<string, CheckedPeer>;
  readonly beacon: Uint8Array;
  readonly clipNorms: readonly number[] | null;
  readonly read: (hotkey: string) => Promise<SignedBytes>;
  readonly lanes: number;
}

/** Draws peers and measures the losses of those whose turn comes in the manifest's time. */
async function takeTurns(
  context: RunContext,
  clock: RoundsPorts['clock'],
  meter: LossMeter,
  { window, checked, beacon, clipNorms, read, lanes }: Turns,
): Promise<{ drawn: string[]; reached: number; losses: LossResult[]; evaluationMs: number }> {
  const { gauntlet } = context.manifest;
  const candidates = [...checked.values()].map(({ peer }) => ({ hotkey: peer.hotkey, before: peer.figures }));
  const drawn = drawEvaluations(window, candidates, gauntlet, beacon);
  const toEvaluate = drawn.flatMap((hotkey) => {
    const contribution = checked.get(hotkey)!.fast.valid;
    return contribution ? [{ hotkey, contribution }] : [];
  });
  const began = clock.now();
  const losses = await evaluateContributions(context, meter, {
    open: { window },
    drawn: toEvaluate,
    beacon: bytesToHex(beacon),
    clipNorms,
    read,
    lanes,
    mayBegin: () => clock.now() - began < gauntlet.evaluationSeconds * 1_000,
  });
  const notReached = toEvaluate.at(losses.length)?.hotkey;
  const reached = notReached === undefined ? drawn.length : drawn.indexOf(notReached);
  return { drawn, reached, losses, evaluationMs: clock.now() - began };
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

/** @throws CorruptRunError when what a receipt was given for is gone or damaged; whatever the engine throws */
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
  const contributions = await ports.store.contributions(window);
  const checked = await checkPeers(context, ports, engine, input, peers, contributions);
  const byHotkey = new Map(checked.map((entry) => [entry.peer.hotkey, entry]));
  const read = (hotkey: string): Promise<SignedBytes> => readSealed(uploads, byHotkey.get(hotkey)!.row!);

  const valid = contributions.filter(({ hotkey }) => byHotkey.get(hotkey)?.fast.valid);
  const beacon = beaconOf(open.beaconSecret, window, contributions, input.closingBlock);
  const { clipNorms, copied } = await compareContributions(context, engine, { window, beacon, valid, read });

  await engine.use({ root: open.stateRoot, parameters });
  const { drawn, reached, losses, evaluationMs } = await takeTurns(context, clock, meter, {
    window,
    checked: byHotkey,
    beacon,
    clipNorms,
    read,
    lanes: engine.lanes,
  });
  const lossesOf = new Map(losses.map((loss) => [loss.hotkey, loss.scores]));
  const turn = new Set(drawn.slice(0, reached));
  const taking = checked.map(({ peer: { hotkey, uid, figures }, fast, row }): ScoredPeer => ({
    hotkey,
    uid,
    before: figures,
    delivered: row !== undefined,
    wellFormed: fast.wellFormed,
    passed: fast.valid !== null,
    sync: fast.sync,
    otherData: fast.otherData,
    drawn: turn.has(hotkey),
    lossScores: lossesOf.get(hotkey) ?? null,
    overlap: copied.get(hotkey) ?? null,
  }));
  const figures = scoreWindow(window, taking, gauntlet);
  const scored = taking.map((peer) => ({ ...peer, after: figures.get(peer.hotkey)! }));
  const idle = peers.flatMap(({ hotkey, uid, figures: before }): IdlePeer[] => {
    const after = figures.has(hotkey) ? undefined : idleFigures(before, window, gauntlet);
    return after ? [{ hotkey, uid, before, after }] : [];
  });

  const aggregated = selectAggregation(window, scored, gauntlet, beacon);
  const lossBefore = await heldOutBefore(ports, meter, input);
  const { step, state } = await engine.advance(window, await Promise.all(aggregated.map(read)));
  const lossAfter = await meter.heldOut();

  const found = scoredVerdicts(window, scored, gauntlet);
  const chosen = new Set(aggregated);
  const ratingOf = ({ rating }: Figures): Rating => ({ ...rating, ordinal: ordinal(rating, gauntlet.rating) });
  return {
    contributions,
    clipNorms,
    closingBlock: input.closingBlock,
    drawn,
    reached,
    scored,
    idle,
    evaluated: losses.map(({ hotkey, assigned, random }) => ({
      hotkey,
      assigned,
      random,
      rating: { before: ratingOf(byHotkey.get(hotkey)!.peer.figures), after: ratingOf(figures.get(hotkey)!) },
    })),
    aggregated,
    step,
    parameters: state.parameters,
    root: state.root,
    lossBefore,
    lossAfter,
    evaluationMs,
    verdicts: [
      ...scored.flatMap(({ hotkey }, i) =>
        [...byHotkey.get(hotkey)!.fast.verdicts, ...found[i]!].map((verdict) => ({ hotkey, verdict })),
      ),
      ...idle.flatMap((peer) => idleVerdicts(window, peer).map((verdict) => ({ hotkey: peer.hotkey, verdict }))),
    ],
    history: scored.map(({ hotkey, lossScores, after }) => {
      const { poc, sync, peerScore, weight, rank } = after;
      const point: PeerHistoryPoint = {
        window,
        rating: ratingOf(after),
        poc,
        sync,
        peerScore,
        weight,
        rank,
        aggregated: chosen.has(hotkey),
        lossScore: lossScores,
      };
      return { hotkey, point };
    }),
    peers: [
      ...scored.map(({ hotkey, after, lossScores }) => ({
        hotkey,
        figures: after,
        evaluated: lossScores !== null,
        aggregated: chosen.has(hotkey),
      })),
      ...idle.map(({ hotkey, after }) => ({ hotkey, figures: after, evaluated: false, aggregated: false })),
    ],
  };
}
