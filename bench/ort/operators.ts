/**
 * `npx tsx bench/ort/operators.ts`: which fused operators onnxruntime-web's WebGPU provider has, and whether any has a
 * gradient. Each is a model of one node, for which a session is made that may not fall back to the processor.
 */
import { create, toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, TensorProto_DataType } from 'onnx-buf';
import { createOrtSession } from '../contenders/onnxruntime.ts';
import { createSetting, firstLine } from './setting.ts';

const MICROSOFT = 'com.microsoft';

interface Case {
  readonly operator: string;
  readonly domain?: string;
  /** Shapes; a number alone is an int32 or int64 input that the operator wants, by type. */
  readonly inputs: readonly (readonly number[] | { readonly shape: readonly number[]; readonly type: number } | '')[];
  readonly outputs?: number;
  readonly attributes?: Record<string, number | string>;
}

const INT32 = TensorProto_DataType.INT32;
const INT64 = TensorProto_DataType.INT64;
const heads = { num_heads: 4, kv_num_heads: 2 };

const FORWARD: readonly Case[] = [
  { operator: 'SimplifiedLayerNormalization', inputs: [[8, 16], [16]], attributes: { axis: -1, epsilon: 1e-5 } },
  {
    operator: 'SkipSimplifiedLayerNormalization',
    domain: MICROSOFT,
    inputs: [[1, 8, 16], [1, 8, 16], [16]],
    attributes: { epsilon: 1e-5 },
  },
  { operator: 'LayerNormalization', inputs: [[8, 16], [16], [16]], attributes: { axis: -1 } },
  {
    operator: 'RotaryEmbedding',
    domain: MICROSOFT,
    inputs: [[1, 4, 8, 16], { shape: [1, 8], type: INT64 }, [8, 8], [8, 8]],
  },
  {
    operator: 'GroupQueryAttention',
    domain: MICROSOFT,
    inputs: [[1, 8, 64], [1, 8, 32], [1, 8, 32], '', '', { shape: [1], type: INT32 }, { shape: [1], type: INT32 }],
    outputs: 3,
    attributes: heads,
  },
  {
    operator: 'MultiHeadAttention',
    domain: MICROSOFT,
    inputs: [
      [1, 8, 64],
      [1, 8, 64],
      [1, 8, 64],
    ],
    attributes: { num_heads: 4, unidirectional: 1 },
  },
  { operator: 'QuickGelu', domain: MICROSOFT, inputs: [[8, 16]], attributes: { alpha: 1 } },
  { operator: 'FastGelu', domain: MICROSOFT, inputs: [[8, 16]] },
  { operator: 'BiasSplitGelu', domain: MICROSOFT, inputs: [[1, 8, 2560], [2560]] },
  {
    operator: 'FusedMatMul',
    domain: MICROSOFT,
    inputs: [
      [8, 16],
      [8, 16],
    ],
    attributes: { transB: 1 },
  },
  {
    operator: 'Gemm',
    inputs: [
      [8, 16],
      [8, 16],
    ],
    attributes: { transB: 1 },
  },
  { operator: 'SoftmaxCrossEntropyLoss', inputs: [[8, 16], { shape: [8], type: INT64 }] },
];

/** Names under which onnxruntime's training build, and nothing else, has gradients. */
const BACKWARD: readonly Case[] = [
  {
    operator: 'SimplifiedLayerNormalizationGrad',
    domain: MICROSOFT,
    inputs: [[8, 16], [8, 16], [16], [8, 1]],
    outputs: 2,
  },
  {
    operator: 'LayerNormalizationGrad',
    domain: MICROSOFT,
    inputs: [[8, 16], [8, 16], [16], [8, 1], [8, 1]],
    outputs: 3,
  },
  {
    operator: 'SoftmaxGrad_13',
    domain: MICROSOFT,
    inputs: [
      [8, 16],
      [8, 16],
    ],
  },
  { operator: 'SoftmaxCrossEntropyLossGrad', domain: MICROSOFT, inputs: [[], [8, 16], { shape: [8], type: INT64 }] },
  {
    operator: 'FastGeluGrad',
    domain: MICROSOFT,
    inputs: [
      [8, 16],
      [8, 16],
    ],
  },
  {
    operator: 'QuickGeluGrad',
    domain: MICROSOFT,
    inputs: [
      [8, 16],
      [8, 16],
    ],
  },
  {
    operator: 'SigmoidGrad',
    domain: MICROSOFT,
    inputs: [
      [8, 16],
      [8, 16],
    ],
  },
  {
    operator: 'RotaryEmbeddingGrad',
    domain: MICROSOFT,
    inputs: [
      [1, 4, 8, 16],
      [8, 8],
      [8, 8],
    ],
  },
  {
    operator: 'GatherGrad',
    domain: MICROSOFT,
    inputs: [{ shape: [2], type: INT64 }, { shape: [8], type: INT64 }, [8, 16]],
  },
];

function modelOf({ operator, domain = '', inputs, outputs = 1, attributes = {} }: Case): Uint8Array {
  const named = inputs.map((input, i) => ({
    name: input === '' ? '' : `x${i}`,
    ...(input === '' || !('type' in input) ? { type: TensorProto_DataType.FLOAT } : { type: input.type }),
    shape: input === '' ? [] : 'shape' in input ? input.shape : input,
  }));
  const info = (name: string, elemType: number, shape?: readonly number[]): object => ({
    name,
    type: {
      value: {
        case: 'tensorType',
        value: {
          elemType,
          ...(shape ? { shape: { dim: shape.map((n) => ({ value: { case: 'dimValue', value: BigInt(n) } })) } } : {}),
        },
      },
    },
  });
  const results = Array.from({ length: outputs }, (_, i) => `y${i}`);
  const graph = {
    name: operator,
    node: [
      {
        opType: operator,
        domain,
        input: named.map(({ name }) => name),
        output: results,
        attribute: Object.entries(attributes).map(([name, value]) =>
          typeof value === 'string'
            ? { name, type: 3, s: new TextEncoder().encode(value) }
            : Number.isInteger(value) && name !== 'alpha'
              ? { name, type: 2, i: BigInt(value) }
              : { name, type: 1, f: value },
        ),
      },
    ],
    input: named.filter(({ name }) => name !== '').map(({ name, type, shape }) => info(name, type, shape)),
    output: results.map((name) => info(name, TensorProto_DataType.FLOAT)),
  };
  const opsetImport = [
    { domain: '', version: 18n },
    { domain: MICROSOFT, version: 1n },
  ];
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 8n, opsetImport, graph }));
}

const { context, surroundings } = await createSetting();
for (const [title, cases] of [
  ['forward', FORWARD],
  ['backward', BACKWARD],
] as const) {
  console.log(title);
  for (const one of cases) {
    let outcome = 'on the device';
    try {
      await (await createOrtSession(modelOf(one), context.device, surroundings)).release();
    } catch (error) {
      outcome = firstLine(error);
    }
    console.log(`  ${one.operator.padEnd(34)} ${outcome}`);
  }
}
process.exit(0);
