/** A judge engine in this thread: what the threads of a validator run, and whole experiments in one process. */
import { END_OF_TEXT_ID } from '../../core/data/bpe.ts';
import { pageBatch, pageFormat } from '../../core/data/pages.ts';
import { createOverlapSearcher, type OverlapSearch, type OverlapSearcher } from '../../core/gauntlet/overlap-search.ts';
import { pairOverlaps } from '../../core/gauntlet/overlap.ts';
import type { Digest } from '../../core/lockstep/digest.ts';
import { applyOuterStep } from '../../core/lockstep/outer-step.ts';
import { stateRoot } from '../../core/lockstep/state-root.ts';
import type { ModelConfig } from '../../core/model/config.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import { createScheme } from '../../core/scheme/create-scheme.ts';
import type { OuterStep, SparseDelta } from '../../core/scheme/scheme.ts';
import { contributionBody } from '../../core/wire/contribution.ts';
import type { LossSum } from '../../engine/engine.ts';
import { createDecoder } from '../../engine/generate/decoder.ts';
import { generate } from '../../engine/generate/generate.ts';
import type { HostEvaluator } from '../../engine/host-engine.ts';
import { decodeUpload } from './inspect.ts';
import type { JudgedRun, JudgeEngine, ModelState, SignedBytes } from './ports.ts';
import { withTrialStep } from './trial-step.ts';

/** Bold enough not to repeat itself, as a small model does when it always says what is likeliest. */
const DRAWING = { temperature: 0.8, topK: 40, seed: 'sample' };

export interface LocalJudgeParts {
  /** Called once, when θ is first needed. @param options batches of one page */
  readonly createEvaluator: (options: { config: ModelConfig; sequences: number }) => Promise<HostEvaluator>;
  readonly digest: Digest;
}

export interface LocalJudgeEngine extends JudgeEngine {
  /** Takes a window's outer step that another engine made. @param root of the parameters it leads to */
  follow(window: number, step: Uint8Array, root: string): Promise<void>;
}

/**
 * A page is a batch: larger ones are no faster on a processor, and each page's loss is then the same bits whatever it
 * is measured together with (docs/measurements/validator.md).
 */
export function createLocalJudgeEngine({ run, manifest }: JudgedRun, parts: LocalJudgeParts): LocalJudgeEngine {
  const { model: config, data, checkpoint } = manifest;
  const scheme = createScheme(manifest.scheme, parameterLayout(config));
  const format = pageFormat(manifest);
  let compiled: Promise<HostEvaluator> | undefined;
  let held: ModelState | undefined;

  const evaluator = (): Promise<HostEvaluator> =>
    (compiled ??= parts.createEvaluator({ config, sequences: data.pageSequences }));

  const deltaOf = (contribution: SignedBytes): SparseDelta => decodeUpload({ scheme }, contribution).delta;

  /** Of one that `inspect` found whole: its signature is not looked at again, which takes longer than all else of it. */
  const inspectedDelta = ({ bytes }: SignedBytes): SparseDelta =>
    scheme.decodeBody(contributionBody(bytes, scheme.bodyBytes));

  const searcherOf = (search: OverlapSearch): OverlapSearcher =>
    createOverlapSearcher(search, manifest.scheme, scheme.layout);

  function holding(): ModelState {
    if (!held) throw new Error('the judge engine was given no parameters');
    return held;
  }

  async function use(state: ModelState): Promise<void> {
    if (held?.root === state.root) return;
    await (await evaluator()).setParameters(state.parameters);
    held = state;
  }

  /** θ after a step; the old vector stays as it is for whoever else has it. */
  function stepped(step: OuterStep): Float32Array<ArrayBuffer> {
    const next = holding().parameters.slice();
    applyOuterStep(next, step);
    return next;
  }

  return {
    lanes: 1,
    // eslint-disable-next-line @typescript-eslint/require-await -- what is thrown must become a rejection
    async inspect(contribution) {
      return decodeUpload({ scheme }, contribution).header;
    },
    use,
    async losses(pages, trial) {
      const { parameters: base } = holding();
      const engine = await evaluator();
      async function measure(): Promise<LossSum[]> {
        const sums: LossSum[] = [];
        for (const page of pages) sums.push(await engine.loss(pageBatch(page, format)));
        return sums;
      }
      if (!trial) return measure();
      const step = scheme.outerStep([deltaOf(trial.contribution)], trial.stepSize, trial.clipNorms);
      return withTrialStep({ live: engine.parameters, base }, step, measure);
    },
    // eslint-disable-next-line @typescript-eslint/require-await -- as above
    async measure(contribution, search) {
      const delta = inspectedDelta(contribution);
      // Of one message the median is its own.
      return { norms: scheme.medianNorms([delta]), sketch: search && searcherOf(search).sketch(delta) };
    },
    // eslint-disable-next-line @typescript-eslint/require-await -- as above
    async suspects(sketches, search) {
      return searcherOf(search).likely(sketches);
    },
    // eslint-disable-next-line @typescript-eslint/require-await -- as above
    async overlaps(contributions, pairs) {
      return pairOverlaps(contributions.map(inspectedDelta), pairs, manifest.scheme, scheme.layout);
    },
    // eslint-disable-next-line @typescript-eslint/require-await -- as above
    async complete(prompts, maxTokens) {
      const decoder = createDecoder(config, holding().parameters);
      const { contextLength } = config;
      const drawn = { ...DRAWING, maxTokens, contextLength, endToken: END_OF_TEXT_ID };
      return prompts.map((prompt) => [...generate(decoder, { ...drawn, prompt })]);
    },
    async advance(window, contributions) {
      const learningRate = scheme.learningRate(window);
      const step = scheme.outerStep(contributions.map(deltaOf), learningRate);
      const parameters = stepped(step);
      const { root } = await stateRoot(parameters, checkpoint.chunkBytes, parts.digest);
      const state = { root, parameters };
      await use(state);
      return { step: scheme.encodeStep(step, { run, window }), state };
    },
    async follow(window, step, root) {
      await use({ root, parameters: stepped(scheme.decodeStep(step, { run, window })) });
    },
    async dispose() {
      await (await compiled)?.dispose();
    },
  };
}
