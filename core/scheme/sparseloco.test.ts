import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyOuterStep, restoreStep } from '../lockstep/outer-step.ts';
import type { ParameterLayout } from '../model/layout.ts';
import { REFERENCE_SPARSELOCO } from '../model/presets.ts';
import { chunkGrid, gatherChunk, scatterChunk } from '../numerics/chunks.ts';
import { createRandom, seedFrom } from '../numerics/prng.ts';
import { topK } from '../numerics/top-k.ts';
import type { SparseLocoParameters } from '../protocol/manifest.ts';
import { ProblemError, type ProblemKey } from '../protocol/problem.ts';
import type { SparseDelta } from './scheme.ts';
import { createSparseLoco } from './sparseloco.ts';
import { bodyLayout } from './sparseloco/body.ts';
import { AT_VECTORS } from './sparseloco/state.ts';

function layoutOf(...shapes: number[][]): ParameterLayout {
  let offset = 0;
  const parameters = shapes.map((shape, i) => {
    const spec = { name: `t${i}`, shape, offset, size: shape.reduce((a, b) => a * b, 1) };
    offset += spec.size;
    return spec;
  });
  return { parameters, total: offset };
}

/** Blocks of several shapes, runs of six that are sent whole, and a vector of prime length whose chunks have one element. */
const layout = layoutOf([12, 16], [6, 10], [24], [11]);
const parameters: SparseLocoParameters = {
  ...REFERENCE_SPARSELOCO,
  inner: { ...REFERENCE_SPARSELOCO.inner, learningRate: 0.01, warmupWindows: 2, cosineWindows: 10 },
  chunk: 8,
  topK: 8,
};
const scheme = createSparseLoco(parameters, layout);
const grids = layout.parameters.map((spec) => chunkGrid(spec, parameters.chunk, parameters.topK));
const about = { run: '0a'.repeat(16), window: 3 };
const ALPHA = scheme.learningRate(3);

const noise = (seed: string, size = 0.01): Float32Array<ArrayBuffer> => {
  const random = createRandom(seedFrom(seed));
  return Float32Array.from({ length: layout.total }, () => (random.uniform() * 2 - 1) * size);
};
const bodyOf = (delta: Float32Array): Uint8Array<ArrayBuffer> => scheme.createContributor().compress(delta, ALPHA);
const deltaOf = (delta: Float32Array): SparseDelta => scheme.decodeBody(bodyOf(delta));
const scaled = (delta: SparseDelta, factor: number): SparseDelta => ({
  ...delta,
  tensors: delta.tensors.map(({ indices, values }) => ({ indices, values: values.map((value) => value * factor) })),
});
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const feedbackOf = (state: Uint8Array): Float32Array =>
  new Float32Array(state.slice(AT_VECTORS + 8 * layout.total).buffer);

/** A message as a vector of the model's size. */
function denseOf(delta: SparseDelta): Float32Array {
  const dense = new Float32Array(layout.total);
  grids.forEach((grid, tensor) => {
    const { indices, values } = delta.tensors[tensor]!;
    const block = new Float32Array(grid.length);
    for (let chunk = 0; chunk < grid.count; chunk++) {
      block.fill(0);
      for (let i = chunk * grid.kept; i < (chunk + 1) * grid.kept; i++) block[indices[i]!] = values[i]!;
      scatterChunk(block, grid, chunk, dense);
    }
  });
  return dense;
}

/** What a step moves, as a vector of the model's size. */
function movedBy(step: ReturnType<typeof scheme.outerStep>): Float64Array {
  const moved = new Float64Array(layout.total);
  step.positions.forEach((at, i) => (moved[at] = step.values[i]!));
  return moved;
}

const tensorNorm = (vector: ArrayLike<number>, tensor: number): number => {
  const { offset, size } = layout.parameters[tensor]!;
  return Math.hypot(...Array.from(vector).slice(offset, offset + size));
};

describe('a body', () => {
  it('has the length that the model and the levels prescribe', () => {
    expect(grids.map(({ count, kept, length }) => [count, kept, length])).toEqual([
      [4, 8, 48],
      [2, 8, 30],
      [3, 8, 8],
      [11, 1, 1],
    ]);
    // Elias-Fano: 8 of 48 have 2 low bits each and 8 + 11 marks, 8 of 30 have 1 and 8 + 14.
    const indices = 4 * Math.ceil((16 + 19) / 8) + 2 * Math.ceil((8 + 22) / 8);
    for (const levels of [4, 16, 256] as const) {
      const bits = Math.log2(levels);
      const codes = [32, 16, 24, 11].map((count) => Math.ceil((count * bits) / 8)).reduce((a, b) => a + b);
      const { bodyBytes } = createSparseLoco({ ...parameters, levels }, layout);
      expect(bodyBytes).toBe(4 + 4 * levels + 4 * 20 + indices + codes);
    }
    expect(bodyOf(noise('length'))).toHaveLength(scheme.bodyBytes);
  });

  it.each([4, 16, 256] as const)(
    'of %d levels carries the largest values of every chunk with their signs',
    (levels) => {
      const wide = createSparseLoco({ ...parameters, levels }, layout);
      const work = noise('largest');
      const { tensors } = wide.decodeBody(wide.createContributor().compress(work, 1));
      let squares = 0;
      let errors = 0;
      grids.forEach((grid, tensor) => {
        const { indices, values } = tensors[tensor]!;
        const block = new Float32Array(grid.length);
        for (let chunk = 0; chunk < grid.count; chunk++) {
          gatherChunk(work, grid, chunk, block);
          const sent = indices.subarray(chunk * grid.kept, (chunk + 1) * grid.kept);
          expect(sent).toEqual(topK(block, grid.kept));
          sent.forEach((index, i) => {
            const value = values[chunk * grid.kept + i]!;
            expect(Math.sign(value)).toBe(Math.sign(block[index]!));
            squares += block[index]! ** 2;
            errors += (value - block[index]!) ** 2;
          });
        }
      });
      expect(Math.sqrt(errors / squares)).toBeLessThan({ 4: 0.4, 16: 0.12, 256: 0.01 }[levels]);
    },
  );

  it('of a chunk without work is silent, and that chunk stays where it is', () => {
    const work = noise('silent');
    const silent = new Float32Array(grids[0]!.length);
    scatterChunk(silent, grids[0]!, 1, work);
    const delta = deltaOf(work);
    expect([...delta.tensors[0]!.values.subarray(8, 16)]).toEqual(new Array(8).fill(0));
    expect([...delta.tensors[0]!.indices.subarray(8, 16)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    const moved = Float32Array.from(movedBy(scheme.outerStep([delta], ALPHA)));
    for (let chunk = 0; chunk < grids[0]!.count; chunk++) {
      const block = new Float32Array(grids[0]!.length);
      gatherChunk(moved, grids[0]!, chunk, block);
      expect(block.every((value) => value === 0)).toBe(chunk === 1);
    }
  });

  it('of no work at all, or too little for fp32, moves nothing', () => {
    for (const work of [new Float32Array(layout.total), new Float32Array(layout.total).fill(1e-42)]) {
      const step = scheme.outerStep([deltaOf(work)], ALPHA);
      expect(step.positions).toHaveLength(0);
      expect(scheme.decodeStep(scheme.encodeStep(step, about), about)).toEqual(step);
    }
  });
});

describe('a contributor', () => {
  it('feeds back what was not sent: what was sent plus what is left is what went in', () => {
    const lossless = createSparseLoco({ ...parameters, feedbackDecay: 1 }, layout);
    const contributor = lossless.createContributor();
    const input = new Float64Array(layout.total);
    const sent = new Float64Array(layout.total);
    for (let window = 1; window <= 12; window++) {
      const work = noise(`feedback ${window}`);
      const dense = denseOf(lossless.decodeBody(contributor.compress(work, ALPHA)));
      for (let i = 0; i < input.length; i++) {
        input[i]! += work[i]!;
        sent[i]! += dense[i]!;
      }
    }
    const left = feedbackOf(contributor.saveState());
    // Each window rounds twice, to 2^-24 of values below 0.1.
    for (let i = 0; i < input.length; i++) expect(Math.abs(sent[i]! + left[i]! - input[i]!)).toBeLessThan(1e-7);
  });

  it('lets what was not sent fade', () => {
    const contributor = scheme.createContributor();
    const work = noise('fading');
    const first = denseOf(scheme.decodeBody(contributor.compress(work, ALPHA)));
    const left = feedbackOf(contributor.saveState());
    left.forEach((value, i) => {
      expect(value).toBe(Math.fround(work[i]! - first[i]!));
    });
    const second = denseOf(scheme.decodeBody(contributor.compress(new Float32Array(layout.total), ALPHA)));
    feedbackOf(contributor.saveState()).forEach((value, i) => {
      expect(value).toBe(Math.fround(Math.fround(parameters.feedbackDecay * left[i]!) - second[i]!));
    });
  });

  it('takes a message back that was not delivered, once', () => {
    const contributor = scheme.createContributor();
    contributor.undo();
    const work = noise('undone');
    contributor.compress(work, ALPHA);
    for (let i = 0; i < 2; i++) {
      contributor.undo();
      feedbackOf(contributor.saveState()).forEach((value, at) => {
        expect(Math.abs(value - work[at]!)).toBeLessThan(2e-9);
      });
    }
  });

  it('leaves the state alone when the work is refused', () => {
    const contributor = scheme.createContributor();
    contributor.compress(noise('first'), ALPHA);
    const before = contributor.saveState();
    for (const bad of [Number.NaN, Infinity, -Infinity, 3e38]) {
      const work = noise('second');
      work[100] = bad;
      expect(() => contributor.compress(work, ALPHA)).toThrow(RangeError);
    }
    expect(() => contributor.compress(new Float32Array(3), ALPHA)).toThrow(RangeError);
    expect(contributor.saveState()).toEqual(before);
  });

  it('goes on from a saved state as if it had never stopped', () => {
    const first = scheme.createContributor();
    const theta = noise('theta', 1);
    first.localStep!(theta, noise('gradient'), 1);
    first.compress(noise('a'), ALPHA);
    const second = scheme.createContributor();
    second.loadState(first.saveState());
    const [here, there] = [theta.slice(), theta.slice()];
    first.localStep!(here, noise('next'), 2);
    second.localStep!(there, noise('next'), 2);
    expect(there).toEqual(here);
    expect(second.compress(noise('b'), ALPHA)).toEqual(first.compress(noise('b'), ALPHA));
    expect(second.saveState()).toEqual(first.saveState());
    expect(first.saveState()).toHaveLength(first.stateBytes);
  });

  it('refuses states that are none', () => {
    const contributor = scheme.createContributor();
    const state = contributor.saveState();
    const broken = (change: (bytes: DataView) => void): Uint8Array => {
      const bytes = state.slice();
      change(new DataView(bytes.buffer));
      return bytes;
    };
    const second = AT_VECTORS + 4 * layout.total;
    const states = [
      new Uint8Array(0),
      state.subarray(1),
      Uint8Array.of(...state, 0),
      broken((view) => view.setUint8(0, 0)),
      broken((view) => view.setUint32(4, 2, true)),
      broken((view) => view.setUint32(8, 1, true)),
      broken((view) => view.setFloat32(AT_VECTORS, Number.NaN, true)),
      broken((view) => view.setFloat32(second, -1, true)),
      broken((view) => view.setFloat32(second + 4 * layout.total, 1e29, true)),
    ];
    for (const bytes of states) {
      expect(() => {
        contributor.loadState(bytes);
      }).toThrow(RangeError);
    }
  });
});

describe('decodeBody', () => {
  const valid = bodyOf(noise('valid'));
  const { norms, tensors } = bodyLayout(grids, parameters.levels);
  const keyOf = (body: Uint8Array): ProblemKey | undefined => {
    try {
      const decoded = scheme.decodeBody(body);
      for (const { values } of decoded.tensors) expect(values.every(Number.isFinite)).toBe(true);
    } catch (error) {
      expect(error).toBeInstanceOf(ProblemError);
      return (error as ProblemError).key;
    }
    return undefined;
  };
  const changed = (change: (view: DataView) => void): Uint8Array => {
    const bytes = valid.slice();
    change(new DataView(bytes.buffer));
    return bytes;
  };
  const withFloat = (at: number, value: number): Uint8Array => changed((view) => view.setFloat32(at, value, true));

  it('refuses other lengths', () => {
    for (const body of [new Uint8Array(0), valid.subarray(1), Uint8Array.of(...valid, 0)]) {
      expect(keyOf(body)).toBe('malformed-contribution');
    }
  });

  it('refuses quantisers and norms that are not finite or of no sensible size', () => {
    for (const at of [0, 8, norms, norms + 4]) {
      for (const value of [Number.NaN, Infinity, -Infinity]) expect(keyOf(withFloat(at, value))).toBe('not-finite');
    }
    for (const scale of [0, 1e-13, 2e4, -0.5]) expect(keyOf(withFloat(0, scale))).toBe('malformed-contribution');
    for (const centre of [2.5, -3e38]) expect(keyOf(withFloat(4, centre))).toBe('malformed-contribution');
    for (const norm of [-0, -1, 1e31, 1e-39]) expect(keyOf(withFloat(norms, norm))).toBe('malformed-contribution');
  });

  it('refuses indices out of order or range, and padding', () => {
    const [first] = tensors;
    // Low bits of 0 for all: where two high parts are equal, the numbers do not ascend.
    expect(keyOf(changed((view) => view.setUint16(first!.indices, 0, true)))).toBe('malformed-contribution');
    // The last mark of 19 belongs to 11: 44 … 47 of 48.
    const marks = (view: DataView, bits: number): void => {
      view.setUint8(first!.indices + 2, bits & 255);
      view.setUint8(first!.indices + 3, (bits >> 8) & 255);
      view.setUint8(first!.indices + 4, bits >> 16);
    };
    expect(keyOf(changed((view) => marks(view, 0b111_1111)))).toBe('malformed-contribution');
    expect(keyOf(changed((view) => marks(view, 0b1_1111_1111)))).toBe('malformed-contribution');
    expect(keyOf(changed((view) => marks(view, (1 << 19) | 0b1111_1111)))).toBe('malformed-contribution');
    // 11 codes of 2 bits end in the middle of a byte.
    const { codes, codeBytes } = tensors[3]!;
    expect(keyOf(changed((view) => view.setUint8(codes + codeBytes - 1, 0xff)))).toBe('malformed-contribution');
  });

  it('refuses an index beyond the chunk', () => {
    // 8 of 49 in a chunk of 7 x 7: the last high part has room for 48 … 51.
    const odd = createSparseLoco(parameters, layoutOf([7, 7]));
    const body = odd.createContributor().compress(
      Float32Array.from({ length: 49 }, (_, i) => 1 + i),
      1,
    );
    const { indices } = bodyLayout([chunkGrid({ name: '', shape: [7, 7], offset: 0, size: 49 }, 8, 8)], 4).tensors[0]!;
    body[indices + 1]! |= 0b1000_0000;
    expect(() => odd.decodeBody(body)).toThrow(expect.objectContaining({ key: 'index-out-of-range' }));
  });

  it('refuses a silent chunk that says something', () => {
    const work = noise('quiet');
    scatterChunk(new Float32Array(grids[2]!.length), grids[2]!, 0, work);
    const quiet = bodyOf(work);
    expect(keyOf(quiet)).toBeUndefined();
    quiet[tensors[2]!.codes]! |= 1;
    expect(keyOf(quiet)).toBe('malformed-contribution');
    expect(keyOf(withFloat(norms, 0))).toBe('malformed-contribution');
  });

  it('throws nothing but problems, whatever the bytes, and what it accepts can be aggregated', () => {
    const tryStep = (body: Uint8Array): void => {
      if (keyOf(body) !== undefined) return;
      const step = scheme.outerStep([scheme.decodeBody(body)], ALPHA);
      expect(step.values.every(Number.isFinite)).toBe(true);
      expect(scheme.decodeStep(scheme.encodeStep(step, about), about)).toEqual(step);
    };
    fc.assert(fc.property(fc.uint8Array({ minLength: scheme.bodyBytes, maxLength: scheme.bodyBytes }), tryStep));
    const edit = fc.tuple(fc.nat(scheme.bodyBytes - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        tryStep(changed((view) => edits.forEach(([at, value]) => view.setUint8(at, value))));
      }),
      { numRuns: 500 },
    );
  });
});

describe('outerStep', () => {
  const deltas = ['p', 'q', 'r', 's'].map((seed, i) => deltaOf(noise(seed, 0.01 * (1 + i))));

  /** Written out with whole vectors. */
  function oracle(messages: readonly SparseDelta[], mean: SparseLocoParameters['mean']): Float64Array {
    const dense = messages.map(denseOf);
    const norms = grids.map((_, tensor) => dense.map((vector) => tensorNorm(vector, tensor)));
    const moved = new Float64Array(layout.total);
    layout.parameters.forEach(({ offset, size }, tensor) => {
      const median = [...norms[tensor]!].sort((a, b) => a - b)[Math.ceil(messages.length / 2) - 1]!;
      for (let at = offset; at < offset + size; at++) {
        let sum = 0;
        dense.forEach((vector, i) => (sum += Math.min(1, median / (norms[tensor]![i]! + 1e-8)) * vector[at]!));
        const senders = dense.filter((vector) => vector[at] !== 0).length;
        if (senders > 0) moved[at] = (ALPHA * sum) / (mean === 'senders' ? senders : messages.length);
      }
    });
    return moved;
  }

  it.each(['contributions', 'senders'] as const)('is the mean over %s, each clipped to the lower median', (mean) => {
    const other = createSparseLoco({ ...parameters, mean }, layout);
    for (const count of [1, 2, 3, 4]) {
      const step = other.outerStep(deltas.slice(0, count), ALPHA);
      const expected = oracle(deltas.slice(0, count), mean);
      movedBy(step).forEach((value, at) => {
        expect(Math.abs(value - expected[at]!)).toBeLessThan(1e-9);
      });
      expect(step.positions).toEqual(step.positions.toSorted());
      expect(new Set(step.positions).size).toBe(step.positions.length);
    }
  });

  it('says the norms that it clips to', () => {
    // The lower one of two: deltas grow.
    scheme.medianNorms(deltas.slice(0, 2)).forEach((norm, tensor) => {
      expect(norm).toBeCloseTo(tensorNorm(denseOf(deltas[0]!), tensor), 10);
    });
    expect(scheme.medianNorms([])).toEqual([]);
    expect(scheme.outerStep(deltas, ALPHA, scheme.medianNorms(deltas))).toEqual(scheme.outerStep(deltas, ALPHA));
  });

  it('depends on the order of messages only by the rounding of double sums', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(deltas, { minLength: deltas.length }), (shuffled) => {
        const [here, there] = [movedBy(scheme.outerStep(deltas, ALPHA)), movedBy(scheme.outerStep(shuffled, ALPHA))];
        // Four double sums that differ in the last bits round to the same or to neighbouring fp32 values.
        here.forEach((value, at) => {
          expect(Math.abs(value - there[at]!)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -23 + 1e-17);
        });
        expect(scheme.medianNorms(shuffled)).toEqual(scheme.medianNorms(deltas));
      }),
    );
  });

  it('gives a message of any size no more weight than the lower median of the norms with it', () => {
    const factor = fc.float({ min: Math.fround(1e-6), max: Math.fround(1e6), noNaN: true });
    fc.assert(
      fc.property(factor, fc.nat(2), (size, which) => {
        const honest = deltas.slice(0, 3);
        const messages = honest.map((delta, i) => (i === which ? scaled(delta, size) : delta));
        const others = honest.filter((_, i) => i !== which);
        const withIt = movedBy(scheme.outerStep(messages, ALPHA));
        grids.forEach((_, tensor) => {
          // Of three, the median is at most the louder of the other two: so much it adds at most, over three.
          const bound = Math.max(...others.map((delta) => tensorNorm(denseOf(delta), tensor)));
          const clip = scheme.medianNorms(messages)[tensor]!;
          expect(clip).toBeLessThanOrEqual(bound * (1 + 1e-9));
          const silenced = [...others, scaled(honest[which]!, 0)];
          const without = movedBy(scheme.outerStep(silenced, ALPHA, scheme.medianNorms(messages)));
          const added = withIt.map((value, at) => value - without[at]!);
          expect(tensorNorm(added, tensor)).toBeLessThanOrEqual((ALPHA * clip) / 3 + 1e-7);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('is the same for every message that is louder than the median already', () => {
    const loud = (factor: number): Float64Array =>
      movedBy(scheme.outerStep([...deltas.slice(0, 3), scaled(deltas[3]!, factor)], ALPHA));
    const once = loud(1);
    for (const factor of [2, 1e3, 1e9]) {
      // But for the 1e-8 that is added to its norm.
      loud(factor).forEach((value, at) => {
        expect(Math.abs(value - once[at]!)).toBeLessThan(1e-8);
      });
    }
  });

  it('of a trial is clipped to the norms given: a rescaled message gains nothing beyond them', () => {
    const norms = scheme.medianNorms(deltas);
    for (const factor of [1, 30, 1e6]) {
      const moved = movedBy(scheme.outerStep([scaled(deltas[3]!, factor)], 0.2 * ALPHA, norms));
      grids.forEach((_, tensor) => {
        expect(tensorNorm(moved, tensor) / (0.2 * ALPHA * norms[tensor]!)).toBeCloseTo(1, 5);
      });
    }
    // The quietest is as it is.
    const quiet = movedBy(scheme.outerStep([deltas[0]!], ALPHA, norms));
    denseOf(deltas[0]!).forEach((value, at) => {
      expect(quiet[at]).toBeCloseTo(ALPHA * value, 8);
    });
  });

  it('of no message moves nothing', () => {
    const before = noise('before');
    const after = before.slice();
    applyOuterStep(after, scheme.outerStep([], ALPHA));
    expect(after).toEqual(before);
  });

  it('can be taken back to the bit', () => {
    const base = noise('base', 1);
    const live = base.slice();
    const step = scheme.outerStep(deltas, ALPHA);
    applyOuterStep(live, step);
    expect(live).not.toEqual(base);
    restoreStep(live, base, step);
    expect(live).toEqual(base);
  });
});

describe('the bytes of a step', () => {
  const deltas = ['p', 'q', 'r'].map((seed) => deltaOf(noise(seed)));
  const step = scheme.outerStep(deltas, ALPHA);
  const bytes = scheme.encodeStep(step, about);
  const keyOf = (given: Uint8Array, where = about): ProblemKey | undefined => {
    try {
      scheme.decodeStep(given, where);
    } catch (error) {
      expect(error).toBeInstanceOf(ProblemError);
      return (error as ProblemError).key;
    }
    return undefined;
  };

  it('are a header and the bodies it is made of', () => {
    expect(bytes).toHaveLength(34 + 2 + 3 * scheme.bodyBytes);
    expect(bytes).toHaveLength(scheme.stepBytes(3));
    expect(Buffer.from(bytes.subarray(0, 4)).toString('latin1')).toBe('GNTP');
    expect(bytes.subarray(36, 36 + scheme.bodyBytes)).toEqual(deltas[0]!.body);
    expect(scheme.decodeStep(bytes, about)).toEqual(step);
  });

  it('are refused for another run, window, length or contribution that is none', () => {
    expect(keyOf(bytes, { ...about, run: '0b'.repeat(16) })).toBe('wrong-run');
    expect(keyOf(bytes, { ...about, window: 4 })).toBe('wrong-window');
    for (const wrong of [bytes.subarray(0, 35), bytes.subarray(1), bytes.subarray(0, -1), Uint8Array.of(...bytes, 0)]) {
      expect(keyOf(wrong)).toBe('malformed-request');
    }
    const count = bytes.slice();
    count[34] = 2;
    expect(keyOf(count)).toBe('malformed-request');
    const broken = bytes.slice();
    broken.fill(255, 36, 40);
    expect(keyOf(broken)).toBe('malformed-request');
  });

  it('throw nothing but problems', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(bytes.length), (tail, keep) => {
        keyOf(Uint8Array.of(...bytes.subarray(0, keep), ...tail));
      }),
    );
  });
});

describe('training', () => {
  it('brings three noisy peers towards the minimum of a quadratic', () => {
    const target = noise('target', 1);
    const theta = new Float32Array(layout.total);
    const peers = [0, 1, 2].map(() => scheme.createContributor());
    const error = (): number => theta.reduce((sum, value, i) => sum + (value - target[i]!) ** 2, 0) / layout.total;
    const start = error();
    for (let window = 1; window <= 60; window++) {
      const deltas = peers.map((peer, i) => {
        const local = theta.slice();
        for (let step = 0; step < 5; step++) {
          const disturbance = noise(`disturbance ${i} ${window} ${step}`, 0.5);
          peer.localStep!(
            local,
            local.map((value, j) => value - target[j]! + disturbance[j]!),
            3,
          );
        }
        return scheme.decodeBody(
          peer.compress(
            theta.map((value, j) => value - local[j]!),
            ALPHA,
          ),
        );
      });
      applyOuterStep(theta, scheme.outerStep(deltas, ALPHA));
    }
    expect(error()).toBeLessThan(0.15 * start);
  });
});

describe('lockstep', () => {
  it('is frozen: three peers over four windows give these bytes', () => {
    const peers = [0, 1, 2].map(() => scheme.createContributor());
    const theta = noise('initial', 0.1);
    const hashes: Record<string, string> = {};
    for (let window = 1; window <= 4; window++) {
      const bodies = peers.map((peer, i) => peer.compress(noise(`peer ${i} window ${window}`, 10 ** -i), ALPHA));
      const step = scheme.outerStep(
        bodies.map((body) => scheme.decodeBody(body)),
        ALPHA,
      );
      const bytes = scheme.encodeStep(step, { run: about.run, window });
      applyOuterStep(theta, scheme.decodeStep(bytes, { run: about.run, window }));
      hashes[`step ${window}`] = sha(bytes);
    }
    hashes['parameters'] = sha(new Uint8Array(theta.buffer));
    expect(hashes).toMatchInlineSnapshot(`
      {
        "parameters": "46f00bd0604251d2cc8cad7fe6f3fa84a75b0350196f621905dd6925eef89f7b",
        "step 1": "be1857ef616665dc582877c7bd7f91488e4cc238e638fd29447c037869a25709",
        "step 2": "c801d67e1d36d00fbe87b33c2a729926a680c4795e6fc8c2661c73f6ca65d651",
        "step 3": "0f3f2f6c988c77e740de4b5b2ca468dc9d0736172002f3b798b70f73f2b3c6cb",
        "step 4": "5054bc7f38ffecd7c66483d4d6d0ff916381aa4c75c6eccaee7ca55ed0030a05",
      }
    `);
  });
});

describe('createSparseLoco', () => {
  it('refuses tensors without chunks, and moments that never fade', () => {
    expect(() => createSparseLoco(parameters, layoutOf([2, 2, 2]))).toThrow(RangeError);
    const endless = { ...parameters, inner: { ...parameters.inner, beta2: 1 } };
    expect(() => createSparseLoco(endless, layout)).toThrow(RangeError);
  });
});
