import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { createRandom, seedFrom } from '../../core/numerics/prng.ts';
import { dimension, narrowed, runOnnx, shapeOf } from '../testing/graphs.ts';
import { accumulateGradients } from './autodiff.ts';
import { evaluateGraph } from './evaluate.ts';
import { GraphBuilder, sizeOf, type Value } from './ir.ts';
import { writeOnnx } from './onnx.ts';

type Arrays = Record<string, Float32Array>;

/** Of fp32 differences, relative to the tensor's largest gradient, or to 1 where that is smaller. */
const TOLERANCE = 3e-4;

/** Builds Σ weights ∘ f(inputs) so that every element of f's result counts differently. */
interface Case {
  readonly inputs: Record<string, readonly number[]>;
  readonly f: (g: GraphBuilder, inputs: Record<string, Value>) => Value;
  /** Keeps arguments where the operator is smooth. */
  readonly positive?: boolean;
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
  const analytic = await runOnnx(model, feed(values));
  // Four points: the error is of the step's fourth power, so the step can be long against fp32's rounding.
  const step = 2e-2;
  for (const name of names) {
    const numeric: number[] = [];
    for (let i = 0; i < values[name]!.length; i++) {
      const moved = (by: number): Promise<number> =>
        at({ ...values, [name]: values[name]!.map((value, j) => (j === i ? value + by : value)) });
      const near = (await moved(step)) - (await moved(-step));
      const far = (await moved(2 * step)) - (await moved(-2 * step));
      numeric.push((8 * near - far) / (12 * step));
    }
    const scale = Math.max(1, ...numeric.map(Math.abs));
    for (const [i, expected] of numeric.entries()) {
      const error = Math.abs(analytic[`grad_${name}`]![i]! - 1 - expected) / scale;
      expect(error, `${name}[${i}] of [${inputs[name]!.join()}]`).toBeLessThan(TOLERANCE);
    }
  }
  await session.release();
}

const check = (arbitrary: fc.Arbitrary<Case>, numRuns = 6): Promise<void> =>
  fc.assert(fc.asyncProperty(arbitrary, expectGradients), { numRuns, seed: 7 });

describe('the gradient of each operator is that of central differences', () => {
  test.each(['add', 'sub', 'mul', 'div'] as const)('%s, broadcast in every way', async (name) => {
    await check(
      shapeOf(1, 3).chain((shape) =>
        fc.tuple(narrowed(shape), narrowed(shape)).map(([a, b]): Case => ({
          inputs: { a, b },
          positive: name === 'div',
          f: (g, inputs) => g[name](inputs['a']!, inputs['b']!),
        })),
      ),
      20,
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

  test('MatMul, in batches of any rank', async () => {
    await check(
      fc.tuple(shapeOf(0, 2), dimension, dimension, dimension).map(([lead, n, k, m]) => ({
        inputs: { x: [...lead, n, k], y: [...lead, k, m] },
        f: (g, { x, y }) => g.matmul(x!, y!),
      })),
      12,
    );
  });

  test.each(['Neg', 'Sqrt', 'Exp', 'Log', 'Sigmoid'] as const)('%s', async (kind) => {
    await check(
      fc
        .tuple(dimension, dimension)
        .map((shape) => ({ inputs: { a: shape }, positive: true, f: (g, { a }) => g.unary(kind, a!) })),
    );
  });

  test('Softmax', async () => {
    await check(shapeOf(1, 4).map((shape) => ({ inputs: { a: shape }, f: (g, { a }) => g.softmax(a!) })));
  });

  test('ReduceSum, over any axes', async () => {
    await check(
      shapeOf(1, 4).chain((shape) =>
        fc
          .subarray([...shape.keys()], { minLength: 1 })
          .map((axes) => ({ inputs: { a: shape }, f: (g, { a }) => g.reduce('ReduceSum', a!, axes) })),
      ),
      12,
    );
  });

  test('Reshape', async () => {
    await check(
      shapeOf(1, 4).chain((shape) =>
        fc
          .constantFrom([sizeOf(shape)], shape.toReversed(), [1, ...shape], [sizeOf(shape.slice(0, -1)), shape.at(-1)!])
          .map((target) => ({ inputs: { a: shape }, f: (g, { a }) => g.reshape(a!, target) })),
      ),
      12,
    );
  });

  test('Expand, along any axes and to more of them', async () => {
    await check(
      shapeOf(1, 4).chain((shape) =>
        narrowed(shape).map((from) => ({ inputs: { a: from }, f: (g, { a }) => g.expand(a!, shape) })),
      ),
      12,
    );
  });

  test('Transpose, by any permutation', async () => {
    await check(
      shapeOf(2, 4).chain((shape) =>
        fc
          .shuffledSubarray([...shape.keys()], { minLength: shape.length })
          .map((permutation) => ({ inputs: { a: shape }, f: (g, { a }) => g.transpose(a!, permutation) })),
      ),
      20,
    );
  });

  test('Gather, rows taken more than once or not at all', async () => {
    const tables = fc.tuple(dimension, dimension).chain(([n, m]) =>
      fc.record({
        shape: fc.constant([n, m]),
        rows: fc.array(fc.nat(n - 1), { minLength: 1, maxLength: 2 * n + 1 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(tables, async ({ shape, rows }) => {
        const g = new GraphBuilder();
        const table = g.input('table', shape);
        const numbers = g.input('rows', [rows.length, 1], 'int64');
        const taken = g.gather(table, numbers);
        const output = g.reshape(g.reduce('ReduceSum', g.mul(taken, taken), [0, 1]), [1]);
        const accumulator = g.input('acc', shape);
        const [gradient] = accumulateGradients(g, output, [{ parameter: table, accumulator }]);
        const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) => (i + 1) / 10);
        const result = await runOnnx(writeOnnx({ output, gradient: gradient! }), {
          table: new ort.Tensor('float32', values, shape),
          rows: new ort.Tensor('int64', BigInt64Array.from(rows, BigInt), [rows.length, 1]),
          acc: new ort.Tensor('float32', new Float32Array(values.length).fill(0.5), shape),
        });
        for (const [i, value] of values.entries()) {
          const times = rows.filter((row) => row === Math.floor(i / shape[1])).length;
          expect(result['gradient']![i]).toBeCloseTo(0.5 + 2 * value * times, 4);
        }
      }),
      { numRuns: 12, seed: 7 },
    );
  });

  test('Gather before other operators, where its gradient starts from zeros', async () => {
    const g = new GraphBuilder();
    const table = g.input('table', [3, 1]);
    const squared = g.mul(table, table);
    const taken = g.gather(squared, g.input('rows', [3, 1], 'int64'));
    const output = g.reshape(g.reduce('ReduceSum', g.mul(taken, taken), [0, 1]), [1]);
    const accumulator = g.input('acc', [3, 1]);
    const [gradient] = accumulateGradients(g, output, [{ parameter: table, accumulator }]);
    const result = await runOnnx(writeOnnx({ output, gradient: gradient! }), {
      table: new ort.Tensor('float32', Float32Array.of(1, 2, 3), [3, 1]),
      rows: new ort.Tensor('int64', BigInt64Array.of(2n, 0n, 2n), [3, 1]),
      acc: new ort.Tensor('float32', Float32Array.of(100, 200, 300), [3, 1]),
    });
    // d/dt of t⁴ for each time it is taken.
    expect([...result['gradient']!]).toEqual([104, 200, 516]);
  });

  test('the maximum subtracted from a log-sum-exp does not change its gradient', async () => {
    await check(
      fc.tuple(dimension, dimension).map((shape) => ({
        inputs: { a: shape },
        f: (g, { a }) => {
          const max = g.reduce('ReduceMax', a!, [1]);
          const sum = g.reduce('ReduceSum', g.unary('Exp', g.sub(a!, max)), [1]);
          return g.add(g.unary('Log', sum), max);
        },
      })),
    );
  });

  test('a value used along several paths gets the sum', async () => {
    await expectGradients({
      inputs: { a: [3, 3] },
      f: (g, { a }) => g.add(g.mul(a!, a!), g.matmul(a!, g.transpose(a!, [1, 0]))),
    });
  });
});

describe('accumulating', () => {
  test('a parameter that the output does not depend on keeps its accumulator', () => {
    const g = new GraphBuilder();
    const [used, unused, accumulator] = [g.input('used', [1]), g.input('unused', [1]), g.input('acc', [1])];
    expect(accumulateGradients(g, g.mul(used, used), [{ parameter: unused, accumulator }])).toEqual([accumulator]);
  });

  /** x → h = x² → y = h·w, and what each is. */
  const chain = () => {
    const g = new GraphBuilder();
    const x = g.input('x', [2]);
    const w = g.input('w', [2]);
    const h = g.mul(x, x);
    return { g, x, w, h, y: g.mul(h, w) };
  };
  const feeds = { x: [3, -1], w: [0.5, 4], outer: [10, 100], sums: [1, 2] };

  test('a leaf ends the way back, whatever it was computed from', () => {
    const { g, x, w, h, y } = chain();
    const output = g.add(y, x);
    const wanted = [{ parameter: h }, { parameter: x, accumulator: g.input('sums', [2]) }];
    const gradient = g.input('outer', [2]);
    const [ofH, ofX] = accumulateGradients(g, output, wanted, { gradient });
    const results = evaluateGraph({ ofH: ofH!, ofX: ofX! }, feeds);
    expect([...results.ofH]).toEqual([10 * 0.5, 100 * 4]);
    expect([...results.ofX], 'nothing through h').toEqual([1 + 10, 2 + 100]);
    expect(() => accumulateGradients(g, h, [{ parameter: w }], { gradient })).toThrow(RangeError);
  });

  test('a chain differentiated piece by piece has the gradient of the whole', () => {
    const { g, x, w, h, y } = chain();
    const gradient = g.input('outer', [2]);
    const [ofW, ofH] = accumulateGradients(g, y, [{ parameter: w }, { parameter: h }], { gradient });
    const [ofX] = accumulateGradients(g, h, [{ parameter: x }], { gradient: ofH! });
    const whole = accumulateGradients(g, y, [{ parameter: w }, { parameter: x }], { gradient });
    const results = evaluateGraph({ ofW: ofW!, ofX: ofX!, wholeW: whole[0]!, wholeX: whole[1]! }, feeds);
    expect([...results.ofW]).toEqual([10 * 9, 100 * 1]);
    expect([...results.ofX]).toEqual([10 * 0.5 * 2 * 3, 100 * 4 * 2 * -1]);
    expect(results).toMatchObject({ wholeW: results.ofW, wholeX: results.ofX });
  });

  test('a scale is taken out of what is accumulated, and left in what is handed on', () => {
    const { g, w, h, y } = chain();
    const wanted = [{ parameter: w, accumulator: g.input('sums', [2]) }, { parameter: h }];
    const [ofW, ofH] = accumulateGradients(g, y, wanted, { gradient: g.input('outer', [2]), scale: 8 });
    const results = evaluateGraph({ ofW: ofW!, ofH: ofH! }, feeds);
    expect([...results.ofW]).toEqual([1 + (10 * 9) / 8, 2 + (100 * 1) / 8]);
    expect([...results.ofH]).toEqual([10 * 0.5, 100 * 4]);
  });

  test('a graph deeper than the call stack is differentiated', () => {
    const g = new GraphBuilder();
    const x = g.input('x', [1]);
    let y = x;
    for (let i = 0; i < 20_000; i++) y = g.unary('Neg', y);
    const accumulator = g.input('acc', [1]);
    const [gradient] = accumulateGradients(g, y, [{ parameter: x, accumulator }]);
    expect(gradient!.inputs).toContain(accumulator);
  });

  test('only a scalar has a gradient, and a scattered sum has none', () => {
    const g = new GraphBuilder();
    const table = g.input('table', [2, 1]);
    const wanted = [{ parameter: table, accumulator: g.input('acc', [2, 1]) }];
    expect(() => accumulateGradients(g, table, wanted)).toThrow(RangeError);
    const scattered = g.scatterAdd(table, g.input('rows', [2, 1], 'int64'), table);
    expect(() => accumulateGradients(g, g.reduce('ReduceSum', scattered, [0, 1]), wanted)).toThrow('ScatterAdd');
  });
});

describe('shapes that do not fit are refused when the graph is built', () => {
  const g = new GraphBuilder();
  const a = g.input('a', [2, 3]);
  const b = g.input('b', [2, 4]);
  const rows = g.input('rows', [2, 1], 'int64');
  const vector = g.input('vector', [3]);
  const cube = g.input('cube', [2, 3, 4]);
  const other = g.input('other', [3, 4, 5]);

  test.each<[string, () => Value]>([
    ['Add', () => g.add(a, b)],
    ['Sub', () => g.sub(a, b)],
    ['Mul', () => g.mul(a, b)],
    ['Div', () => g.div(a, b)],
    ['MatMul, inner sizes', () => g.matmul(a, b)],
    ['MatMul, leading sizes', () => g.matmul(cube, other)],
    ['MatMul by a vector', () => g.matmul(a, vector)],
    ['MatMul of a vector', () => g.matmul(vector, vector)],
    ['Gemm, inner sizes', () => g.gemm(a, b)],
    ['Gemm, transposed into misfit', () => g.gemm(a, g.input('fits', [3, 2]), { transA: true })],
    ['Gemm of a cube', () => g.gemm(cube, b)],
    ['Gemm, an addend that would be broadcast', () => g.gemm(a, a, { transB: true }, g.input('row', [1, 2]))],
    ['ReduceSum over an axis that is not there', () => g.reduce('ReduceSum', a, [2])],
    ['ReduceMax over no axis', () => g.reduce('ReduceMax', a, [])],
    ['Reshape', () => g.reshape(a, [5])],
    ['Expand', () => g.expand(a, [2, 4])],
    ['Expand to less', () => g.expand(a, [1, 3])],
    ['Transpose, an axis twice', () => g.transpose(a, [0, 0])],
    ['Transpose, an axis missing', () => g.transpose(cube, [1, 0])],
    ['Gather by a row of numbers', () => g.gather(a, g.input('flat', [1, 2], 'int64'))],
    ['Gather from a vector', () => g.gather(vector, rows)],
    ['Equals', () => g.equals(g.input('i', [2], 'int32'), g.input('j', [3], 'int32'))],
    ['ScatterAdd, rows too wide', () => g.scatterAdd(a, rows, b)],
    ['ScatterAdd, too few numbers', () => g.scatterAdd(a, rows, g.input('three', [3, 3]))],
    ['a constant', () => g.constant(new Float32Array(2), [3])],
  ])('%s', (_name, build) => {
    expect(build).toThrow(RangeError);
  });
});
