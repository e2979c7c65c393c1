/**
 * Sample completions: what the model goes on with after the same prompts, so that people see it learn. Asked between two
 * judgements, of the judge's engine and off this thread; nothing of a run depends on it.
 */
import { loadTokenizer } from '../../core/data/tokenizer.ts';
import type { ByteLevelBpe } from '../../core/data/bpe.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import type { RoundsPorts, RunContext } from './context.ts';
import type { JudgeEngine, ModelState } from './ports.ts';

/** Beginnings that prose of any age and kind goes on from. */
const PROMPTS = ['The', 'When the morning came,', 'It is the duty of'] as const;
const MAX_TOKENS = 48;
/** Below this a completion shows nothing. */
const MIN_TOKENS = 12;
/** Parameters times tokens: seconds of one core. */
const BUDGET = 5e9;
/** A sample a window at first, when each shows something new, then ever further apart: a hundred in a million windows. */
const GROWTH = 1.12;

/** @param last window of the newest sample, undefined without any */
export function sampleIsDue(window: number, last: number | undefined): boolean {
  return last === undefined || window >= Math.max(last + 1, Math.floor(last * GROWTH));
}

/** Tokens of a completion that leave the judge free again soon; 0 for a model too large to be asked at all. */
export function sampleTokens(parameters: number): number {
  const tokens = Math.min(MAX_TOKENS, Math.floor(BUDGET / PROMPTS.length / parameters));
  return tokens < MIN_TOKENS ? 0 : tokens;
}

export interface Sampler {
  /** Begins a sample of the model that the open window trains from, if one is due. */
  consider(model: ModelState & { readonly window: number }): void;
  /** Resolves when the engine is free again. */
  settled(): Promise<void>;
}

export function createSampler(
  { run, manifest }: RunContext,
  { store, blobs, log }: Pick<RoundsPorts, 'store' | 'blobs' | 'log'>,
  { engine }: { readonly engine: () => JudgeEngine },
): Sampler {
  const tokens = sampleTokens(parameterLayout(manifest.model).total);
  let tokenizer: ByteLevelBpe | undefined;
  let last: number | undefined;
  let work = Promise.resolve();

  async function readTokenizer(): Promise<ByteLevelBpe> {
    const bytes = await blobs.read(manifest.tokenizer.sha256);
    if (!bytes) throw new Error('the tokenizer is missing');
    return loadTokenizer(JSON.parse(new TextDecoder().decode(bytes)));
  }

  async function sample({ window, root, parameters }: ModelState & { readonly window: number }): Promise<void> {
    last ??= (await store.samples(1))[0]?.window;
    if (!sampleIsDue(window, last)) return;
    tokenizer ??= await readTokenizer();
    const bpe = tokenizer;
    await engine().use({ root, parameters });
    const drawn = await engine().complete(
      PROMPTS.map((prompt) => bpe.encode(prompt)),
      tokens,
    );
    const completions = PROMPTS.map((prompt, i) => ({ prompt, text: bpe.decode(drawn[i]!) }));
    await store.addSample({ window, completions });
    last = window;
  }

  return {
    consider(model) {
      if (tokens === 0) return;
      work = work
        .then(() => sample(model))
        .catch((error: unknown) => {
          // Such as a tokenizer of another kind: it will fail the same way next time, and be said once a window.
          log.warn({ run, window: model.window, err: error }, 'no sample of the model was taken');
        });
    },
    settled: () => work,
  };
}
