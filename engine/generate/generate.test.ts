import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { referenceLogits } from '../graph/reference.ts';
import { tinyConfig, tinyParameters } from '../testing/tiny-model.ts';
import { createDecoder } from './decoder.ts';
import { drawToken, generate, type GenerateOptions } from './generate.ts';

const config = tinyConfig(true);
const parameters = tinyParameters(config);
const decoder = createDecoder(config, parameters);
const GREEDY: GenerateOptions = {
  prompt: [3, 1, 4],
  maxTokens: 20,
  temperature: 0,
  topK: 40,
  seed: 'a',
  contextLength: config.contextLength,
  // None of the vocabulary: the text goes on.
  endToken: -1,
};

describe('generate', () => {
  it('takes the likeliest token of the reference each time, reading the newer half again when the context is full', () => {
    const text = [...GREEDY.prompt];
    let read = [...text];
    const expected = Array.from({ length: GREEDY.maxTokens }, () => {
      const logits = referenceLogits(config, Float64Array.from(parameters), read).at(-1)!;
      const token = logits.indexOf(Math.max(...logits));
      text.push(token);
      read = read.length === config.contextLength ? text.slice(-config.contextLength / 2) : [...read, token];
      return token;
    });
    expect([...generate(decoder, GREEDY)]).toEqual(expected);
  });

  it('draws the same tokens from the same seed and others from another, none outside the vocabulary', () => {
    const drawn = (seed: string): number[] => [...generate(decoder, { ...GREEDY, temperature: 1, seed })];
    expect(drawn('a')).toEqual(drawn('a'));
    expect(drawn('a')).not.toEqual(drawn('b'));
    for (const token of drawn('c')) expect(token).toBeLessThan(config.vocabSize);
  });

  it('ends at the end token, which is not part of the text, and begins with it when there is no prompt', () => {
    const whole = [...generate(decoder, GREEDY)];
    const end = whole[7]!;
    expect([...generate(decoder, { ...GREEDY, endToken: end })]).toEqual(whole.slice(0, whole.indexOf(end)));
    const fromNothing = { ...GREEDY, prompt: [], maxTokens: 1, endToken: 5 };
    const logits = referenceLogits(config, Float64Array.from(parameters), [5])[0]!;
    const likeliest = logits.indexOf(Math.max(...logits));
    expect([...generate(decoder, fromNothing)]).toEqual(likeliest === 5 ? [] : [likeliest]);
  });

  it('goes on from the end of a prompt longer than the context', () => {
    const prompt = Array.from({ length: 50 }, (_, i) => i % config.vocabSize);
    expect([...generate(decoder, { ...GREEDY, prompt })]).toEqual([
      ...generate(decoder, { ...GREEDY, prompt: prompt.slice(-config.contextLength + 1) }),
    ]);
  });
});

describe('drawToken', () => {
  const logit = fc.double({ min: -20, max: 20, noNaN: true });

  it('draws one of the likeliest only, and each as often as the softmax says', () => {
    fc.assert(
      fc.property(
        fc.array(logit, { minLength: 1, maxLength: 30 }).map((values) => Float32Array.from(values)),
        fc.integer({ min: 1, max: 8 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (logits, topK, uniform) => {
          const sorted = [...logits].sort((a, b) => b - a);
          const token = drawToken(logits, { temperature: 0.8, topK }, uniform);
          expect(logits[token]).toBeGreaterThanOrEqual(sorted[Math.min(topK, sorted.length) - 1]!);
        },
      ),
    );
    const logits = Float32Array.from([1, 3, 2, -5].map(Math.log1p).map((value) => (Number.isNaN(value) ? -9 : value)));
    const counts = [0, 0, 0, 0];
    const draws = 10_000;
    for (let i = 0; i < draws; i++) counts[drawToken(logits, { temperature: 1, topK: 3 }, i / draws)]!++;
    // exp(log1p(x)) = x + 1: shares of 2, 4 and 3.
    expect(counts.map((count) => count / draws)).toEqual(
      [2 / 9, 4 / 9, 3 / 9, 0].map((share) => expect.closeTo(share, 3) as number),
    );
  });
});
