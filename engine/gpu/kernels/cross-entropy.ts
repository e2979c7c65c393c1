/** Next-token cross-entropy and its gradient, a workgroup a row; and the sum of all rows. */
import { sizeOf, type Value } from '../../graph/ir.ts';
import { f32, kernel, spread, type Kernel, type Lowering } from '../kernel.ts';
import { workgroupReduction } from './reduction.ts';

/** Of a workgroup, for a short row and a long one. */
const FEW = 64;
const MANY = 256;
const LONG_ROW = 4096;

const sum = (threads: number): string => workgroupReduction('total', threads, (a, b) => `${a} + ${b}`);
const maximum = (threads: number): string => workgroupReduction('largest', threads, (a, b) => `max(${a}, ${b})`);

/** The gradient, count · (softmax - one-hot), takes the logits' place: there is no second matrix of that size. */
export function lowerCrossEntropy(value: Value, lowering: Lowering): Kernel[] {
  if (value.operator.kind !== 'CrossEntropy') throw new Error('not a CrossEntropy');
  const [logits, targets, counts] = value.inputs as [Value, Value, Value];
  const [rows, vocabulary] = logits.shape as [number, number];
  const threads = vocabulary < LONG_ROW ? FEW : MANY;
  const gradient = lowering.part(value, 0);
  const inPlace = gradient !== undefined && lowering.inPlaceOf(gradient) === logits;
  const source = inPlace ? 'gradient' : 'logits';
  const { workgroups, index } = spread(rows);
  const writeGradient = (
    name: Value,
  ): string => `let factor = ${f32((value.operator as { scale: number }).scale)} * counts[row];
  for (var i = thread; i < ${vocabulary}u; i += ${threads}u) {
    let share = exp(f32(${source}[start + i]) - most) / sum - select(0.0, 1.0, i == target_id);
    gradient[start + i] = ${lowering.element(name)}(factor * share);
  }`;
  const body = `${sum(threads)}

${maximum(threads)}

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = ${index};
  if (row >= ${rows}u) { return; }
  let start = row * ${vocabulary}u;
  let target_id = u32(targets[row]);
  var own = -3.4e38;
  for (var i = thread; i < ${vocabulary}u; i += ${threads}u) { own = max(own, f32(${source}[start + i])); }
  let most = largest(own, thread);
  var exponentials = 0.0;
  for (var i = thread; i < ${vocabulary}u; i += ${threads}u) { exponentials += exp(f32(${source}[start + i]) - most); }
  let sum = total(exponentials, thread);
  if (thread == 0u) { losses[row] = counts[row] * (log(sum) + most - f32(${source}[start + target_id])); }
  ${
    gradient
      ? `// The target's logit is read before its place is written.
  workgroupBarrier();
  ${writeGradient(gradient)}`
      : ''
  }
}
`;
  return [
    kernel({
      label: `cross-entropy ${rows}x${vocabulary}`,
      lowering,
      reads: { ...(inPlace ? {} : { logits }), targets, counts },
      writes: { losses: value, gradient },
      body,
      workgroups,
    }),
  ];
}

/** The sum of everything. */
export function lowerReduceSum(value: Value, lowering: Lowering): Kernel[] {
  const [source] = value.inputs as [Value];
  if (value.operator.kind !== 'ReduceSum' || sizeOf(value.shape) !== 1) {
    throw new Error('ReduceSum has a kernel for the sum over all axes only');
  }
  const body = `${sum(MANY)}

@compute @workgroup_size(${MANY})
fn main(@builtin(local_invocation_index) thread: u32) {
  var own = 0.0;
  for (var i = thread; i < ${sizeOf(source.shape)}u; i += ${MANY}u) { own += f32(source[i]); }
  let sum = total(own, thread);
  if (thread == 0u) { result[0] = ${lowering.element(value)}(sum); }
}
`;
  return [
    kernel({
      label: `sum ${sizeOf(source.shape)}`,
      lowering,
      reads: { source },
      writes: { result: value },
      body,
      workgroups: [1],
    }),
  ];
}
