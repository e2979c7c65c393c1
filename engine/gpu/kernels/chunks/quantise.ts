/**
 * One quantiser for the values of a whole message, and their codes: the fast path of `quantise` and `quantiseMidRise`
 * (core/numerics) and of `quantiseAll` in the contributors of core/scheme. Every sum is taken in an order that does not depend on
 * the device's: a workgroup's first, then, by whoever needs it next, those of all workgroups.
 */
import { MAX_SCALE, MIN_SCALE } from '../../../../core/numerics/quantise.ts';
import { f32 } from '../../kernel.ts';
import { workgroupReduction } from '../reduction.ts';

export interface QuantiserRule {
  /** At most 256. */
  readonly bins: number;
  /** Code of a value at the shift, rounded to even. */
  readonly middle: number;
  /** Whether bins are shifted to the values' mean, whose deviation is then that of a sample. */
  readonly shifted: boolean;
  /** What stands for each value that is not to count, as `extractCode` leaves it. */
  readonly silence: number;
}

/** A thread a bin. */
const THREADS = 256;
const MAX_GROUPS = 64;

const TOTAL = workgroupReduction('total', THREADS, (a, b) => `${a} + ${b}`);

/** Shift, width of a bin, the table, and the code of silence. */
const AT_TABLE = 2;
const AT_SILENCE = AT_TABLE + THREADS;
export const QUANTISER_SCRATCH_BYTES = 4 * (AT_SILENCE + 1);

/** Workgroups of each kernel but the last, which has one. */
export function quantiseGroups(count: number): number {
  return Math.min(MAX_GROUPS, Math.ceil(count / THREADS));
}

/** Of each workgroup: the sum of its values, how many are silent, the sum of squares; then the sum and count of each bin. */
export function sumsBytes(count: number): number {
  return 4 * quantiseGroups(count) * (3 + 2 * THREADS);
}

/** The kernels in order, each of `count` values. */
export function quantiseCodes(
  count: number,
  { bins, middle, shifted, silence }: QuantiserRule,
): { moments: string; spread: string; encode: string; table: string } {
  // Of as many values the deviation is that of fewer, since their mean is theirs.
  const freedom = shifted ? 1 : 0;
  const isSilent = `value == ${f32(silence)}`;
  const groups = quantiseGroups(count);
  const atSilent = groups;
  const atSquares = 2 * groups;
  const atBins = 3 * groups;
  const ENTRY = `@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32)`;
  const bindSums = '@group(0) @binding(0) var<storage, read_write> sums: array<f32>;';
  const bindQuantiser = '@group(0) @binding(1) var<storage, read_write> quantiser: array<f32>;';
  const bindValues = '@group(0) @binding(2) var<storage, read> values: array<f32>;';
  const eachValue = (body: string): string => `
  for (var i = group.x * ${THREADS}u + thread; i < ${count}u; i += ${groups * THREADS}u) {
    let value = values[i];
    ${body}
  }`;
  const ofAllGroups = /* wgsl */ `
${TOTAL}

fn of_all_groups(first: u32, thread: u32) -> f32 {
  return total(select(0.0, sums[first + min(thread, ${groups - 1}u)], thread < ${groups}u), thread);
}

fn live_values(thread: u32) -> f32 {
  return ${f32(count)} - of_all_groups(${atSilent}u, thread);
}
`;
  return {
    moments: /* wgsl */ `${bindSums}
@group(0) @binding(1) var<storage, read> values: array<f32>;
${TOTAL}

${ENTRY} {
  var sum = 0.0;
  var silent = 0.0;
  ${eachValue(`if (${isSilent}) { silent += 1.0; } else { sum += value; }`)}
  sum = total(sum, thread);
  silent = total(silent, thread);
  if (thread == 0u) {
    sums[group.x] = sum;
    sums[${atSilent}u + group.x] = silent;
  }
}
`,

    spread: /* wgsl */ `${bindSums}
${bindQuantiser}
${bindValues}
${ofAllGroups}

${ENTRY} {
  let live = live_values(thread);
  let shift = ${shifted ? 'of_all_groups(0u, thread) / max(live, 1.0)' : '0.0'};
  var squares = 0.0;
  ${eachValue(`let distance = select(value - shift, 0.0, ${isSilent}); squares += distance * distance;`)}
  squares = total(squares, thread);
  if (thread == 0u) {
    sums[${atSquares}u + group.x] = squares;
    if (group.x == 0u) { quantiser[0] = shift; }
  }
}
`,

    encode: /* wgsl */ `${bindSums}
${bindQuantiser}
${bindValues}
@group(0) @binding(3) var<storage, read_write> picks: array<u32>;
${ofAllGroups}

const NO_BIN = ${THREADS}u;
var<workgroup> distances: array<f32, ${THREADS}>;
var<workgroup> codes: array<u32, ${THREADS}>;

fn code_of(distance: f32, scale: f32) -> u32 {
  return u32(round(clamp(distance / scale + ${f32(middle)}, 0.0, ${f32(bins - 1)})));
}

${ENTRY} {
  let shift = quantiser[0];
  let live = live_values(thread);
  let width = 6.0 * sqrt(of_all_groups(${atSquares}u, thread) / max(live - ${f32(freedom)}, 1.0)) / ${f32(bins)};
  let scale = select(1.0, width, live > ${f32(freedom)} && width >= ${f32(MIN_SCALE)} && width <= ${f32(MAX_SCALE)});
  let silent_code = ${shifted ? 'code_of(-shift, scale)' : '0u'};
  if (thread == 0u && group.x == 0u) {
    quantiser[1] = scale;
    quantiser[${AT_SILENCE}u] = f32(silent_code);
  }
  // Values go through the memory of the workgroup in tiles, of which each thread adds up its bin's.
  var sum = 0.0;
  var entries = 0.0;
  for (var tile = group.x * ${THREADS}u; tile < ${count}u; tile += ${groups * THREADS}u) {
    let i = tile + thread;
    codes[thread] = NO_BIN;
    if (i < ${count}u) {
      let value = values[i];
      let silent = ${isSilent};
      let code = code_of(value - shift, scale);
      picks[i] |= select(code, silent_code, silent) << 16u;
      distances[thread] = value - shift;
      codes[thread] = select(code, NO_BIN, silent);
    }
    workgroupBarrier();
    for (var other = 0u; other < ${THREADS}u; other++) {
      let own = codes[other] == thread;
      sum += select(0.0, distances[other], own);
      entries += select(0.0, 1.0, own);
    }
    workgroupBarrier();
  }
  sums[${atBins}u + group.x * ${THREADS}u + thread] = sum;
  sums[${atBins + groups * THREADS}u + group.x * ${THREADS}u + thread] = entries;
}
`,

    // The reference's quantiser has no exact zero, and a silent chunk must stay silent: so where it shifts, the bin that
    // silence falls in decodes to exactly zero. Where there is no shift, a norm of 0 says it.
    table: /* wgsl */ `${bindSums}
${bindQuantiser}
${ofAllGroups}

@compute @workgroup_size(${THREADS})
fn main(@builtin(local_invocation_index) thread: u32) {
  var sum = 0.0;
  var entries = 0.0;
  for (var other = 0u; other < ${groups}u; other++) {
    sum += sums[${atBins}u + other * ${THREADS}u + thread];
    entries += sums[${atBins + groups * THREADS}u + other * ${THREADS}u + thread];
  }
  let mean = sum / max(entries, 1.0);
${
  shifted
    ? `  let is_silent = of_all_groups(${atSilent}u, thread) > 0.0 && f32(thread) == quantiser[${AT_SILENCE}];
  quantiser[${AT_TABLE}u + thread] = select(mean, -quantiser[0], is_silent);`
    : `  quantiser[${AT_TABLE}u + thread] = mean;`
}
}
`,
  };
}
