/** Operators that make each element from a few others: rotary embeddings, SwiGLU, and what little else a graph adds. */
import { broadcastShape, sizeOf, type Value } from '../../graph/ir.ts';
import { kernel, spread, type Kernel, type Lowering } from '../kernel.ts';

const THREADS = 128;

interface Pointwise {
  readonly label: string;
  /** Invocations; the body sees its own number as `i`. */
  readonly count: number;
  readonly reads: Readonly<Record<string, Value | undefined>>;
  readonly writes: Readonly<Record<string, Value | undefined>>;
  readonly body: string;
}

function pointwise({ label, count, reads, writes, body }: Pointwise, lowering: Lowering): Kernel[] {
  const { workgroups, index } = spread(Math.ceil(count / THREADS));
  const code = `@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let i = ${index} * ${THREADS}u + thread;
  if (i >= ${count}u) { return; }
  ${body}
}
`;
  return [kernel({ label: `${label} ${count}`, lowering, reads, writes, body: code, workgroups })];
}

/** An invocation turns one pair of a query or key; values stay, or are copied where the result has its own memory. */
export function lowerRotate(value: Value, lowering: Lowering): Kernel[] {
  if (value.operator.kind !== 'Rotate') throw new Error('not a Rotate');
  const { attention, inverse } = value.operator;
  const { length, heads, kvHeads, headDim } = attention;
  const [projections, cos, sin] = value.inputs as [Value, Value, Value];
  const [rows, width] = value.shape as [number, number];
  const half = headDim / 2;
  const turned = heads + kvHeads;
  const inPlace = lowering.inPlaceOf(value) === projections;
  const pairs = (inPlace ? turned : turned + kvHeads) * half;
  const source = inPlace ? 'result' : 'projections';
  const element = lowering.element(value);
  const copy = `if (head >= ${turned}u) {
    result[first] = ${source}[first];
    result[first + ${half}u] = ${source}[first + ${half}u];
    return;
  }`;
  return pointwise(
    {
      label: inverse ? 'rotate-back' : 'rotate',
      count: rows * pairs,
      reads: { ...(inPlace ? {} : { projections }), cos, sin },
      writes: { result: value },
      body: `let row = i / ${pairs}u;
  let head = (i % ${pairs}u) / ${half}u;
  let pair = i % ${half}u;
  let first = row * ${width}u + head * ${headDim}u + pair;
  ${inPlace ? '' : copy}
  let angle = (row % ${length}u) * ${half}u + pair;
  let c = cos[angle];
  let s = ${inverse ? '-' : ''}sin[angle];
  let a = f32(${source}[first]);
  let b = f32(${source}[first + ${half}u]);
  result[first] = ${element}(a * c - b * s);
  result[first + ${half}u] = ${element}(b * c + a * s);`,
    },
    lowering,
  );
}

/** σ(gate); the exponential stays finite, since a device may assume that all floats are. */
const SIGMOID = '(1.0 / (1.0 + exp(min(-gate, 80.0))))';

export function lowerSwiGlu(value: Value, lowering: Lowering): Kernel[] {
  const [gateUp] = value.inputs as [Value];
  const [rows, width] = value.shape as [number, number];
  return pointwise(
    {
      label: 'swiglu',
      count: rows * width,
      reads: { gate_up: gateUp },
      writes: { result: value },
      body: `let at = (i / ${width}u) * ${2 * width}u + i % ${width}u;
  let gate = f32(gate_up[at]);
  result[i] = ${lowering.element(value)}(gate * ${SIGMOID} * f32(gate_up[at + ${width}u]));`,
    },
    lowering,
  );
}

/** silu'(g) = σ(g)·(1 + g·(1 - σ(g))). */
export function lowerSwiGluGrad(value: Value, lowering: Lowering): Kernel[] {
  const [gateUp, gradient] = value.inputs as [Value, Value];
  const [rows, width] = gradient.shape as [number, number];
  const inPlace = lowering.inPlaceOf(value) === gateUp;
  const source = inPlace ? 'result' : 'gate_up';
  const element = lowering.element(value);
  return pointwise(
    {
      label: 'swiglu-grad',
      count: rows * width,
      reads: { ...(inPlace ? {} : { gate_up: gateUp }), gradient },
      writes: { result: value },
      body: `let at = (i / ${width}u) * ${2 * width}u + i % ${width}u;
  let gate = f32(${source}[at]);
  let up = f32(${source}[at + ${width}u]);
  let outer = f32(gradient[i]);
  let sigmoid = ${SIGMOID};
  result[at] = ${element}(outer * up * sigmoid * (1.0 + gate * (1.0 - sigmoid)));
  result[at + ${width}u] = ${element}(outer * gate * sigmoid);`,
    },
    lowering,
  );
}

/** WGSL of the place in an operand's memory that belongs to element i of the result. */
function broadcastIndex(shape: readonly number[], operand: readonly number[]): string {
  if (shape.join() === operand.join()) return 'i';
  const terms: string[] = [];
  for (let axis = 0; axis < operand.length; axis++) {
    if (operand[axis] === 1) continue;
    const own = shape.length - operand.length + axis;
    const inner = sizeOf(shape.slice(own + 1));
    terms.push(`((i / ${inner}u) % ${shape[own]!}u) * ${sizeOf(operand.slice(axis + 1))}u`);
  }
  return terms.join(' + ') || '0u';
}

const SIGNS = { Add: '+', Mul: '*' } as const;

export function lowerBinary(value: Value, lowering: Lowering): Kernel[] {
  const { kind } = value.operator;
  if (kind !== 'Add' && kind !== 'Mul') throw new Error(`${kind} has no kernel`);
  const [a, b] = value.inputs as [Value, Value];
  const shape = broadcastShape(a.shape, b.shape);
  // A buffer may be bound once only.
  const right = a === b ? 'a' : 'b';
  return pointwise(
    {
      label: kind.toLowerCase(),
      count: sizeOf(shape),
      reads: { a, ...(a === b ? {} : { b }) },
      writes: { result: value },
      body: `result[i] = ${lowering.element(value)}(f32(a[${broadcastIndex(shape, a.shape)}]) ${SIGNS[kind]} f32(${right}[${broadcastIndex(shape, b.shape)}]));`,
    },
    lowering,
  );
}
