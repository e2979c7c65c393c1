/**
 * A judge engine whose losses are measured by evaluators elsewhere, too. What none of them measures in time is measured
 * here: they make a judgement quicker, and cannot make it fail.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Digest } from '../../core/lockstep/digest.ts';
import type { LossSum } from '../../engine/engine.ts';
import type { JudgeEngine, Log, Trial } from './ports.ts';

/** A measurement, named by hashes: whoever makes it finds everything in the store. */
export interface LossJob {
  readonly run: string;
  /** Of θ. */
  readonly root: string;
  /** Blobs. */
  readonly pages: readonly string[];
  readonly trial:
    (Pick<Trial, 'stepSize' | 'clipNorms'> & { readonly contribution: string; readonly sessionKey: string }) | null;
}

export interface EvaluationJobs {
  /** Measurements worth asking for at once: as many as the evaluators that are there make. */
  lanes(): number;
  /** @returns a sum a page. @throws when nobody made it */
  request(job: LossJob): Promise<LossSum[]>;
}

/** @param run id. @param local is disposed of with it */
export function createSharedJudgeEngine(
  run: string,
  local: JudgeEngine,
  jobs: EvaluationJobs,
  { digest, log }: { readonly digest: Digest; readonly log: Log },
): JudgeEngine {
  let root: string | undefined;
  let asked = 0;

  const hashOf = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> => bytesToHex(await digest(bytes));

  async function jobOf(theta: string, pages: readonly Uint8Array<ArrayBuffer>[], trial?: Trial): Promise<LossJob> {
    const { contribution, stepSize, clipNorms } = trial ?? {};
    return {
      run,
      root: theta,
      pages: await Promise.all(pages.map(hashOf)),
      trial:
        contribution === undefined
          ? null
          : {
              contribution: await hashOf(contribution.bytes),
              sessionKey: contribution.sessionKey,
              stepSize: stepSize!,
              clipNorms: clipNorms ?? null,
            },
    };
  }

  return {
    get lanes() {
      return local.lanes + jobs.lanes();
    },
    inspect: (contribution) => local.inspect(contribution),
    async use(state) {
      await local.use(state);
      root = state.root;
    },
    async losses(pages, trial) {
      if (root === undefined || asked >= jobs.lanes()) return local.losses(pages, trial);
      asked++;
      try {
        return await jobs.request(await jobOf(root, pages, trial));
      } catch (error) {
        log.warn({ run, err: error }, 'no evaluator measured a loss; it is measured here');
      } finally {
        asked--;
      }
      return local.losses(pages, trial);
    },
    measure: (contribution, search) => local.measure(contribution, search),
    suspects: (sketches, search) => local.suspects(sketches, search),
    overlaps: (contributions, pairs) => local.overlaps(contributions, pairs),
    complete: (prompts, maxTokens) => local.complete(prompts, maxTokens),
    async advance(window, contributions) {
      const advance = await local.advance(window, contributions);
      // Nobody else can come to the new parameters before the window is published.
      root = undefined;
      return advance;
    },
    dispose: () => local.dispose(),
  };
}
