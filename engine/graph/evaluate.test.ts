import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { createDraws, dimension, narrowed, runOnnx, shapeOf } from '../testing/graphs.ts';
import { evaluateGraph } from './evaluate.ts';
import { GraphBuilder, sizeOf, type DType, type Value } from './ir.ts';
import { writeOnnx } from './onnx.ts';

/** fp32 against fp64, relative to the largest element. */
const TOLERANCE = 2e-6;

interface Input {
  readonly shape: readonly number[];
  /** Of integers: they are 0 … below - 1. */
  readonly integer?: { readonly dtype: DType; readonly below: number };
}

interface Case {
  readonly inputs: Record<string, Input>;
  readonly f: (g: GraphBuilder, inputs: Record<string, Value>) => Value;
  readonly positive?: boolean;
}

function tensorOf(values: readonly number[], { shape, integer }: Input): ort.Tensor {
  if (integer?.dtype === 'int64') return new ort.Tensor('int64', BigInt64Array.from(values, BigInt), shape);
  if (integer) return new ort.Tensor('int32', Int32Array.from(values), shape);
  return new ort.Tensor('float32', Float32Array.from(values), shape);
}

async function expectSame({ inputs, f, positive = false }: Case): Promise<void> {
  const draw = createDraws(JSON.stringify(inputs));
  const g = new GraphBuilder();
  const named = Object.entries(inputs);
  const variables = named.map(([name, { shape, integer }]) => [name, g.input(name, shape, integer?.dtype)] as const);
  const output = f(g, Object.fromEntries(variables));
  const feeds = Object.fromEntries(
    named.map(([name, { shape, integer }]) => {
      const values = [...draw(shape, positive)];
      return [name, integer ? values.map((value) => Math.floor(Math.abs(value) * integer.below)) : values];
    }),
  );
  const tensors = Object.fromEntries(named.map(([name, input]) => [name, tensorOf(feeds[name]!, input)]));
  const expected = (await runOnnx(writeOnnx({ output }), tensors))['output']!;
  const actual = evaluateGraph({ output }, feeds).output;
  expect(actual.length).toBe(expected.length);
  const largest = Math.max(1, ...expected.map(Math.abs));
  for (const [i, value] of expected.entries()) expect(Math.abs(actual[i]! - value) / largest).toBeLessThan(TOLERANCE);
}

const floats = (shapes: Record<string, readonly number[]>): Record<string, Input> =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, { shape }]));

const check = (arbitrary: fc.Arbitrary<Case>, numRuns = 15): Promise<void> =>
  fc.assert(fc.asyncProperty(arbitrary, expectSame), { numRuns, seed: 7 });

describe('an operator gives what onnxruntime gives', () => {
  test.each(['add', 'sub', 'mul', 'div'] as const)('%s, broadcast in every way', async (name) => {
    await check(
      shapeOf(1, 4).chain((shape) =>
        fc.tuple(narrowed(shape), narrowed(shape)).map(([a, b]): Case => ({
          inputs: floats({ a, b }),
          positive: true,
          f: (g, inputs) => g[name](inputs['a']!, inputs['b']!),
        })),
      ),
    );
  });

  test('Equals, broadcast in every way', async () => {
    const integer = { dtype: 'int32', below: 3 } as const;
    await check(
      shapeOf(1, 3).chain((shape) =>
        fc.tuple(narrowed(shape), narrowed(shape)).map(([a, b]) => ({
          inputs: { a: { shape: a, integer }, b: { shape: b, integer } },
          f: (g, { a, b }) => g.equals(a!, b!),
        })),
      ),
    );
  });

  test('Gemm, transposed or not, scaled, with and without an addend', async () => {
    const flags = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.constantFrom(1, -0.75));
    await check(
      fc.tuple(dimension, dimension, dimension, flags).map(([n, k, m, [transA, transB, addend, alpha]]) => ({
        inputs: floats({
          a: transA ? [k, n] : [n, k],
          b: transB ? [m, k] : [k, m],
          ...(addend ? { c: [n, m] } : {}),
        }),
        f: (g, { a, b, c }) => g.gemm(a!, b!, { transA, transB, alpha }, c),
      })),
      40,
    );
  });

  test('MatMul, in batches of any rank', async () => {
    await check(
      fc.tuple(shapeOf(0, 2), dimension, dimension, dimension).map(([lead, n, k, m]) => ({
        inputs: floats({ a: [...lead, n, k], b: [...lead, k, m] }),
        f: (g, { a, b }) => g.matmul(a!, b!),
      })),
    );
  });

  test.each(['Neg', 'Sqrt', 'Exp', 'Log', 'Sigmoid'] as const)('%s', async (kind) => {
    await check(
      shapeOf(1, 3).map((shape) => ({
        inputs: floats({ a: shape }),
        positive: kind === 'Sqrt' || kind === 'Log',
        f: (g, { a }) => g.unary(kind, a!),
      })),
      6,
    );
  });

  test('Softmax', async () => {
    await check(shapeOf(1, 4).map((shape) => ({ inputs: floats({ a: shape }), f: (g, { a }) => g.softmax(a!) })));
  });

  test.each(['ReduceSum', 'ReduceMax'] as const)('%s, over any axes', async (kind) => {
    await check(
      shapeOf(1, 4).chain((shape) =>
        fc
          .subarray([...shape.keys()], { minLength: 1 })
          .map((axes) => ({ inputs: floats({ a: shape }), f: (g, { a }) => g.reduce(kind, a!, axes) })),
      ),
    );
  });

  test('Reshape', async () => {
    await check(
      shapeOf(1, 4).map((shape) => ({
        inputs: floats({ a: shape }),
        f: (g, { a }) => g.reshape(a!, [1, ...shape.toReversed()]),
      })),
    );
  });

  test('Expand, along any axes and to more of them', async () => {
    await check(
      shapeOf(2, 4).chain((shape) =>
        narrowed(shape)
          .filter((from) => from.join() !== shape.join())
          .map((from) => ({ inputs: floats({ a: from }), f: (g, { a }) => g.expand(a!, shape) })),
      ),
    );
  });

  test('Transpose, by any permutation', async () => {
    await check(
      shapeOf(2, 4).chain((shape) =>
        fc
          .shuffledSubarray([...shape.keys()], { minLength: shape.length })
          .map((permutation) => ({ inputs: floats({ a: shape }), f: (g, { a }) => g.transpose(a!, permutation) })),
      ),
      30,
    );
  });

  test('Gather and ScatterAdd, rows taken more than once or not at all', async () => {
    const shapes = fc.tuple(dimension, dimension, fc.integer({ min: 1, max: 9 }));
    const rows = (k: number, n: number): Input => ({ shape: [k, 1], integer: { dtype: 'int64', below: n } });
    await check(
      shapes.map(([n, m, k]) => ({
        inputs: { ...floats({ a: [n, m] }), rows: rows(k, n) },
        f: (g, { a, rows }) => g.gather(a!, rows!),
      })),
    );
    await check(
      shapes.map(([n, m, k]) => ({
        inputs: { ...floats({ a: [n, m], updates: [k, m] }), rows: rows(k, n) },
        f: (g, { a, rows, updates }) => g.scatterAdd(a!, rows!, updates!),
      })),
    );
  });

  test('constants, and a value that is used twice', async () => {
    await check(
      shapeOf(1, 3).map((shape) => ({
        inputs: floats({ a: shape }),
        f: (g, { a }) => {
          const scaled = g.mul(
            a!,
            g.constant(
              Float32Array.from({ length: sizeOf(shape) }, (_, i) => i / 3),
              shape,
            ),
          );
          return g.add(scaled, scaled);
        },
      })),
    );
  });
});

test('ScatterAdd, which ONNX has without a factor, adds alpha times each update', () => {
  const g = new GraphBuilder();
  const output = g.scatterAdd(g.input('a', [3, 2]), g.input('rows', [3, 1], 'int64'), g.input('b', [3, 2]), -2);
  const feeds = { a: [1, 2, 3, 4, 5, 6], rows: [2, 0, 2], b: [1, 2, 3, 4, 5, 6] };
  expect([...evaluateGraph({ output }, feeds).output]).toEqual([-5, -6, 3, 4, -7, -10]);
});

test('what is not fed, or is of another size, or no result at all, is refused', () => {
  const g = new GraphBuilder();
  const a = g.input('a', [2]);
  const output = g.add(a, a);
  expect(() => evaluateGraph({ output }, {})).toThrow('0 values of a [2]');
  expect(() => evaluateGraph({ output }, { a: [1, 2, 3] })).toThrow('3 values of a [2]');
  expect(() => evaluateGraph({ output: g.part(output, 0, [2]) }, { a: [1, 2] })).toThrow('0 values of Part [2]');
});
