import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModelConfig } from '../../core/model/config.ts';
import { referenceLogits } from '../graph/reference.ts';
import { tinyConfig, tinyParameters } from '../testing/tiny-model.ts';
import { createDecoder } from './decoder.ts';

const CONFIGS: readonly [string, ModelConfig][] = [
  ['grouped queries, tied', tinyConfig(true)],
  ['grouped queries, untied', tinyConfig(false)],
  ['a head of its own for each query', { ...tinyConfig(true), numKvHeads: 4 }],
  ['one head for all queries, odd sizes', { ...tinyConfig(false), numKvHeads: 1, hiddenSize: 13, intermediateSize: 7 }],
];

describe.each(CONFIGS)('a decoder of a model with %s', (_, config) => {
  const parameters = tinyParameters(config);
  const decoder = createDecoder(config, parameters);

  it('predicts what the reference predicts, whatever the tokens', () => {
    const token = fc.nat(config.vocabSize - 1);
    fc.assert(
      fc.property(fc.array(token, { minLength: 1, maxLength: config.contextLength }), (tokens) => {
        decoder.reset();
        const expected = referenceLogits(config, Float64Array.from(parameters), tokens);
        for (const [t, token] of tokens.entries()) {
          const logits = decoder.take(token);
          for (const [i, value] of logits.entries()) expect(Math.abs(value - expected[t]![i]!)).toBeLessThan(1e-4);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('refuses a token that is none, one too many, and parameters of another model', () => {
    decoder.reset();
    for (const bad of [-1, 0.5, config.vocabSize, NaN]) expect(() => decoder.take(bad)).toThrow(RangeError);
    expect(decoder.length).toBe(0);
    for (let t = 0; t < config.contextLength; t++) decoder.take(t);
    expect(() => decoder.take(0)).toThrow(`the context of ${config.contextLength} tokens is full`);
    expect(() => createDecoder(config, parameters.subarray(1))).toThrow('parameters, not');
  });
});
