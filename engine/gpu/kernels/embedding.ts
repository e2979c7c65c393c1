/** Rows by number, and their gradient. */
import type { Value } from '../../graph/ir.ts';
import { f32, kernel, spread, type Kernel, type Lowering } from '../kernel.ts';

const THREADS = 64;

export function lowerGather(value: Value, lowering: Lowering): Kernel[] {
  const [table, rows] = value.inputs as [Value, Value];
  const [count, width] = value.shape as [number, number];
  const { workgroups, index } = spread(count);
  const body = `@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = ${index};
  if (row >= ${count}u) { return; }
  let source = u32(rows[row]) * ${width}u;
  for (var i = thread; i < ${width}u; i += ${THREADS}u) {
    result[row * ${width}u + i] = ${lowering.element(value)}(table[source + i]);
  }
}
`;
  return [
    kernel({
      label: `gather ${count}x${width}`,
      lowering,
      reads: { table, rows },
      writes: { result: value },
      body,
      workgroups,
    }),
  ];
}

/** Threads that look for the places of a row, and words of the mask in which they mark them. */
const SCANNERS = 256;
const WORDS = SCANNERS / 32;

/**
 * A workgroup adds up all updates of one row of the base, in their order, so that the result does not depend on which
 * ran first. It belongs to the first place that names the row; all others find an earlier one and stop.
 */
export function lowerScatterAdd(value: Value, lowering: Lowering): Kernel[] {
  if (value.operator.kind !== 'ScatterAdd') throw new Error('not a ScatterAdd');
  const [base, rows, updates] = value.inputs as [Value, Value, Value];
  if (lowering.inPlaceOf(value) !== base) throw new Error('ScatterAdd has a kernel in place only');
  const [count, width] = updates.shape as [number, number];
  const { workgroups, index } = spread(count);
  const body = `var<workgroup> earlier: u32;
var<workgroup> places: array<atomic<u32>, ${WORDS}>;

@compute @workgroup_size(${SCANNERS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let first = ${index};
  if (first >= ${count}u) { return; }
  let row = rows[first];
  for (var other = thread; other < first; other += ${SCANNERS}u) {
    if (rows[other] == row) { earlier = 1u; }
  }
  if (workgroupUniformLoad(&earlier) == 1u) { return; }
  for (var start = 0u; start < ${width}u; start += ${SCANNERS}u) {
    let column = start + thread;
    var sum = 0.0;
    for (var block = first; block < ${count}u; block += ${SCANNERS}u) {
      if (thread < ${WORDS}u) { atomicStore(&places[thread], 0u); }
      workgroupBarrier();
      if (block + thread < ${count}u && rows[block + thread] == row) {
        atomicOr(&places[thread / 32u], 1u << (thread % 32u));
      }
      workgroupBarrier();
      for (var word = 0u; word < ${WORDS}u; word++) {
        for (var bits = atomicLoad(&places[word]); bits != 0u; bits &= bits - 1u) {
          let place = block + word * 32u + countTrailingZeros(bits);
          if (column < ${width}u) { sum += f32(updates[place * ${width}u + column]); }
        }
      }
      workgroupBarrier();
    }
    if (column < ${width}u) { result[u32(row) * ${width}u + column] += ${f32(value.operator.alpha)} * sum; }
  }
}
`;
  return [
    kernel({
      label: `scatter-add ${count}x${width}`,
      lowering,
      reads: { rows, updates },
      writes: { result: value },
      body,
      workgroups,
    }),
  ];
}
