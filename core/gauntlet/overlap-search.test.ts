import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom, seedFrom, type Random } from '../numerics/prng.ts';
import { copies } from './copies.ts';
import { createOverlapSearcher } from './overlap-search.ts';
import { indexOverlaps, pairOverlaps } from './overlap.ts';

const shape = { chunk: 4, topK: 4 };
const LENGTH = 16;

function layoutOf(...shapes: number[][]) {
  let total = 0;
  const parameters = shapes.map((dimensions, i) => {
    const size = dimensions.reduce((a, b) => a * b);
    total += size;
    return { name: `t${i}`, shape: dimensions, offset: total - size, size };
  });
  return { parameters, total };
}

/** Chunks of 4 x 4 of which 4 are kept, 4 of 2 x 4, and a vector that is sent whole. */
const small = layoutOf([8, 8], [2, 16], [4]);
/** 2,100 chunks of 16, in tensors of very different size. */
const large = layoutOf([128, 256], [16, 16], [32, 6]);

type Delta = Parameters<typeof indexOverlaps>[0][number];
type Layout = typeof small;

const chunksOf = ({ parameters }: Layout): { count: number; length: number }[] =>
  parameters.map(({ shape: dimensions, size }) => {
    const edge = (n: number): number => [4, 3, 2, 1].find((divisor) => n % divisor === 0)!;
    const length = dimensions.length === 1 ? edge(size) : edge(dimensions[0]!) * edge(dimensions[1]!);
    return { count: size / length, length };
  });

/** Takes chunks from `original` with a probability, draws the others, and leaves some silent. */
function draw(random: Random, layout: Layout, original?: Delta, copied = 0, silent = 0): Delta {
  return {
    tensors: chunksOf(layout).map(({ count, length }, tensor) => {
      const indices: number[] = [];
      const values: number[] = [];
      for (let chunk = 0; chunk < count; chunk++) {
        const kept = Math.min(4, length);
        const isCopy = original !== undefined && random.uniform() < copied;
        indices.push(
          ...(isCopy
            ? original.tensors[tensor]!.indices.subarray(chunk * kept, (chunk + 1) * kept)
            : random.sample(length, kept).sort((a, b) => a - b)),
        );
        values.push(...new Array<number>(kept).fill(random.uniform() < silent ? 0 : 1));
      }
      return { indices: Uint16Array.from(indices), values: Float32Array.from(values) };
    }),
  };
}

/** Some originals, and for each as many copies as wanted. */
function crowd(seed: number, layout: Layout, shares: readonly number[]): Delta[] {
  const random = createRandom(seedFrom('crowd', seed));
  const deltas: Delta[] = [draw(random, layout), draw(random, layout)];
  for (const share of shares) {
    deltas.push(draw(random, layout, deltas[random.below(deltas.length)], share, random.below(4) === 0 ? 0.3 : 0));
  }
  return random.shuffle(deltas);
}

const arrivalsOf = (deltas: readonly Delta[]) => deltas.map((_, i) => ({ hotkey: `p${i}`, arrivedAt: i % 3 }));

/** As the reference has it: everybody against everybody. */
function slowCopies(deltas: readonly Delta[], layout: Layout, least: number) {
  const matrix = indexOverlaps(deltas, shape, layout);
  const all = deltas.flatMap((_, i) => matrix[i]!.slice(0, i).map((share, j) => ({ pair: [i, j] as const, share })));
  return copies(arrivalsOf(deltas), all, least);
}

function quickCopies(deltas: readonly Delta[], layout: Layout, least: number, beacon = seedFrom('beacon')) {
  const searcher = createOverlapSearcher({ beacon, least }, shape, layout);
  const pairs = searcher.likely(deltas.map((delta) => searcher.sketch(delta)));
  const shares = pairOverlaps(deltas, pairs, shape, layout);
  return {
    pairs,
    copied: copies(
      arrivalsOf(deltas),
      pairs.map((pair, i) => ({ pair, share: shares[i]! })),
      least,
    ),
  };
}

const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 });

describe('pairOverlaps', () => {
  it('is the reference to the bit', () => {
    fc.assert(
      fc.property(fc.nat(), shares, (seed, copied) => {
        const deltas = crowd(seed, small, copied);
        const pairs = deltas.flatMap((_, i) => [...deltas.keys()].slice(0, i).map((j) => [i, j] as const));
        const matrix = indexOverlaps(deltas, shape, small);
        expect(pairOverlaps(deltas, pairs, shape, small)).toEqual(pairs.map(([i, j]) => matrix[i]![j]));
      }),
    );
  });
});

describe('the search for copies', () => {
  it('finds what the reference finds in a model that is looked at as a whole', () => {
    fc.assert(
      fc.property(fc.nat(), shares, fc.double({ min: 0, max: 1, noNaN: true }), (seed, copied, least) => {
        const deltas = crowd(seed, small, copied);
        const quick = quickCopies(deltas, small, least);
        expect(quick.copied).toEqual(slowCopies(deltas, small, least));
        const matrix = indexOverlaps(deltas, shape, small);
        for (const [i, j] of quick.pairs) expect(matrix[i]![j]).toBeGreaterThan(least - 5e-3);
      }),
    );
  });

  it('finds what the reference finds from a part of a large model, wherever the copy is', () => {
    fc.assert(
      fc.property(fc.nat(), shares, (seed, copied) => {
        const deltas = crowd(seed, large, copied);
        expect(quickCopies(deltas, large, 0.4, seedFrom('beacon', seed)).copied).toEqual(
          slowCopies(deltas, large, 0.4),
        );
      }),
      { numRuns: 30 },
    );
  });

  it('looks at 519 chunks in proportion to their size, others with another beacon, and passes honest pairs over', () => {
    const random = createRandom(seedFrom('honest'));
    // Of 4 in 16, by chance one is in common: a quarter, above half of what counts, so here as much as 0.6 has to.
    const deltas = Array.from({ length: 12 }, () => draw(random, large));
    const searcher = (beacon: string, least = 0.6) =>
      createOverlapSearcher({ beacon: seedFrom(beacon), least }, shape, large);
    const sketches = deltas.map((delta) => searcher('a').sketch(delta));
    expect(sketches[0]).toHaveLength(Math.ceil((2 * Math.log(1e18)) / 0.36) * 4);
    expect(searcher('a', 0.4).sketch(deltas[0]!)).toHaveLength(519 * 4);
    expect(searcher('b').sketch(deltas[0]!)).not.toEqual(sketches[0]);
    expect(searcher('a').sketch(deltas[0]!)).toEqual(sketches[0]);
    expect(searcher('a').likely(sketches)).toEqual([]);
    // A marked chunk in sixteen: how often it is drawn follows its tensor's share of the model.
    const marked: Delta = {
      tensors: chunksOf(large).map(({ count, length }) => ({
        indices: Uint16Array.from({ length: count * Math.min(4, length) }, (_, i) => i % 4),
        values: Float32Array.from({ length: count * Math.min(4, length) }, (_, i) =>
          Math.floor(i / 4) % LENGTH ? 0 : 1,
        ),
      })),
    };
    const loud = [...searcher('a', 0.1).sketch(marked)];
    expect(loud.length).toBe(chunksOf(large).reduce((sum, { count }) => sum + 4 * count, 0));
    const drawn = [...searcher('a').sketch(marked)].filter((index) => index !== 0xffff).length / 4;
    expect(drawn).toBeGreaterThan(231 / 16 / 3);
    expect(drawn).toBeLessThan((231 / 16) * 3);
  });

  it('holds nothing against silence', () => {
    const random = createRandom(seedFrom('silent'));
    const original = draw(random, small);
    const silent = draw(random, small, original, 1, 1);
    expect(quickCopies([original, silent, silent], small, 0.4)).toEqual({ pairs: [], copied: new Map() });
    expect(quickCopies([original, original], small, 0.4).pairs).toEqual([[1, 0]]);
  });
});
