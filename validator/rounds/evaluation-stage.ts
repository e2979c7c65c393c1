/** The judge's second stage: losses of a drawn sample, before and after a fraction of each one's step. */
import { evaluationPages, randomPages } from '../../core/data/assignment.ts';
import type { RunContext } from './context.ts';
import type { ValidContribution } from './fast-stage.ts';
import { inLanes } from './in-lanes.ts';
import type { LossMeter } from './losses.ts';
import type { SignedBytes } from './ports.ts';
import type { OpenWindow } from './store.ts';

interface Measured {
  readonly pages: number[];
  readonly before: number;
  readonly after: number;
}

export interface LossResult {
  readonly hotkey: string;
  readonly assigned: Measured;
  readonly random: Measured;
  /** LossScores: nats a token gained. */
  readonly scores: { readonly assigned: number; readonly random: number };
}

export interface EvaluationInput {
  readonly open: Pick<OpenWindow, 'window'>;
  /** Those of the drawn peers that delivered something valid, in the order drawn. */
  readonly drawn: readonly {
    readonly hotkey: string;
    readonly contribution: ValidContribution;
  }[];
  /** 32 bytes in hex. */
  readonly beacon: string;
  /** What the scheme clips this window's contributions to; null where it clips none. */
  readonly clipNorms: readonly number[] | null;
  /** A drawn peer's contribution, in bytes that may be given away. */
  readonly read: (hotkey: string) => Promise<SignedBytes>;
  /** Evaluations worth having under way at once. */
  readonly lanes: number;
  /** Whether there is time to begin another one. */
  readonly mayBegin: () => boolean;
}

type EvaluationContext = Pick<RunContext, 'scheme' | 'manifest' | 'pages'>;

/** The window's random pages: none that a drawn peer was assigned, unless the run has no others. */
function windowRandomPages({ manifest, pages }: EvaluationContext, { beacon, drawn }: EvaluationInput): number[] {
  const assigned = new Set(drawn.flatMap(({ contribution }) => contribution.assignedPages));
  const count = manifest.gauntlet.evaluationPages;
  const others = randomPages(beacon, pages.train, count, assigned);
  return others.length > 0 ? others : randomPages(beacon, pages.train, Math.min(count, pages.train), new Set());
}

/**
 * LossScore of drawn contributions (Gauntlet, arXiv 2505.21684): L(θ) - L(θ - c·step) on pages of its own assignment
 * and on the window's random pages. The meter measures θ_w. Evaluations begin in the order drawn, at least one and as
 * long as there is time; one that has begun is finished.
 *
 * @returns of those that were begun, a beginning of `drawn`
 */
export async function evaluateContributions(
  context: EvaluationContext,
  meter: LossMeter,
  input: EvaluationInput,
): Promise<LossResult[]> {
  const { scheme, manifest } = context;
  const { open, drawn, beacon, clipNorms, read, lanes, mayBegin } = input;
  if (drawn.length === 0) return [];
  const { evaluationStepScale, evaluationPages: pageCount } = manifest.gauntlet;
  // Steps are published in fp32, so this one is an fp32 value too.
  const stepSize = Math.fround(evaluationStepScale * scheme.learningRate(open.window));
  const randomSet = windowRandomPages(context, input);
  const [randomBefore] = (await meter.on([randomSet])) as [number];

  const attempts = await inLanes([...drawn.entries()], lanes, async ([i, { hotkey, contribution }]) => {
    if (i > 0 && !mayBegin()) return null;
    const ownSet = evaluationPages(beacon, hotkey, contribution.trainedPages, pageCount);
    const [ownBefore] = (await meter.on([ownSet])) as [number];
    const trial = { contribution: await read(hotkey), stepSize, clipNorms };
    const [ownAfter, randomAfter] = (await meter.on([ownSet, randomSet], trial)) as [number, number];
    const assigned = { pages: ownSet, before: ownBefore, after: ownAfter };
    const random = { pages: randomSet, before: randomBefore, after: randomAfter };
    return {
      hotkey,
      assigned,
      random,
      scores: { assigned: assigned.before - assigned.after, random: random.before - random.after },
    };
  });
  const end = attempts.indexOf(null);
  return attempts.slice(0, end < 0 ? undefined : end).filter((attempt) => attempt !== null);
}
