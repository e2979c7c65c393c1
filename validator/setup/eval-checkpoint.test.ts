import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IGNORED_TARGET, type Batch } from '../../core/data/batch.ts';
import { initialParameters } from '../../core/model/initialise.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import { PRESETS } from '../../core/model/presets.ts';
import type { EngineOptions, Evaluator } from '../../engine/engine.ts';
import { createNodeEvaluator } from '../../engine/node.ts';
import { exportCheckpointDir } from './checkpoint-files.ts';
import { evaluateCheckpoint, EvaluationError, parseTokens } from './eval-checkpoint.ts';

const { model } = PRESETS.micro;

/** A model whose loss of a token is its id: shows which tokens are predicted, and how often. */
function recordingEvaluator(seen: Batch[]): (options: EngineOptions) => Promise<Evaluator> {
  return ({ sequences, length = 0 }) =>
    Promise.resolve({
      report: { backend: 'node', device: 'none', software: false, reasons: [] },
      sequences,
      length,
      setParameters: () => Promise.resolve(),
      readParameters: () => Promise.reject(new Error('not used')),
      applyStep: () => Promise.reject(new Error('not used')),
      loss: (batch) => {
        seen.push(batch);
        const predicted = batch.targets.filter((target) => target !== IGNORED_TARGET);
        return Promise.resolve({ sum: predicted.reduce((a, b) => a + b, 0), count: predicted.length });
      },
      dispose: () => Promise.resolve(),
    });
}

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'evaluate-'));
  await exportCheckpointDir(dir, model, initialParameters(model, new Uint8Array(32)), new TextEncoder().encode('{}'));
});
afterAll(() => rm(dir, { recursive: true }));

const evaluate = (tokens: number[] | string, seen: Batch[] = []): Promise<{ loss: number; tokens: number }> =>
  evaluateCheckpoint({ dir, tokens, createEvaluator: recordingEvaluator(seen), sequences: 2 });

describe('evaluateCheckpoint', () => {
  it('predicts each token but a sequence’s first, and a short last sequence from 2 tokens on', async () => {
    const lengths = fc.integer({ min: 2, max: 5 * 64 });
    await fc.assert(
      fc.asyncProperty(lengths, async (length) => {
        const ids = Array.from({ length }, (_, i) => i % 512);
        const predicted = ids.filter((_, i) => i % 64 !== 0);
        const { loss, tokens } = await evaluate(ids);
        expect(tokens).toBe(predicted.length);
        expect(loss).toBeCloseTo(predicted.reduce((a, b) => a + b, 0) / predicted.length, 9);
      }),
      { numRuns: 30 },
    );
  });

  it('compiles no more sequences than there are', async () => {
    const seen: Batch[] = [];
    await evaluate([1, 2, 3], seen);
    expect(seen.map(({ sequences, length }) => [sequences, length])).toEqual([[1, 64]]);
  });

  it('reads a file of tokens', async () => {
    const path = join(dir, 'tokens.txt');
    await writeFile(path, ' 5 7\n9\t11\n');
    expect(await evaluate(path)).toEqual({ loss: 9, tokens: 3 });
  });

  it.each<[string, number[], RegExp]>([
    ['no tokens', [], /at least 2 tokens/],
    ['one token', [1], /at least 2 tokens/],
    ['a token outside the vocabulary', [1, 512], /token 1 is 512, outside the vocabulary of 512/],
    ['a negative token', [1, -1], /outside the vocabulary/],
    ['half a token', [0.5, 1], /outside the vocabulary/],
  ])('refuses %s', async (_, tokens, message) => {
    await expect(evaluate(tokens)).rejects.toThrow(EvaluationError);
    await expect(evaluate(tokens)).rejects.toThrow(message);
  });

  it('refuses a file that is not there', async () => {
    await expect(evaluate(join(dir, 'missing.txt'))).rejects.toThrow(EvaluationError);
  });
});

describe('evaluateCheckpoint on the real engine', () => {
  const ids = Array.from({ length: 3 * 64 + 5 }, (_, i) => (i * 7919) % 512);

  it('is ln(vocabulary) nats for a model that knows nothing', async () => {
    const blank = join(dir, 'blank');
    const parameters = new Float32Array(parameterLayout(model).total);
    await exportCheckpointDir(blank, model, parameters, new TextEncoder().encode('{}'));
    const { loss, tokens } = await evaluateCheckpoint({
      dir: blank,
      tokens: ids,
      createEvaluator: createNodeEvaluator,
    });
    expect(loss).toBeCloseTo(Math.log(512), 5);
    expect(tokens).toBe(3 * 63 + 4);
  });

  it('does not depend on how many sequences are evaluated at once', async () => {
    const losses = await Promise.all(
      [1, 3, 8].map((sequences) =>
        evaluateCheckpoint({ dir, tokens: ids, createEvaluator: createNodeEvaluator, sequences }),
      ),
    );
    for (const { loss, tokens } of losses) {
      expect(loss).toBeCloseTo(losses[0]!.loss, 5);
      expect(tokens).toBe(losses[0]!.tokens);
    }
  });
});

describe('parseTokens', () => {
  it('reads ids back however they are spaced', () => {
    const space = fc.constantFrom(' ', '\n', '\t', '\r\n', '  ');
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), space)), (items) => {
        expect(parseTokens(items.map(([id, gap]) => `${id}${gap}`).join(''))).toEqual(items.map(([id]) => id));
      }),
    );
  });

  it.each(['1 -2', '1.5', '1e3', '0x10', '1,2', 'one', '99999999999999999999'])('refuses %s', (text) => {
    expect(() => parseTokens(text)).toThrow(EvaluationError);
  });
});
