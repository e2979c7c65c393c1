/** Writes a graph out as an ONNX model (opset 18, static shapes) with the schema's own protobuf library. */
import { create, toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, TensorProto_DataType } from 'onnx-buf';
import { reachable, type DType, type Value } from './ir.ts';

const OPSET = 18n;
/** ONNX 1.13, the format of opset 18. */
const IR_VERSION = 8n;

const FLOAT = 1;
const INT = 2;
const INTS = 7;
const STRING = 3;

const ELEMENT_TYPE: Record<DType, number> = {
  float32: TensorProto_DataType.FLOAT,
  int32: TensorProto_DataType.INT32,
  int64: TensorProto_DataType.INT64,
};

interface NodeInit {
  readonly opType: string;
  readonly input: string[];
  readonly output: string[];
  readonly attribute: object[];
}

const float = (name: string, f: number): object => ({ name, type: FLOAT, f });
const int = (name: string, i: number): object => ({ name, type: INT, i: BigInt(i) });
const ints = (name: string, values: readonly number[]): object => ({ name, type: INTS, ints: values.map(BigInt) });
const string = (name: string, s: string): object => ({ name, type: STRING, s: new TextEncoder().encode(s) });

function valueInfo(name: string, { dtype, shape }: Pick<Value, 'dtype' | 'shape'>): object {
  const dim = shape.map((n) => ({ value: { case: 'dimValue', value: BigInt(n) } }));
  return { name, type: { value: { case: 'tensorType', value: { elemType: ELEMENT_TYPE[dtype], shape: { dim } } } } };
}

/** @param outputs the graph's results by name, none of them an input; inputs are found by walking back from them */
export function writeOnnx(outputs: Readonly<Record<string, Value>>): Uint8Array<ArrayBuffer> {
  const nodes: NodeInit[] = [];
  const initializers: object[] = [];
  const inputs: object[] = [];
  const shapes = new Map<string, string>();

  /** An int64 tensor that an operator takes as an input: a shape, axes. */
  const integers = (values: readonly number[]): string => {
    const key = values.join();
    let name = shapes.get(key);
    if (name === undefined) {
      name = `ints_${shapes.size}`;
      shapes.set(key, name);
      initializers.push({
        name,
        dims: [BigInt(values.length)],
        dataType: TensorProto_DataType.INT64,
        rawData: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
      });
    }
    return name;
  };

  const names = new Map(Object.entries(outputs).map(([name, value]) => [value, name]));
  const nameOf = (value: Value): string => names.get(value) ?? value.name ?? `v${value.id}`;
  const emit = (opType: string, value: Value, input: string[], attribute: object[] = []): void => {
    nodes.push({ opType, input, output: [nameOf(value)], attribute });
  };

  for (const value of reachable(Object.values(outputs))) {
    const { operator, shape } = value;
    const input = value.inputs.map(nameOf);
    switch (operator.kind) {
      case 'input':
        inputs.push(valueInfo(nameOf(value), value));
        break;
      case 'constant':
        initializers.push({
          name: nameOf(value),
          dims: shape.map(BigInt),
          dataType: ELEMENT_TYPE[value.dtype],
          rawData: new Uint8Array(operator.data.buffer, operator.data.byteOffset, operator.data.byteLength),
        });
        break;
      case 'Gemm':
        emit('Gemm', value, input, [
          int('transA', Number(operator.transA)),
          int('transB', Number(operator.transB)),
          ...(operator.alpha === 1 ? [] : [float('alpha', operator.alpha)]),
        ]);
        break;
      case 'ReduceSum':
      case 'ReduceMax':
        emit(operator.kind, value, [...input, integers(operator.axes)], [int('keepdims', 1)]);
        break;
      case 'Reshape':
      case 'Expand':
        emit(operator.kind, value, [...input, integers(shape)]);
        break;
      case 'Transpose':
        emit('Transpose', value, input, [ints('perm', operator.permutation)]);
        break;
      case 'Softmax':
        emit('Softmax', value, input, [int('axis', -1)]);
        break;
      case 'Gather': {
        const column = `${nameOf(value)}_column`;
        nodes.push({ opType: 'Gather', input, output: [column], attribute: [int('axis', 0)] });
        emit('Reshape', value, [column, integers(shape)]);
        break;
      }
      case 'Equals': {
        const flag = `${nameOf(value)}_bool`;
        nodes.push({ opType: 'Equal', input, output: [flag], attribute: [] });
        emit('Cast', value, [flag], [int('to', TensorProto_DataType.FLOAT)]);
        break;
      }
      case 'ScatterAdd':
        if (operator.alpha !== 1) throw new Error('ONNX has no ScatterND with a factor');
        emit('ScatterND', value, input, [string('reduction', 'add')]);
        break;
      case 'MatMul':
      case 'Add':
      case 'Sub':
      case 'Mul':
      case 'Div':
      case 'Neg':
      case 'Sqrt':
      case 'Exp':
      case 'Log':
      case 'Sigmoid':
        emit(operator.kind, value, input);
        break;
      case 'RmsNorm':
      case 'RmsNormGrad':
      case 'RmsNormWeightGrad':
      case 'Rotate':
      case 'Attention':
      case 'AttentionGrad':
      case 'SwiGlu':
      case 'SwiGluGrad':
      case 'CrossEntropy':
      case 'Part':
        throw new Error(`${operator.kind} is not an operator of ONNX: build the graph of primitive ones`);
      default:
        operator satisfies never;
    }
  }
  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: 'gauntlet',
    opsetImport: [{ domain: '', version: OPSET }],
    graph: {
      name: 'gauntlet',
      node: nodes,
      initializer: initializers,
      input: inputs,
      output: Object.entries(outputs).map(([name, value]) => valueInfo(name, value)),
    },
  });
  return toBinary(ModelProtoSchema, model);
}
