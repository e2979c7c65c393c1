/** Text as a model goes on with it: tokens drawn one by one from what it predicts. */
import { createRandom, seedFrom } from '../../core/numerics/prng.ts';
import type { Decoder } from './decoder.ts';

export interface GenerateOptions {
  /** Token ids; an empty one begins with `endToken`. */
  readonly prompt: readonly number[];
  /** Tokens at most. */
  readonly maxTokens: number;
  /** 0 takes the likeliest token; 1 draws as the model predicts; above, more boldly. */
  readonly temperature: number;
  /** Tokens to draw from: the likeliest ones. */
  readonly topK: number;
  /** The same seed draws the same tokens. */
  readonly seed: string;
  /** Tokens of the model's context. */
  readonly contextLength: number;
  /** Ends the text, and begins one. */
  readonly endToken: number;
}

/** Where the `count` largest values are, largest first: of a few, faster than sorting a vocabulary. */
function largest(values: Float32Array, count: number): number[] {
  const found: number[] = [];
  for (let i = 0; i < values.length; i++) {
    if (found.length === count && values[i]! <= values[found[count - 1]!]!) continue;
    let at = found.length;
    while (at > 0 && values[found[at - 1]!]! < values[i]!) at--;
    found.splice(at, 0, i);
    found.length = Math.min(found.length, count);
  }
  return found;
}

/**
 * Draws a token.
 *
 * @param logits [vocabSize]
 * @param uniform in [0, 1)
 */
export function drawToken(
  logits: Float32Array,
  { temperature, topK }: Pick<GenerateOptions, 'temperature' | 'topK'>,
  uniform: number,
): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  if (temperature === 0 || topK === 1) return best;
  const likeliest = largest(logits, topK);
  const shares = likeliest.map((token) => Math.exp((logits[token]! - logits[best]!) / temperature));
  let left = uniform * shares.reduce((sum, share) => sum + share, 0);
  for (const [i, share] of shares.entries()) {
    left -= share;
    if (left < 0) return likeliest[i]!;
  }
  return likeliest.at(-1)!;
}

/**
 * The tokens that follow a prompt, each when it is asked for. When the context is full, its newer half is read again and
 * the text goes on from there.
 */
export function* generate(decoder: Decoder, options: GenerateOptions): Generator<number, void, undefined> {
  const { prompt, maxTokens, contextLength, endToken, seed } = options;
  const random = createRandom(seedFrom('generate', seed));
  // Room for at least one token to be drawn after it.
  const text = (prompt.length > 0 ? [...prompt] : [endToken]).slice(-Math.max(1, contextLength - 1));
  const read = (tokens: readonly number[]): Float32Array => {
    let logits = new Float32Array(0);
    for (const token of tokens) logits = decoder.take(token);
    return logits;
  };
  decoder.reset();
  let logits = read(text);
  for (let drawn = 0; drawn < maxTokens; drawn++) {
    const token = drawToken(logits, options, random.uniform());
    if (token === endToken) return;
    yield token;
    text.push(token);
    if (decoder.length === contextLength) {
      decoder.reset();
      logits = read(text.slice(-Math.ceil(contextLength / 2)));
    } else logits = read([token]);
  }
}
