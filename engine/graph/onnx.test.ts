import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, TensorProto_DataType, type ModelProto, type ValueInfoProto } from 'onnx-buf';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { parameterLayout } from '../../core/model/layout.ts';
import { PRESETS } from '../../core/model/presets.ts';
import { tinyConfig, TINY_SEQUENCES } from '../testing/tiny-model.ts';
import { GraphBuilder, sizeOf, type Value } from './ir.ts';
import { forwardGraph, gradientInput, gradientOutput, INPUT, LOSS, trainingGraph } from './llama.ts';
import { writeOnnx } from './onnx.ts';

const ELEMENT_BYTES: Record<number, number> = {
  [TensorProto_DataType.FLOAT]: 4,
  [TensorProto_DataType.INT32]: 4,
  [TensorProto_DataType.INT64]: 8,
};

const read = (outputs: Record<string, Value>): ModelProto => fromBinary(ModelProtoSchema, writeOnnx(outputs));

/** Name → element type and shape; a dimension without a number would be null. */
function described(values: readonly ValueInfoProto[]): Record<string, [number, (number | null)[]]> {
  return Object.fromEntries(
    values.map(({ name, type }) => {
      if (type?.value.case !== 'tensorType') throw new Error(`${name} is no tensor`);
      const { elemType, shape } = type.value.value;
      const dims = shape!.dim.map(({ value }) => (value.case === 'dimValue' ? Number(value.value) : null));
      return [name, [elemType, dims]];
    }),
  );
}

describe.each([true, false])('the training graph as written, tied output: %s', (tied) => {
  const config = tinyConfig(tied);
  const rows = TINY_SEQUENCES * config.contextLength;
  const model = read(trainingGraph({ config, sequences: TINY_SEQUENCES, length: config.contextLength }));
  const graph = model.graph!;
  const { parameters } = parameterLayout(config);
  const { FLOAT, INT32, INT64 } = TensorProto_DataType;

  test('is of opset 18 and nothing besides', () => {
    expect(model.irVersion).toBe(8n);
    expect(model.opsetImport.map(({ domain, version }) => [domain, version])).toEqual([['', 18n]]);
    expect(graph.node.map(({ domain }) => domain).filter(Boolean)).toEqual([]);
  });

  test('takes the parameters, accumulators and batch, and gives the loss and accumulators, all of static shape', () => {
    expect(described(graph.input)).toEqual({
      [INPUT.tokens]: [INT64, [rows, 1]],
      [INPUT.targets]: [INT32, [rows, 1]],
      [INPUT.counts]: [FLOAT, [rows, 1]],
      ...Object.fromEntries(parameters.map(({ name, shape }) => [name, [FLOAT, shape]])),
      ...Object.fromEntries(parameters.map(({ name, shape }) => [gradientInput(name), [FLOAT, shape]])),
    });
    expect(described(graph.output)).toEqual({
      [LOSS]: [FLOAT, [1]],
      ...Object.fromEntries(parameters.map(({ name, shape }) => [gradientOutput(name), [FLOAT, shape]])),
    });
  });

  test('names each tensor once, before it is used, and uses each', () => {
    const known = new Set<string>();
    const define = (name: string): void => {
      expect(name).not.toBe('');
      expect(known.has(name), `${name} is defined twice`).toBe(false);
      known.add(name);
    };
    const used = new Set(graph.output.map(({ name }) => name));
    for (const { name } of [...graph.input, ...graph.initializer]) define(name);
    for (const { input, output } of graph.node) {
      for (const name of input) {
        expect(known.has(name), `${name} is used before it is made`).toBe(true);
        used.add(name);
      }
      for (const name of output) define(name);
    }
    expect([...known].filter((name) => !used.has(name))).toEqual([]);
    for (const { name } of graph.output) expect(known.has(name), name).toBe(true);
  });

  test('constants have as many bytes as their shapes say', () => {
    for (const { name, dims, dataType, rawData } of graph.initializer) {
      expect(rawData.length, name).toBe(sizeOf(dims.map(Number)) * ELEMENT_BYTES[dataType]!);
    }
  });
});

test('the graph of nano has no more nodes than it had, and carries no weights', () => {
  const { model: config } = PRESETS.nano;
  const shape = { config, sequences: 8, length: config.contextLength };
  // Bounds are to be lowered with the counts, never raised: each node is a kernel launch.
  expect(read(forwardGraph(shape)).graph!.node.length).toBeLessThan(252);
  expect(read(trainingGraph(shape)).graph!.node.length).toBeLessThan(670);
  // The embedding's gradient starts from the accumulator; a zero table of its own would be a megabyte.
  expect(writeOnnx(trainingGraph(shape)).length).toBeLessThan(300_000);
});

test('a constant that is a part of a larger buffer is written alone', async () => {
  const g = new GraphBuilder();
  const x = g.input('x', [2]);
  const part = Float32Array.of(9, 9, 3, 4, 9).subarray(2, 4);
  const session = await ort.InferenceSession.create(writeOnnx({ y: g.add(x, g.constant(part, [2])) }));
  const { y } = await session.run({ x: new ort.Tensor('float32', Float32Array.of(10, 20), [2]) });
  expect([...(y!.data as Float32Array)]).toEqual([13, 24]);
  await session.release();
});

describe('each operator computes what its name says', () => {
  const A = [0.5, 1, 2, 4, 0.25, 3];
  const B = [2, 5, 1];
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
  const softmax = (row: number[]): number[] => {
    const total = row.reduce((sum, x) => sum + Math.exp(x), 0);
    return row.map((x) => Math.exp(x) / total);
  };

  test.each<[string, (g: GraphBuilder, a: Value, b: Value, rows: Value, ids: Value) => Value, number[], number[]]>([
    ['Add', (g, a, b) => g.add(a, b), [2, 3], A.map((x, i) => x + B[i % 3]!)],
    ['Sub', (g, a, b) => g.sub(a, b), [2, 3], A.map((x, i) => x - B[i % 3]!)],
    ['Mul', (g, a, b) => g.mul(a, b), [2, 3], A.map((x, i) => x * B[i % 3]!)],
    ['Div', (g, a, b) => g.div(a, b), [2, 3], A.map((x, i) => x / B[i % 3]!)],
    ['Neg', (g, a) => g.unary('Neg', a), [2, 3], A.map((x) => -x)],
    ['Sqrt', (g, a) => g.unary('Sqrt', a), [2, 3], A.map(Math.sqrt)],
    ['Exp', (g, a) => g.unary('Exp', a), [2, 3], A.map(Math.exp)],
    ['Log', (g, a) => g.unary('Log', a), [2, 3], A.map(Math.log)],
    ['Sigmoid', (g, a) => g.unary('Sigmoid', a), [2, 3], A.map(sigmoid)],
    ['Softmax', (g, a) => g.softmax(a), [2, 3], [...softmax(A.slice(0, 3)), ...softmax(A.slice(3))]],
    ['ReduceSum of rows', (g, a) => g.reduce('ReduceSum', a, [1]), [2, 1], [3.5, 7.25]],
    ['ReduceSum of columns', (g, a) => g.reduce('ReduceSum', a, [0]), [1, 3], [4.5, 1.25, 5]],
    ['ReduceMax of rows', (g, a) => g.reduce('ReduceMax', a, [1]), [2, 1], [2, 4]],
    ['Reshape', (g, a) => g.reshape(a, [3, 2]), [3, 2], A],
    ['Expand', (g, _a, b) => g.expand(b, [2, 3]), [2, 3], [...B, ...B]],
    ['Transpose', (g, a) => g.transpose(a, [1, 0]), [3, 2], [0.5, 4, 1, 0.25, 2, 3]],
    ['MatMul', (g, a, b) => g.matmul(a, g.reshape(b, [3, 1])), [2, 1], [8, 12.25]],
    [
      'Gemm with an addend',
      (g, a, b) => g.gemm(b, a, { transB: true }, g.reduce('ReduceSum', g.transpose(a, [1, 0]), [0])),
      [1, 2],
      [11.5, 19.5],
    ],
    ['Gather', (g, a, _b, rows) => g.gather(a, rows), [3, 3], [...A.slice(3), ...A.slice(0, 3), ...A.slice(3)]],
    [
      'ScatterAdd, a row twice',
      (g, a, b, rows) => g.scatterAdd(a, rows, g.expand(b, [3, 3])),
      [2, 3],
      [2.5, 6, 3, 8, 10.25, 5],
    ],
    [
      'Equals',
      (g, _a, _b, _rows, ids) => g.equals(ids, g.constant(Int32Array.of(7, 8), [1, 2])),
      [3, 2],
      [0, 1, 1, 0, 0, 0],
    ],
  ])('%s', async (_name, f, shape, expected) => {
    const g = new GraphBuilder();
    const y = f(
      g,
      g.input('a', [2, 3]),
      g.input('b', [1, 3]),
      g.input('rows', [3, 1], 'int64'),
      g.input('ids', [3, 1], 'int32'),
    );
    expect(y.shape).toEqual(shape);
    const session = await ort.InferenceSession.create(writeOnnx({ y }));
    const given: Record<string, ort.Tensor> = {
      a: new ort.Tensor('float32', Float32Array.from(A), [2, 3]),
      b: new ort.Tensor('float32', Float32Array.from(B), [1, 3]),
      rows: new ort.Tensor('int64', BigInt64Array.of(1n, 0n, 1n), [3, 1]),
      ids: new ort.Tensor('int32', Int32Array.of(8, 7, 9), [3, 1]),
    };
    const result = await session.run(Object.fromEntries(session.inputNames.map((name) => [name, given[name]!])));
    await session.release();
    expect(result['y']!.dims).toEqual(shape);
    for (const [i, value] of (result['y']!.data as Float32Array).entries()) expect(value).toBeCloseTo(expected[i]!, 5);
  });
});
