import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IGNORED_TARGET, type Batch } from '../../core/data/batch.ts';
import type { ModelConfig } from '../../core/model/config.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import { createDraws } from '../testing/graphs.ts';
import { TINY_SEQUENCES, tinyBatch, tinyConfig, tinyParameters } from '../testing/tiny-model.ts';
import { accumulateGradients } from './autodiff.ts';
import { evaluateGraph } from './evaluate.ts';
import { GraphBuilder, reachable, type AttentionShape, type Value } from './ir.ts';
import {
  forwardGraph,
  fusedForwardGraph,
  fusedTrainingGraph,
  gradientInput,
  gradientOutput,
  INPUT,
  LOSS,
  trainingGraph,
} from './llama.ts';
import { parameterGroups } from './parameter-groups.ts';
import { referenceGradient, referenceLoss } from './reference.ts';
import { rotaryTables } from './rotary.ts';

/** The same in another order, in double precision. */
const SAME = 1e-11;
/** Central differences of fourth order in double precision, with constants of fp32 on either side. */
const DIFFERENCED = 1e-8;

type Numbers = ArrayLike<number>;
type Feeds = Record<string, Numbers>;

function expectClose(actual: Numbers, expected: Numbers, tolerance: number, message: string): void {
  expect(actual.length, message).toBe(expected.length);
  const largest = Array.from(expected).reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!) / largest;
    expect(error, `${message}[${i}]: ${actual[i]!} instead of ${expected[i]!}`).toBeLessThan(tolerance);
  }
}

const size = fc.integer({ min: 1, max: 5 });

/** Attention of any grouping, and so many sequences; [B·T, (heads + 2·kvHeads)·headDim] are its projections. */
const attentions = fc
  .record({
    sequences: fc.integer({ min: 1, max: 3 }),
    length: size,
    kvHeads: fc.integer({ min: 1, max: 3 }),
    group: fc.integer({ min: 1, max: 3 }),
    headDim: fc.constantFrom(2, 4, 6),
  })
  .map(({ sequences, length, kvHeads, group, headDim }) => {
    const shape: AttentionShape = { length, heads: group * kvHeads, kvHeads, headDim };
    return { sequences, shape, projections: [sequences * length, (shape.heads + 2 * kvHeads) * headDim] as const };
  });

/** Each row's target, and its count: 0 where it does not count. */
const labelled = fc.tuple(size, fc.integer({ min: 1, max: 7 })).chain(([rows, vocabulary]) =>
  fc.record({
    logits: fc.constant([rows, vocabulary] as const),
    targets: fc.array(fc.nat(vocabulary - 1), { minLength: rows, maxLength: rows }),
    counts: fc.array(fc.constantFrom(0, 1, 1), { minLength: rows, maxLength: rows }),
  }),
);

const check = <T>(arbitrary: fc.Arbitrary<T>, property: (drawn: T) => void, numRuns = 25): void =>
  fc.assert(fc.property(arbitrary, property), { numRuns, seed: 7 });

const column = (values: readonly number[]): readonly number[] => [values.length, 1];

/** Columns start … end - 1 of a matrix, in primitive operators: a product with a part of the identity. */
function columns(g: GraphBuilder, matrix: Value, start: number, end: number): Value {
  const [width, count] = [matrix.shape[1]!, end - start];
  const chosen = Float32Array.from({ length: width * count }, (_, i) =>
    Math.floor(i / count) === start + (i % count) ? 1 : 0,
  );
  return g.gemm(matrix, g.constant(chosen, [width, count]));
}

/** What the fused operators are, in primitive ones. */
const composed = {
  inverseRms(g: GraphBuilder, x: Value, epsilon: number): Value {
    const meanSquare = g.div(g.reduce('ReduceSum', g.mul(x, x), [1]), g.scalar(x.shape[1]!));
    return g.div(g.scalar(1), g.unary('Sqrt', g.add(meanSquare, g.scalar(epsilon))));
  },
  /** x·cos + rotate_half(x)·sin of queries and keys, x of values. */
  rotate(g: GraphBuilder, projections: Value, cos: Value, sin: Value, shape: AttentionShape): Value {
    const { length, heads, kvHeads, headDim } = shape;
    const [rows, all, half] = [projections.shape[0]!, heads + 2 * kvHeads, headDim / 2];
    const matrix = (height: number, width: number, element: (row: number, column: number) => number): Value =>
      g.constant(
        Float32Array.from({ length: height * width }, (_, i) => element(Math.floor(i / width), i % width)),
        [height, width],
      );
    const twice = matrix(half, headDim, (row, column) => (column % half === row ? 1 : 0));
    const [c, s] = [cos, sin].map((table) => g.reshape(g.gemm(table, twice), [length, 1, headDim])) as [Value, Value];
    const rotateHalf = matrix(headDim, headDim, (row, column) =>
      row === column + half ? -1 : row === column - half ? 1 : 0,
    );
    const x = g.reshape(projections, [rows / length, length, all, headDim]);
    const partners = g.reshape(g.gemm(g.reshape(x, [rows * all, headDim]), rotateHalf), x.shape);
    const turned = g.add(g.mul(x, c), g.mul(partners, s));
    const turns = matrix(all, 1, (head) => (head < heads + kvHeads ? 1 : 0));
    const stays = matrix(all, 1, (head) => (head < heads + kvHeads ? 0 : 1));
    return g.reshape(g.add(g.mul(turned, turns), g.mul(x, stays)), projections.shape);
  },
  /** @returns mixed [B·T, heads·headDim] and log Σ exp of the scores [B·T, heads] */
  attention(g: GraphBuilder, projections: Value, shape: AttentionShape): { mixed: Value; logSums: Value } {
    const { length, heads, kvHeads, headDim } = shape;
    const sequences = projections.shape[0]! / length;
    const batch = sequences * heads;
    const all = g.reshape(projections, [sequences * length * (heads + 2 * kvHeads), headDim]);
    /** [B·heads, T, headDim] of the head that `pick` names for each query head: rows by number. */
    const taken = (pick: (head: number) => number): Value => {
      const rows = Int32Array.from({ length: batch * length }, (_, i) => {
        const [sequence, head, t] = [Math.floor(i / length / heads), Math.floor(i / length) % heads, i % length];
        return (sequence * length + t) * (heads + 2 * kvHeads) + pick(head);
      });
      return g.reshape(g.gather(all, g.constant(rows, [rows.length, 1])), [batch, length, headDim]);
    };
    const shared = (head: number): number => Math.floor((head * kvHeads) / heads);
    const queries = taken((head) => head);
    const keys = taken((head) => heads + shared(head));
    const values = taken((head) => heads + kvHeads + shared(head));
    const mask = Float32Array.from({ length: length * length }, (_, i) =>
      i % length > Math.floor(i / length) ? -1e9 : 0,
    );
    const products = g.matmul(queries, g.transpose(keys, [0, 2, 1]));
    const scores = g.add(g.div(products, g.unary('Sqrt', g.scalar(headDim))), g.constant(mask, [length, length]));
    const mixed = g.reshape(g.matmul(g.softmax(scores), values), [sequences, heads, length, headDim]);
    const sums = g.unary('Log', g.reduce('ReduceSum', g.unary('Exp', scores), [2]));
    return {
      mixed: g.reshape(g.transpose(mixed, [0, 2, 1, 3]), [sequences * length, heads * headDim]),
      logSums: g.reshape(g.transpose(g.reshape(sums, [sequences, heads, length]), [0, 2, 1]), [
        sequences * length,
        heads,
      ]),
    };
  },
  swiGlu(g: GraphBuilder, gateUp: Value): Value {
    const width = gateUp.shape[1]! / 2;
    const gate = columns(g, gateUp, 0, width);
    return g.mul(g.mul(gate, g.unary('Sigmoid', gate)), columns(g, gateUp, width, 2 * width));
  },
  crossEntropy(g: GraphBuilder, logits: Value, targets: Value, counts: Value): Value {
    const vocabulary = g.constant(
      Int32Array.from({ length: logits.shape[1]! }, (_, id) => id),
      [1, logits.shape[1]!],
    );
    const chances = g.reduce('ReduceSum', g.mul(g.softmax(logits), g.equals(targets, vocabulary)), [1]);
    return g.mul(g.unary('Neg', g.unary('Log', chances)), counts);
  },
};

describe('a fused operator is the same as primitive ones', () => {
  /** @param build pairs of the fused and the composed result */
  function expectPairs(
    shapes: Record<string, readonly number[]>,
    build: (g: GraphBuilder) => [Value, Value][],
    feeds: Feeds = {},
  ): void {
    const draw = createDraws(JSON.stringify(shapes));
    const drawn = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, draw(shape)]));
    const pairs = build(new GraphBuilder());
    const outputs = pairs.flatMap(([fused, primitive], i) => [
      [`fused ${i}`, fused] as const,
      [`primitive ${i}`, primitive] as const,
    ]);
    const results = evaluateGraph(Object.fromEntries(outputs), { ...drawn, ...feeds });
    for (const i of pairs.keys()) expectClose(results[`fused ${i}`]!, results[`primitive ${i}`]!, SAME, `result ${i}`);
  }

  // Exact in fp32, as the primitive operators take it.
  const epsilon = 2 ** -7;

  test('RmsNorm', () => {
    check(fc.tuple(size, size), ([rows, width]) =>
      expectPairs({ x: [rows, width], w: [width] }, (g) => {
        const [x, w] = [g.input('x', [rows, width]), g.input('w', [width])];
        const inverse = composed.inverseRms(g, x, epsilon);
        const normed = g.rmsNorm(x, w, epsilon);
        return [
          [normed, g.mul(g.mul(x, inverse), w)],
          [g.part(normed, 0, [rows, 1]), inverse],
        ];
      }),
    );
  });

  test('Rotate, and its inverse', () => {
    check(attentions, ({ shape, projections }) => {
      const table = [shape.length, shape.headDim / 2];
      expectPairs({ x: projections, cos: table, sin: table }, (g) => {
        const [x, cos, sin] = [g.input('x', projections), g.input('cos', table), g.input('sin', table)];
        const back = composed.rotate(g, x, cos, g.unary('Neg', sin), shape);
        return [
          [g.rotate(x, cos, sin, shape), composed.rotate(g, x, cos, sin, shape)],
          [g.rotate(x, cos, sin, shape, true), back],
        ];
      });
    });
  });

  test('Attention', () => {
    check(attentions, ({ shape, projections }) =>
      expectPairs({ x: projections }, (g) => {
        const x = g.input('x', projections);
        const mixed = g.attention(x, shape);
        const expected = composed.attention(g, x, shape);
        return [
          [mixed, expected.mixed],
          [g.part(mixed, 0, [projections[0], shape.heads]), expected.logSums],
        ];
      }),
    );
  });

  test('SwiGlu', () => {
    check(fc.tuple(size, size), ([rows, width]) =>
      expectPairs({ x: [rows, 2 * width] }, (g) => {
        const x = g.input('x', [rows, 2 * width]);
        return [[g.swiGlu(x), composed.swiGlu(g, x)]];
      }),
    );
  });

  test('CrossEntropy', () => {
    check(labelled, ({ logits, targets, counts }) =>
      expectPairs(
        { logits },
        (g) => {
          const x = g.input('logits', logits);
          const [t, c] = [g.input('targets', column(targets), 'int32'), g.input('counts', column(counts))];
          return [[g.crossEntropy(x, t, c, 3), composed.crossEntropy(g, x, t, c)]];
        },
        { targets, counts },
      ),
    );
  });
});

describe('the gradient of a fused operator is that of central differences', () => {
  interface Case {
    /** What is differentiated by. */
    readonly inputs: Record<string, readonly number[]>;
    /** What is not, and has a value. */
    readonly given?: Record<string, { shape: readonly number[]; values: readonly number[]; dtype?: 'int32' | 'int64' }>;
    readonly f: (g: GraphBuilder, inputs: Record<string, Value>) => Value;
    /** By which f's gradients, not f itself, are larger. */
    readonly scale?: number;
  }

  /** Of Σ weights ∘ f(inputs), so that every element of f's result counts differently. */
  function expectGradients({ inputs, given = {}, f, scale = 1 }: Case): void {
    const draw = createDraws(JSON.stringify([inputs, given]));
    const g = new GraphBuilder();
    const names = Object.keys(inputs);
    const parameters = names.map((name) => g.input(name, inputs[name]!));
    const constants = Object.entries(given).map(
      ([name, { shape, dtype }]) => [name, g.input(name, shape, dtype)] as const,
    );
    const result = f(g, {
      ...Object.fromEntries(names.map((name, i) => [name, parameters[i]!])),
      ...Object.fromEntries(constants),
    });
    const weights = g.constant(draw(result.shape), result.shape);
    const axes = [...result.shape.keys()];
    const output = g.reshape(g.reduce('ReduceSum', g.mul(result, weights), axes), [1]);
    const wanted = names.map((name, i) => ({
      parameter: parameters[i]!,
      accumulator: g.input(`sum of ${name}`, inputs[name]!),
    }));
    const accumulated = accumulateGradients(g, output, wanted, { scale });
    const alone = accumulateGradients(
      g,
      output,
      parameters.map((parameter) => ({ parameter })),
      { scale },
    );

    const values: Record<string, Float64Array> = {};
    for (const name of names) values[name] = Float64Array.from(draw(inputs[name]!));
    const feeds: Feeds = { ...values };
    for (const [name, { values }] of Object.entries(given)) feeds[name] = values;
    for (const name of names) feeds[`sum of ${name}`] = draw(inputs[name]!);
    const gradients = evaluateGraph(
      Object.fromEntries(
        names.flatMap((name, i) => [
          [`+${name}`, accumulated[i]!],
          [name, alone[i]!],
        ]),
      ),
      feeds,
    );
    const step = 3e-4;
    for (const name of names) {
      const numeric = values[name]!.map((value, i) => {
        const at = (offset: number): number =>
          evaluateGraph({ output }, { ...feeds, [name]: values[name]!.with(i, value + offset) }).output[0]!;
        return (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
      });
      expectClose(
        gradients[name]!,
        numeric.map((value) => value * scale),
        DIFFERENCED,
        name,
      );
      const summed = numeric.map((value, i) => value + feeds[`sum of ${name}`]![i]!);
      expectClose(gradients[`+${name}`]!, summed, DIFFERENCED, `sum of ${name}`);
    }
  }

  const differentiate = (arbitrary: fc.Arbitrary<Case>, numRuns = 12): void =>
    check(arbitrary, expectGradients, numRuns);

  test('RmsNorm, alone and with its argument added to it', () => {
    differentiate(
      fc.tuple(size, size, fc.boolean()).map(([rows, width, residual]) => ({
        inputs: { x: [rows, width], w: [width] },
        f: (g, { x, w }) => {
          const normed = g.rmsNorm(x!, w!, 0.25);
          return residual ? g.add(normed, x!) : normed;
        },
      })),
    );
  });

  test('RmsNorm with one weight for two places', () => {
    differentiate(
      fc.tuple(size, size).map(([rows, width]) => ({
        inputs: { x: [rows, width], w: [width] },
        f: (g, { x, w }) => g.rmsNorm(g.rmsNorm(x!, w!, 0.25), w!, 0.5),
      })),
    );
  });

  test('Rotate, forwards and backwards', () => {
    const angles = (length: number, half: number) => Array.from({ length: length * half }, (_, i) => i * 0.7);
    differentiate(
      fc.tuple(attentions, fc.boolean()).map(([{ shape, projections }, inverse]) => {
        const table = [shape.length, shape.headDim / 2] as const;
        return {
          inputs: { x: projections },
          given: {
            cos: { shape: table, values: angles(...table).map(Math.cos) },
            sin: { shape: table, values: angles(...table).map(Math.sin) },
          },
          f: (g, { x, cos, sin }) => g.rotate(x!, cos!, sin!, shape, inverse),
        };
      }),
    );
  });

  test('Attention', () => {
    differentiate(
      attentions.map(({ shape, projections }) => ({
        inputs: { x: projections },
        f: (g, { x }) => g.attention(x!, shape),
      })),
    );
  });

  test('SwiGlu', () => {
    differentiate(
      fc.tuple(size, size).map(([rows, width]) => ({
        inputs: { x: [rows, 2 * width] },
        f: (g, { x }) => g.swiGlu(x!),
      })),
    );
  });

  test('CrossEntropy, each row weighted, scaled, rows that do not count', () => {
    differentiate(
      fc.tuple(labelled, fc.constantFrom(1, 64)).map(([{ logits, targets, counts }, scale]) => ({
        inputs: { x: logits },
        given: {
          t: { shape: column(targets), values: targets, dtype: 'int32' as const },
          c: { shape: column(counts), values: counts },
        },
        scale,
        f: (g, { x, t, c }) => g.crossEntropy(x!, t!, c!, scale),
      })),
    );
  });

  test('what the scale of a loss passes on its way to the accumulators', () => {
    differentiate(
      fc.tuple(labelled, size).map(([{ logits, targets, counts }, width]) => ({
        inputs: { table: [4, 2 * width], w: [width], head: [logits[1], width] },
        given: {
          rows: { shape: column(targets), values: targets.map((_, i) => (i * i) % 3), dtype: 'int64' as const },
          t: { shape: column(targets), values: targets, dtype: 'int32' as const },
          c: { shape: column(counts), values: counts },
        },
        scale: 64,
        f: (g, { table, w, head, rows, t, c }) => {
          const normed = g.rmsNorm(g.swiGlu(g.gather(table!, rows!)), w!, 0.25);
          return g.crossEntropy(g.gemm(normed, head!, { transB: true }), t!, c!, 64);
        },
      })),
    );
  });

  test('a product scaled and with an addend', () => {
    differentiate(
      fc.tuple(size, size, size, fc.boolean(), fc.boolean()).map(([n, k, m, transA, transB]) => ({
        inputs: { a: transA ? [k, n] : [n, k], b: transB ? [m, k] : [k, m], c: [n, m] },
        f: (g, { a, b, c }) => g.gemm(a!, b!, { transA, transB, alpha: -0.5 }, c),
      })),
    );
  });

  test('the sums of gradients are folded into the operators that make them', () => {
    const g = new GraphBuilder();
    const [x, w] = [g.input('x', [2, 3]), g.input('w', [3])];
    const output = g.reduce('ReduceSum', g.add(g.rmsNorm(x, w, 0.1), x), [0, 1]);
    const wanted = [x, w].map((parameter) => ({ parameter, accumulator: g.input('sum', parameter.shape) }));
    const [, ofW] = accumulateGradients(g, output, wanted, { scale: 4 });
    expect(ofW!.operator).toEqual({ kind: 'RmsNormWeightGrad', alpha: 0.25 });
    const [inner] = accumulateGradients(g, output, [{ parameter: x }]);
    expect(inner!.operator.kind).toBe('RmsNormGrad');
    expect(inner!.inputs).toHaveLength(5);
  });
});

describe('the model in fused operators is the one in primitive ones', () => {
  // Sizes and an epsilon whose inverses and roots fp32 holds, as the primitive graph takes them as constants.
  const exactConfig = (tied: boolean): ModelConfig => ({ ...tinyConfig(tied), hiddenSize: 16, rmsNormEps: 2 ** -10 });
  const exact = 1e-9;

  function batchFeeds({ tokens, targets }: Batch): Feeds {
    return {
      [INPUT.tokens]: tokens,
      [INPUT.targets]: targets.map((target) => (target === IGNORED_TARGET ? 0 : target)),
      [INPUT.counts]: Array.from(targets, (target) => (target === IGNORED_TARGET ? 0 : 1)),
    };
  }

  /** The parts of a flat vector, each under its own name. */
  function parts(
    of: readonly { name: string; offset: number; size: number }[],
    flat: Float32Array,
    named = (name: string) => name,
  ): Feeds {
    return Object.fromEntries(of.map(({ name, offset, size }) => [named(name), flat.subarray(offset, offset + size)]));
  }

  describe.each([true, false])('tied output: %s', (tied) => {
    const config = exactConfig(tied);
    const shape = { config, sequences: TINY_SEQUENCES, length: config.contextLength };
    const flat = tinyParameters(config);
    const batch = tinyBatch(config, 1);
    const sums = createDraws('sums')([flat.length]);
    const { parameters } = parameterLayout(config);
    const groups = parameterGroups(config);
    const fusedFeeds = { ...batchFeeds(batch), ...parts(groups, flat), ...parts(groups, sums, gradientInput) };
    const primitiveFeeds = {
      ...batchFeeds(batch),
      ...parts(parameters, flat),
      ...parts(parameters, sums, gradientInput),
    };
    const expected = evaluateGraph(trainingGraph(shape), primitiveFeeds);

    test('the loss alone, which is the reference’s', () => {
      const [fused] = evaluateGraph(fusedForwardGraph(shape), fusedFeeds)[LOSS]!;
      const [primitive] = evaluateGraph(forwardGraph(shape), primitiveFeeds)[LOSS]!;
      expectClose([fused!], [primitive!], exact, LOSS);
      // Its rotary angles are not rounded to fp32.
      expectClose([fused!], [referenceLoss(config, Float64Array.from(flat), batch)], 1e-7, LOSS);
    });

    test.each([
      { recompute: false, lossScale: 1 },
      { recompute: false, lossScale: 64 },
      { recompute: true, lossScale: 1 },
      { recompute: true, lossScale: 64 },
    ])('the loss and every gradient: $recompute, $lossScale', (options) => {
      const actual = evaluateGraph(fusedTrainingGraph(shape, options), fusedFeeds);
      expectClose(actual[LOSS]!, expected[LOSS]!, exact, LOSS);
      expect(Object.keys(actual)).toHaveLength(groups.length + 1);
      for (const { name, members, offset } of groups) {
        for (const member of members) {
          const start = member.offset - offset;
          const own = actual[gradientOutput(name)]!.subarray(start, start + member.size);
          expectClose(own, expected[gradientOutput(member.name)]!, exact, member.name);
        }
      }
    });
  });

  test('recomputation computes more and keeps the same inputs and outputs', () => {
    const config = exactConfig(true);
    const shape = { config, sequences: 1, length: 4 };
    const norms = (outputs: Record<string, Value>): number =>
      reachable(Object.values(outputs)).filter(({ operator }) => operator.kind === 'RmsNorm').length;
    expect(norms(fusedTrainingGraph(shape))).toBe(2 * config.numLayers + 1);
    expect(norms(fusedTrainingGraph(shape, { recompute: true }))).toBe(4 * config.numLayers + 1);
  });

  test.each([true, false])('its gradient is that of central differences of the reference, tied: %s', (tied) => {
    const config: ModelConfig = {
      ...tinyConfig(tied),
      vocabSize: 7,
      hiddenSize: 4,
      intermediateSize: 5,
      headDim: 2,
      numLayers: 2,
      contextLength: 6,
    };
    const flat = tinyParameters(config);
    const batch = tinyBatch(config, 1);
    const shape = { config, sequences: TINY_SEQUENCES, length: config.contextLength };
    const groups = parameterGroups(config);
    const zeros = new Float32Array(flat.length);
    const feeds = { ...batchFeeds(batch), ...parts(groups, flat), ...parts(groups, zeros, gradientInput) };
    const actual = evaluateGraph(fusedTrainingGraph(shape), feeds);
    const expected = referenceGradient(config, Float64Array.from(flat), batch);
    for (const { name, offset, size } of groups) {
      expectClose(actual[gradientOutput(name)]!, expected.subarray(offset, offset + size), 1e-6, name);
    }
  });
});

test('the rotary tables turn position 0 by nothing and the first pair by a radian a position', () => {
  const { cos, sin } = rotaryTables(tinyConfig(true), 3);
  expect([...cos.subarray(0, 2), ...sin.subarray(0, 2)]).toEqual([1, 1, 0, 0]);
  expectClose(
    [cos[2]!, cos[4]!, sin[2]!, sin[4]!],
    [Math.cos(1), Math.cos(2), Math.sin(1), Math.sin(2)],
    1e-7,
    'pair 0',
  );
});
