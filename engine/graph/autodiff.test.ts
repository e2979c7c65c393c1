import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { createRandom, seedFrom } from '../../core/numerics/prng.ts';
import { accumulateGradients } from './autodiff.ts';
import { GraphBuilder, sizeOf, type Value } from './ir.ts';
import { writeOnnx } from './onnx.ts';

type Arrays = Record<string, Float32Array>;

/** Builds Σ weights ∘ f(inputs) so that every element of f's result counts differently. */
interface Case {
  readonly inputs: Record<string, readonly number[]>;
  readonly f: (g: GraphBuilder, inputs: Record<string, Value>) => Value;
  /** Keeps arguments where the operator is smooth. */
  readonly positive?: boolean;
}

const dimension = fc.integer({ min: 1, max: 4 });

async function run(model: Uint8Array, feeds: Record<string, ort.Tensor>): Promise<Record<string, Float32Array>> {
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1 });
  const results = await session.run(feeds);
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.data as Float32Array]));
}

async function expectGradients({ inputs, f, positive = false }: Case): Promise<void> {
  const random = createRandom(seedFrom('autodiff', JSON.stringify(inputs)));
  const draw = (): number => (positive ? 0.5 + random.uniform() : 2 * random.uniform() - 1);
  const values: Arrays = Object.fromEntries(
    Object.entries(inputs).map(([name, shape]) => [name, Float32Array.from({ length: sizeOf(shape) }, draw)]),
  );
  const g = new GraphBuilder();
  const variables = Object.fromEntries(Object.entries(inputs).map(([name, shape]) => [name, g.input(name, shape)]));
  const result = f(g, variables);
  const weights = g.constant(
    Float32Array.from({ length: sizeOf(result.shape) }, () => 2 * random.uniform() - 1),
    result.shape,
  );
  const axes = result.shape.map((_, axis) => axis);
  const output = g.reshape(g.reduce('ReduceSum', g.mul(result, weights), axes), [1]);
  const wanted = Object.entries(variables).map(([name, parameter]) => ({
    parameter,
    accumulator: g.input(`acc_${name}`, parameter.shape),
  }));
  const gradients = accumulateGradients(g, output, wanted);
  const names = Object.keys(inputs);
  const model = writeOnnx({ output, ...Object.fromEntries(names.map((name, i) => [`grad_${name}`, gradients[i]!])) });

  const feed = (arrays: Arrays): Record<string, ort.Tensor> => ({
    ...Object.fromEntries(names.map((name) => [name, new ort.Tensor('float32', arrays[name]!, inputs[name])])),
    // An accumulator that is not zero: the gradient is added to it.
    ...Object.fromEntries(
      names.map((name) => [
        `acc_${name}`,
        new ort.Tensor('float32', new Float32Array(sizeOf(inputs[name]!)).fill(1), inputs[name]),
      ]),
    ),
  });
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1 });
  const at = async (arrays: Arrays): Promise<number> => (await session.run(feed(arrays)))['output']!.data[0] as number;
  const analytic = await run(model, feed(values));
  const step = 1e-2;
  for (const name of names) {
    for (let i = 0; i < values[name]!.length; i++) {
      const moved = (by: number): Arrays => ({
        ...values,
        [name]: values[name]!.map((value, j) => (j === i ? value + by : value)),
      });
      const numeric = ((await at(moved(step))) - (await at(moved(-step)))) / (2 * step);
      expect(analytic[`grad_${name}`]![i]! - 1, `${name}[${i}]`).toBeCloseTo(numeric, 2);
    }
  }
  await session.release();
}

const check = (arbitrary: fc.Arbitrary<Case>, numRuns = 6): Promise<void> =>
  fc.assert(fc.asyncProperty(arbitrary, expectGradients), { numRuns, seed: 7 });

describe('the gradient of each operator is that of central differences', () => {
  test.each(['add', 'sub', 'mul', 'div'] as const)('%s, broadcast in every way', async (name) => {
    const shapes = fc.tuple(dimension, dimension, fc.boolean(), fc.boolean(), fc.boolean());
    await check(
      shapes.map(([n, m, first, second, drop]) => ({
        inputs: { a: [n, m], b: drop ? [second ? 1 : m] : [first ? 1 : n, second ? 1 : m] },
        positive: name === 'div',
        f: (g, { a, b }) => g[name](a!, b!),
      })),
    );
  });

  test.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])('Gemm, transposed %s and %s, with and without an addend', async (transA, transB) => {
    await check(
      fc.tuple(dimension, dimension, dimension, fc.boolean()).map(([n, k, m, addend]) => ({
        inputs: { a: transA ? [k, n] : [n, k], b: transB ? [m, k] : [k, m], ...(addend ? { c: [n, m] } : {}) },
        f: (g, { a, b, c }) => g.gemm(a!, b!, { transA, transB }, c),
      })),
    );
  });

  test('MatMul in batches', async () => {
    await check(
      fc.tuple(dimension, dimension, dimension, dimension).map(([b, n, k, m]) => ({
        inputs: { x: [b, n, k], y: [b, k, m] },
        f: (g, { x, y }) => g.matmul(x!, y!),
      })),
    );
  });

  test.each(['Neg', 'Sqrt', 'Exp', 'Log', 'Sigmoid'] as const)('%s', async (kind) => {
    await check(
      fc
        .tuple(dimension, dimension)
        .map((shape) => ({ inputs: { a: shape }, positive: true, f: (g, { a }) => g.unary(kind, a!) })),
    );
  });

  test('Softmax, ReduceSum, Expand, Reshape, Transpose', async () => {
    await check(
      fc.tuple(dimension, dimension, dimension).map(([n, m, k]) => ({
        inputs: { a: [n, m, k] },
        f: (g, { a }) => {
          const mixed = g.softmax(g.transpose(a!, [2, 0, 1]));
          const reduced = g.expand(g.reduce('ReduceSum', g.mul(mixed, mixed), [0]), [2, n, m]);
          return g.reshape(reduced, [2 * n * m]);
        },
      })),
    );
  });

  test('Gather, rows taken more than once', async () => {
    const g = new GraphBuilder();
    const table = g.input('table', [4, 3]);
    const rows = g.input('rows', [5, 1], 'int64');
    const output = g.reshape(g.reduce('ReduceSum', g.mul(g.gather(table, rows), g.gather(table, rows)), [0, 1]), [1]);
    const accumulator = g.input('acc', [4, 3]);
    const [gradient] = accumulateGradients(g, output, [{ parameter: table, accumulator }]);
    const values = Float32Array.from({ length: 12 }, (_, i) => i / 10);
    const result = await run(writeOnnx({ output, gradient: gradient! }), {
      table: new ort.Tensor('float32', values, [4, 3]),
      rows: new ort.Tensor('int64', BigInt64Array.from([2n, 0n, 2n, 2n, 3n]), [5, 1]),
      acc: new ort.Tensor('float32', new Float32Array(12).fill(0.5), [4, 3]),
    });
    const taken = [1, 0, 3, 1];
    for (const [i, value] of values.entries()) {
      expect(result['gradient']![i]).toBeCloseTo(0.5 + 2 * value * taken[Math.floor(i / 3)]!, 5);
    }
  });

  test('a value used along several paths gets the sum', async () => {
    await expectGradients({
      inputs: { a: [3, 3] },
      f: (g, { a }) => g.add(g.mul(a!, a!), g.matmul(a!, g.transpose(a!, [1, 0]))),
    });
  });
});

test('shapes that do not fit are refused when the graph is built', () => {
  const g = new GraphBuilder();
  const a = g.input('a', [2, 3]);
  const b = g.input('b', [2, 4]);
  expect(() => g.add(a, b)).toThrow(RangeError);
  expect(() => g.matmul(a, b)).toThrow(RangeError);
  expect(() => g.gemm(a, b)).toThrow(RangeError);
  expect(() => g.reshape(a, [5])).toThrow(RangeError);
  expect(() => g.expand(a, [2, 4])).toThrow(RangeError);
  expect(() => g.constant(new Float32Array(2), [3])).toThrow(RangeError);
  expect(() => accumulateGradients(g, a, [])).toThrow(RangeError);
});
