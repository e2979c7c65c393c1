import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadContext, type RunContext } from '../rounds/context.ts';
import { loadParameters } from '../rounds/parameters.ts';
import type { JudgeEngine, ModelState } from '../rounds/ports.ts';
import { explain } from '../commands/failures.ts';
import { proveProvider, ProviderError } from './evaluator.ts';
import { createJudgePool } from './judge-pool.ts';
import { createTestRun, FakeClock, openTestRun, sharedEngine, type OpenTestRun } from './testing/test-run.ts';

describe('a provider that is no processor', () => {
  let dir: string;
  let run: OpenTestRun;
  let context: RunContext;
  let model: ModelState;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'provider-'));
    await createTestRun(dir);
    run = await openTestRun(dir, new FakeClock());
    context = await loadContext(run.folder);
    const { stateRoot: root } = await run.folder.store.openWindow();
    model = { root, parameters: await loadParameters(context, run.folder, root) };
  });
  afterAll(async () => {
    await run.close();
    await rm(dir, { recursive: true });
  });

  const proven = (measured: JudgeEngine): Promise<void> =>
    proveProvider(context, run.folder, { provider: 'cuda', model, measured, processor: sharedEngine(context) });

  /** The processor, whose losses are so many times as large. */
  function off(factor: number): JudgeEngine {
    const engine = sharedEngine(context);
    return {
      ...engine,
      losses: async (...args) => (await engine.losses(...args)).map(({ sum, count }) => ({ sum: sum * factor, count })),
    };
  }

  it('is used when it measures what a processor does, to what an audit allows for', async () => {
    await proven(off(1));
    await proven(off(1 + 5e-6));
  });

  it('is not when it measures something else, or nothing', async () => {
    await expect(proven(off(1 + 3e-5))).rejects.toThrow(/further apart than an audit allows for/);
    await expect(proven(off(1 - 3e-5))).rejects.toThrow(ProviderError);
    await expect(proven(off(Number.NaN))).rejects.toThrow(ProviderError);
  });

  it('is a sentence where it is not there', async () => {
    const absent = createJudgePool(context, { lanes: 1, intraOpThreads: 1, provider: 'cuda' });
    const refused: unknown = await proven(absent).catch((error: unknown) => error);
    await absent.dispose();
    const sentence = explain(refused);
    expect(sentence).toMatch(
      /^onnxruntime cannot compute on cuda here: .* It wants CUDA 12 .* --provider cpu needs nothing\.$/,
    );
    expect(sentence).not.toMatch(/\n/);
  });
});
