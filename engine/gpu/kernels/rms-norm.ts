/** RMSNorm and its gradients: a workgroup a row, or sixteen columns a workgroup where rows are summed up. */
import type { Value } from '../../graph/ir.ts';
import { f32, kernel, spread, type Kernel, type Lowering } from '../kernel.ts';
import { workgroupReduction } from './reduction.ts';

const THREADS = 64;

export function lowerRmsNorm(value: Value, lowering: Lowering): Kernel[] {
  if (value.operator.kind !== 'RmsNorm') throw new Error('not an RmsNorm');
  const [x, weight] = value.inputs as [Value, Value];
  const [rows, width] = x.shape as [number, number];
  const inverse = lowering.part(value, 0);
  const { workgroups, index } = spread(rows);
  const body = `${workgroupReduction('total', THREADS, (a, b) => `${a} + ${b}`)}

@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = ${index};
  if (row >= ${rows}u) { return; }
  var squares = 0.0;
  for (var i = thread; i < ${width}u; i += ${THREADS}u) {
    let value = f32(x[row * ${width}u + i]);
    squares += value * value;
  }
  let scale = 1.0 / sqrt(total(squares, thread) / ${f32(width)} + ${f32(value.operator.epsilon)});
  for (var i = thread; i < ${width}u; i += ${THREADS}u) {
    let at = row * ${width}u + i;
    normed[at] = ${lowering.element(value)}(f32(x[at]) * scale * f32(weight[i]));
  }
  ${inverse ? 'if (thread == 0u) { inverse[row] = scale; }' : ''}
}
`;
  return [
    kernel({
      label: `rms-norm ${rows}x${width}`,
      lowering,
      reads: { x, weight },
      writes: { normed: value, inverse },
      body,
      workgroups,
    }),
  ];
}

/** dx = r·(w·dy - x·r²·mean(w·dy·x)) with r = 1 / rms(x). */
export function lowerRmsNormGrad(value: Value, lowering: Lowering): Kernel[] {
  const [x, weight, inverse, gradient, addend] = value.inputs as [Value, Value, Value, Value, Value?];
  const [rows, width] = x.shape as [number, number];
  const inPlace = addend !== undefined && lowering.inPlaceOf(value) === addend;
  const base = addend ? `f32(${inPlace ? 'result' : 'addend'}[at]) + ` : '';
  const { workgroups, index } = spread(rows);
  const body = `${workgroupReduction('total', THREADS, (a, b) => `${a} + ${b}`)}

@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = ${index};
  if (row >= ${rows}u) { return; }
  var product = 0.0;
  for (var i = thread; i < ${width}u; i += ${THREADS}u) {
    let at = row * ${width}u + i;
    product += f32(weight[i]) * f32(gradient[at]) * f32(x[at]);
  }
  let scale = inverse[row];
  let mean = total(product, thread) * scale * scale / ${f32(width)};
  for (var i = thread; i < ${width}u; i += ${THREADS}u) {
    let at = row * ${width}u + i;
    let own = scale * (f32(weight[i]) * f32(gradient[at]) - f32(x[at]) * mean);
    result[at] = ${lowering.element(value)}(${base}own);
  }
}
`;
  return [
    kernel({
      label: `rms-norm-grad ${rows}x${width}`,
      lowering,
      reads: { x, weight, inverse, gradient, ...(addend && !inPlace ? { addend } : {}) },
      writes: { result: value },
      body,
      workgroups,
    }),
  ];
}

/** Columns of a workgroup of the weight's gradient, and the lanes that share a column's rows. */
const LANES = 16;

export function lowerRmsNormWeightGrad(value: Value, lowering: Lowering): Kernel[] {
  if (value.operator.kind !== 'RmsNormWeightGrad') throw new Error('not an RmsNormWeightGrad');
  const [x, inverse, gradient, addend] = value.inputs as [Value, Value, Value, Value?];
  const [rows, width] = x.shape as [number, number];
  const inPlace = addend !== undefined && lowering.inPlaceOf(value) === addend;
  const base = addend ? `${inPlace ? 'result' : 'addend'}[column] + ` : '';
  const body = `var<workgroup> partial: array<f32, ${LANES * LANES}>;

@compute @workgroup_size(${LANES}, ${LANES})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) thread: vec3<u32>) {
  let column = group.x * ${LANES}u + thread.x;
  var sum = 0.0;
  if (column < ${width}u) {
    for (var row = thread.y; row < ${rows}u; row += ${LANES}u) {
      let at = row * ${width}u + column;
      sum += f32(x[at]) * f32(gradient[at]) * inverse[row];
    }
  }
  partial[thread.y * ${LANES}u + thread.x] = sum;
  workgroupBarrier();
  if (thread.y == 0u && column < ${width}u) {
    for (var lane = 1u; lane < ${LANES}u; lane++) { sum += partial[lane * ${LANES}u + thread.x]; }
    result[column] = ${base}${f32(value.operator.alpha)} * sum;
  }
}
`;
  return [
    kernel({
      label: `rms-norm-weight-grad ${rows}x${width}`,
      lowering,
      reads: { x, inverse, gradient, ...(addend && !inPlace ? { addend } : {}) },
      writes: { result: value },
      body,
      workgroups: [Math.ceil(width / LANES)],
    }),
  ];
}
