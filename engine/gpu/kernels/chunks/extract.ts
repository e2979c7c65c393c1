/**
 * Folds a window's work into the accumulator and takes out each chunk's largest values, or coefficients where there is a
 * transform, a workgroup a chunk: the fast path of `extract` in the contributors of core/scheme. Everything between the
 * work and the kept values stays in the workgroup: most of it in registers, and what threads must see of each other's in a few rows
 * at a time, so that the memory of the workgroup, of which WebGPU guarantees 16 KiB, does not keep others waiting.
 */
import { f32 } from '../../kernel.ts';
import { chunkMain, divide, eachOwn, UNIFORMS, type ChunkShape } from './chunk-workgroup.ts';
import { bindWork, folded, type Work } from './work.ts';

/** A thread's elements that pass through the workgroup's memory at once. */
const BATCH = 4;
/** Values of a digit in the radix select: as counts of a byte each they are one vec4<u32> a thread. */
const DIGITS = 16;
/** Partial sums of a digit's counts. */
const SEGMENTS = 16;
/** Bits a thread has for its elements; it has at most that many. */
const PLANES = 16;

export interface Extraction {
  readonly work: Work;
  /** Whether values are selected by their cosine transform's coefficients, or as they are. */
  readonly transform: boolean;
  /** Stands for each value of a chunk that has nothing to say: values are of unit length a chunk. */
  readonly silence: number;
}

/** WGSL that leaves a thread's values in `own`, with the accumulator as it is now. */
function load(shape: ChunkShape, work: Work): string {
  return `var own: array<f32, ${divide(shape).share}>;
  ${eachOwn(
    shape,
    `let at = corner + row * run.stride + column;
    own[i] = ${folded(work, 'at')};
    accumulator[at] = own[i];`,
  )}`;
}

/** As `load`, with a thread's coefficients in `own`: the transform goes along the rows first. */
function loadTransformed(shape: ChunkShape, work: Work): string {
  const { rows, columns } = shape;
  const { lanes, share } = divide(shape);
  const batches = Array.from({ length: Math.ceil(share / BATCH) }, (_, i) => {
    const end = Math.min((i + 1) * BATCH, share);
    return { first: i * BATCH, end, row: i * BATCH * lanes, endRow: Math.min(end * lanes, rows) };
  });
  return `var along_rows: array<f32, ${share}>;
  ${batches
    .map(
      ({ first, end, row }) => `${eachOwn(
        shape,
        `let at = corner + row * run.stride + column;
    let folded = ${folded(work, 'at')};
    accumulator[at] = folded;
    words[element - ${row * columns}u] = bitcast<u32>(folded);`,
        first,
        end,
      )}
  workgroupBarrier();
  for (var k = 0u; k < ${columns}u; k++) {
    let basis = bases[${rows * rows}u + k * ${columns}u + column];
    ${eachOwn(shape, `along_rows[i] += bitcast<f32>(words[(row - ${row}u) * ${columns}u + k]) * basis;`, first, end)}
  }
  workgroupBarrier();`,
    )
    .join('\n  ')}
  var own: array<f32, ${share}>;
  ${batches
    .map(
      ({ first, end, row, endRow }) => `${eachOwn(
        shape,
        `words[element - ${row * columns}u] = bitcast<u32>(along_rows[i]);`,
        first,
        end,
      )}
  workgroupBarrier();
  for (var k = ${row}u; k < ${endRow}u; k++) {
    let value = bitcast<f32>(words[(k - ${row}u) * ${columns}u + column]);
    ${eachOwn(shape, `own[i] += bases[row * ${rows}u + k] * value;`)}
  }
  workgroupBarrier();`,
    )
    .join('\n  ')}`;
}

export function extractCode(shape: ChunkShape, { work, transform, silence }: Extraction): string {
  const { kept } = shape;
  const { threads } = divide(shape);
  const atPartials = 4 * threads;
  const atTotals = atPartials + DIGITS * SEGMENTS;
  const planeWords = Math.ceil(threads / 32);
  const words = Math.max(BATCH * threads, atTotals + DIGITS, threads + 2 * PLANES * planeWords);

  return /* wgsl */ `${UNIFORMS}
@group(0) @binding(2) var<storage, read_write> accumulator: array<f32>;
@group(0) @binding(3) var<storage, read_write> picks: array<u32>;
@group(0) @binding(4) var<storage, read_write> norms: array<f32>;
@group(0) @binding(5) var<storage, read_write> values: array<f32>;
${bindWork(work, 6)}
${transform ? `@group(0) @binding(${6 + work.arrays.length}) var<storage, read> bases: array<f32>;` : ''}

const SMALLEST_NORMAL = 0x1p-126f;

// Bits and not floats: a device may flush or quieten what only looks like a float.
var<workgroup> words: array<u32, ${words}>;

fn magnitude(value: f32) -> u32 {
  return bitcast<u32>(value) & 0x7fffffffu;
}

// One in the place of a digit's count among the four to a word.
fn counted(digit: u32) -> vec4<u32> {
  let one = 1u << (8u * (digit & 3u));
  return select(vec4<u32>(), vec4<u32>(one), vec4<u32>(0u, 1u, 2u, 3u) == vec4<u32>(digit >> 2u));
}

// How many places before this thread's i-th are marked, of those whose marks begin at \`first\`.
fn marked_before(first: u32, i: u32, thread: u32) -> u32 {
  let end = first + i * ${planeWords}u + thread / 32u;
  var count = countOneBits(words[end] & ((1u << (thread % 32u)) - 1u));
  for (var at = first; at < end; at++) { count += countOneBits(words[at]); }
  return count;
}
${chunkMain(
  shape,
  `
  ${(transform ? loadTransformed : load)(shape, work)}

  // The least magnitude that is kept, digit by digit from the highest: magnitudes are ordered as their bits are.
  var least = 0u;
  var wanted = ${kept}u;
  for (var digit = 0u; digit < 8u; digit++) {
    let shift = 28u - 4u * digit;
    var counts = vec4<u32>();
    ${eachOwn(
      shape,
      `let bits = magnitude(own[i]) >> shift;
    counts += select(vec4<u32>(), counted(bits & 15u), (bits >> 4u) == least);`,
    )}
    for (var i = 0u; i < 4u; i++) { words[4u * thread + i] = counts[i]; }
    workgroupBarrier();
    for (var item = thread; item < ${DIGITS * SEGMENTS}u; item += ${threads}u) {
      let value = item % ${DIGITS}u;
      var sum = 0u;
      for (var other = item / ${DIGITS}u; other < ${threads}u; other += ${SEGMENTS}u) {
        sum += extractBits(words[4u * other + (value >> 2u)], 8u * (value & 3u), 8u);
      }
      words[${atPartials}u + item] = sum;
    }
    workgroupBarrier();
    for (var value = thread; value < ${DIGITS}u; value += ${threads}u) {
      var sum = 0u;
      for (var part = value; part < ${DIGITS * SEGMENTS}u; part += ${DIGITS}u) { sum += words[${atPartials}u + part]; }
      words[${atTotals}u + value] = sum;
    }
    workgroupBarrier();
    var value = ${DIGITS - 1}u;
    while (value > 0u && words[${atTotals}u + value] < wanted) {
      wanted -= words[${atTotals}u + value];
      value--;
    }
    least = (least << 4u) | value;
  }
  workgroupBarrier();

  // A bit a place, in order of places: for those larger than the least, then for those equal to it.
  var larger = 0u;
  var equal = 0u;
  ${eachOwn(
    shape,
    `larger |= u32(magnitude(own[i]) > least) << i;
    equal |= u32(magnitude(own[i]) == least) << i;`,
  )}
  words[thread] = larger | (equal << ${PLANES}u);
  workgroupBarrier();
  for (var item = thread; item < ${2 * PLANES * planeWords}u; item += ${threads}u) {
    let first = 32u * (item % ${planeWords}u);
    var marks = 0u;
    for (var other = first; other < min(first + 32u, ${threads}u); other++) {
      marks |= extractBits(words[other], item / ${planeWords}u, 1u) << (other - first);
    }
    words[${threads}u + item] = marks;
  }
  workgroupBarrier();

  // Of equal ones the first are kept.
  let first_pick = run.first_pick + chunk * ${kept}u;
  ${eachOwn(
    shape,
    `let is_larger = magnitude(own[i]) > least;
    if (is_larger || magnitude(own[i]) == least) {
      let equals = marked_before(${threads + PLANES * planeWords}u, i, thread);
      if (is_larger || equals < wanted) {
        let pick = first_pick + marked_before(${threads}u, i, thread) + min(equals, wanted);
        picks[pick] = element;
        values[pick] = own[i];
      }
    }`,
  )}
  storageBarrier();

  // Squares of parts of the largest, which neither vanish nor overflow.
  var largest = 0.0;
  for (var i = 0u; i < ${kept}u; i++) { largest = max(largest, abs(values[first_pick + i])); }
  let silent = largest < SMALLEST_NORMAL;
  let unit = 1.0 / select(largest, 1.0, silent);
  var squares = 0.0;
  for (var i = 0u; i < ${kept}u; i++) {
    let part = values[first_pick + i] * unit;
    squares += part * part;
  }
  let length = select(sqrt(squares), 1.0, silent);
  storageBarrier();
  for (var i = thread; i < ${kept}u; i += ${threads}u) {
    let value = values[first_pick + i] * unit / length;
    values[first_pick + i] = select(select(value, 0.0, abs(value) < SMALLEST_NORMAL), ${f32(silence)}, silent);
    // Receivers refuse whatever else a silent chunk could say.
    if (silent) { picks[first_pick + i] = i; }
  }
  if (thread == 0u) { norms[run.first_chunk + chunk] = select(largest * length, 0.0, silent); }`,
)}`;
}
