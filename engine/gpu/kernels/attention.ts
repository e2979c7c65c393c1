/**
 * Causal softmax attention that never writes a T x T matrix, and its gradient (FlashAttention-2, arXiv 2307.08691): a
 * workgroup holds a tile of queries (or of keys) and goes through the tiles of the other side; scores live in its
 * shared memory for as long as they are needed.
 *
 * 16 x 16 threads; thread (x, y) has rows y + 16·i and columns x + 16·j of a tile, so neighbours read neighbours. Heads are
 * brought in strips of 16 columns, so that any head size fits into the guaranteed 16 KiB.
 */
import type { AttentionShape, Value } from '../../graph/ir.ts';
import { f32, kernel, repeat, type Kernel, type Lowering } from '../kernel.ts';

const SIDE = 16;
const THREADS = SIDE * SIDE;
/** Longer than this, larger tiles save more reading than they cost in busy workgroups. */
const LONG = 256;

interface Tiling extends AttentionShape {
  /** Elements a thread has of a tile along each edge: tiles are 16·block wide. */
  readonly block: number;
  readonly tile: number;
  /** Strips of 16 columns that a head has. */
  readonly strips: number;
  readonly width: number;
  readonly sequences: number;
  readonly tiles: number;
}

function tilingOf(projections: Value, attention: AttentionShape, { workgroupBytes }: Lowering): Tiling {
  const block = attention.length > LONG && sharedBytes(4 * SIDE) <= workgroupBytes ? 4 : 2;
  const tile = SIDE * block;
  const [rows, width] = projections.shape as [number, number];
  return {
    ...attention,
    block,
    tile,
    width,
    strips: Math.ceil(attention.headDim / SIDE),
    sequences: rows / attention.length,
    tiles: Math.ceil(attention.length / tile),
  };
}

/** Elements of a strip: a column is padded, so that a warp's accesses spread over the memory's banks. */
function stripSize(tile: number): number {
  return Math.max(SIDE * (tile + 1), tile * (SIDE + 1));
}

/** What the kernels take of shared memory: two strips, scores, and a value of each thread for each row. */
function sharedBytes(tile: number): number {
  return 4 * (2 * stripSize(tile) + tile * (tile + 1) + tile * SIDE);
}

/** A matrix of heads in memory: rows of `width`, the head's first column as WGSL. */
interface Head {
  readonly array: string;
  readonly width: number;
  readonly column: string;
}

/** WGSL that brings strip `strip` of a tile's rows, as [16 columns, tile] turned or [tile, 16 columns] straight. */
function bring(t: Tiling, into: string, head: Head, firstRow: string, strip: string, turned: boolean): string {
  return `for (var at = thread; at < ${t.tile * SIDE}u; at += ${THREADS}u) {
      let deep = at % ${SIDE}u;
      let wide = at / ${SIDE}u;
      let token = ${firstRow} + wide;
      let column = ${strip} * ${SIDE}u + deep;
      var element = 0.0;
      if (token < ${t.length}u && column < ${t.headDim}u) {
        element = f32(${head.array}[(sequence * ${t.length}u + token) * ${head.width}u + ${head.column} + column]);
      }
      ${into}[${turned ? `deep * ${t.tile + 1}u + wide` : `wide * ${SIDE + 1}u + deep`}] = element;
    }`;
}

const cells = (t: Tiling, text: (i: number, j: number) => string): string =>
  repeat(t.block, (i) => repeat(t.block, (j) => text(i, j)));

/** WGSL that adds left · rightᵀ of two tiles, both [tile, headDim], to the registers `name_i_j`. */
function products(t: Tiling, name: string, left: [Head, string], right: [Head, string]): string {
  return `for (var strip = 0u; strip < ${t.strips}u; strip++) {
    workgroupBarrier();
    ${bring(t, 'strip_a', left[0], left[1], 'strip', true)}
    ${bring(t, 'strip_b', right[0], right[1], 'strip', true)}
    workgroupBarrier();
    for (var k = 0u; k < ${SIDE}u; k++) {
      ${repeat(t.block, (i) => `let a_${i} = strip_a[k * ${t.tile + 1}u + y + ${i * SIDE}u];`)}
      ${repeat(t.block, (j) => `let b_${j} = strip_b[k * ${t.tile + 1}u + x + ${j * SIDE}u];`)}
      ${cells(t, (i, j) => `${name}_${i}_${j} = fma(a_${i}, b_${j}, ${name}_${i}_${j});`)}
    }
  }`;
}

/**
 * WGSL that adds scores · head (or scoresᵀ · head) to the registers `sum_strip_i`: row y + 16·i of the result, column x of
 * each strip.
 */
function mix(t: Tiling, sum: string, head: Head, firstRow: string, transposed: boolean): string {
  const score = (i: number): string =>
    transposed ? `scores[k * ${t.tile + 1}u + y + ${i * SIDE}u]` : `scores[(y + ${i * SIDE}u) * ${t.tile + 1}u + k]`;
  return repeat(
    t.strips,
    (strip) => `workgroupBarrier();
    ${bring(t, 'strip_a', head, firstRow, `${strip}u`, false)}
    workgroupBarrier();
    for (var k = 0u; k < ${t.tile}u; k++) {
      let element = strip_a[k * ${SIDE + 1}u + x];
      ${repeat(t.block, (i) => `${sum}_${strip}_${i} = fma(${score(i)}, element, ${sum}_${strip}_${i});`)}
    }`,
  );
}

const registers = (t: Tiling, name: string): string =>
  repeat(t.strips, (strip) => repeat(t.block, (i) => `var ${name}_${strip}_${i} = 0.0;`));

/** WGSL that writes `name_strip_i`, times a factor a row, to a head of a matrix. */
function store(t: Tiling, name: string, head: Head, element: string, firstRow: string, factor: (i: number) => string) {
  return repeat(
    t.block,
    (i) => `{
    let token = ${firstRow} + y + ${i * SIDE}u;
    if (token < ${t.length}u) {
      let start = (sequence * ${t.length}u + token) * ${head.width}u + ${head.column};
      ${repeat(
        t.strips,
        (strip) => `if (x + ${strip * SIDE}u < ${t.headDim}u) {
        ${head.array}[start + x + ${strip * SIDE}u] = ${element}(${name}_${strip}_${i} * ${factor(i)});
      }`,
      )}
    }
  }`,
  );
}

const shared = (t: Tiling): string => `var<workgroup> strip_a: array<f32, ${stripSize(t.tile)}>;
var<workgroup> strip_b: array<f32, ${stripSize(t.tile)}>;
var<workgroup> scores: array<f32, ${t.tile * (t.tile + 1)}>;`;

const entry = `@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let x = thread % ${SIDE}u;
  let y = thread / ${SIDE}u;
  let sequence = group.z;`;

function headsOf(t: Tiling): { query: Head; key: Head; value: Head } {
  const at = (first: number, head: string): Head => ({
    array: 'projections',
    width: t.width,
    column: `(${first}u + ${head}) * ${t.headDim}u`,
  });
  return { query: at(0, 'head'), key: at(t.heads, 'kv_head'), value: at(t.heads + t.kvHeads, 'kv_head') };
}

export function lowerAttention(value: Value, lowering: Lowering): Kernel[] {
  if (value.operator.kind !== 'Attention') throw new Error('not an Attention');
  const [projections] = value.inputs as [Value];
  const t = tilingOf(projections, value.operator.attention, lowering);
  const { query, key, value: values } = headsOf(t);
  const logSums = lowering.part(value, 0);
  const mixed: Head = { array: 'mixed', width: t.heads * t.headDim, column: `head * ${t.headDim}u` };
  const scale = f32(t.headDim ** -0.5);
  const body = `${shared(t)}
var<workgroup> rows: array<f32, ${t.tile * SIDE}>;

${entry}
  let head = group.y;
  let kv_head = head / ${t.heads / t.kvHeads}u;
  // The last tiles have the most to do: they go first.
  let first_query = (${t.tiles - 1}u - group.x) * ${t.tile}u;
  ${registers(t, 'sum')}
  ${repeat(t.block, (i) => `var most_${i} = -3.4e38; var weight_${i} = 0.0;`)}
  for (var first_key = 0u; first_key <= first_query; first_key += ${t.tile}u) {
    ${cells(t, (i, j) => `var s_${i}_${j} = 0.0;`)}
    ${products(t, 's', [query, 'first_query'], [key, 'first_key'])}
    ${cells(
      t,
      (i, j) =>
        `s_${i}_${j} = select(-3.4e38, s_${i}_${j} * ${scale}, first_key + x + ${j * SIDE}u <= first_query + y + ${i * SIDE}u);`,
    )}
    ${repeat(t.block, (i) => `rows[(y + ${i * SIDE}u) * ${SIDE}u + x] = ${maxOf(t, i)};`)}
    workgroupBarrier();
    ${repeat(
      t.block,
      (i) => `var next_${i} = most_${i};
    for (var k = 0u; k < ${SIDE}u; k++) { next_${i} = max(next_${i}, rows[(y + ${i * SIDE}u) * ${SIDE}u + k]); }
    let fade_${i} = exp(most_${i} - next_${i});
    most_${i} = next_${i};`,
    )}
    workgroupBarrier();
    ${cells(t, (i, j) => `s_${i}_${j} = exp(s_${i}_${j} - most_${i}); scores[(y + ${i * SIDE}u) * ${t.tile + 1}u + x + ${j * SIDE}u] = s_${i}_${j};`)}
    ${repeat(t.block, (i) => `rows[(y + ${i * SIDE}u) * ${SIDE}u + x] = ${repeat(t.block, (j) => `s_${i}_${j}`, ' + ')};`)}
    workgroupBarrier();
    ${repeat(
      t.block,
      (i) => `weight_${i} *= fade_${i};
    for (var k = 0u; k < ${SIDE}u; k++) { weight_${i} += rows[(y + ${i * SIDE}u) * ${SIDE}u + k]; }
    ${repeat(t.strips, (strip) => `sum_${strip}_${i} *= fade_${i};`)}`,
    )}
    ${mix(t, 'sum', values, 'first_key', false)}
  }
  ${store(t, 'sum', mixed, lowering.element(value), 'first_query', (i) => `(1.0 / weight_${i})`)}
  ${
    logSums
      ? repeat(
          t.block,
          (i) => `if (x == 0u && first_query + y + ${i * SIDE}u < ${t.length}u) {
    log_sums[(sequence * ${t.length}u + first_query + y + ${i * SIDE}u) * ${t.heads}u + head] = most_${i} + log(weight_${i});
  }`,
        )
      : ''
  }
}
`;
  return [
    kernel({
      label: `attention ${t.sequences}x${t.heads}x${t.length}x${t.headDim}`,
      lowering,
      reads: { projections },
      writes: { mixed: value, log_sums: logSums },
      body,
      workgroups: [t.tiles, t.heads, t.sequences],
    }),
  ];
}

function maxOf(t: Tiling, i: number): string {
  return Array.from({ length: t.block }, (_, j) => `s_${i}_${j}`).reduce((a, b) => `max(${a}, ${b})`);
}

/**
 * With P = exp(scores - log sums), dP = gradient · Vᵀ and D = Σ gradient · mixed: dS = P ∘ (dP - D), dQ = dS · K / √d,
 * dK = dSᵀ · Q / √d, dV = Pᵀ · gradient. One kernel goes along the queries' rows and leaves D to the other, which goes along
 * the keys' columns, through all query heads that share them: no sum has two writers.
 */
export function lowerAttentionGrad(value: Value, lowering: Lowering): Kernel[] {
  if (value.operator.kind !== 'AttentionGrad') throw new Error('not an AttentionGrad');
  const [projections, mixed, logSums, gradient] = value.inputs as [Value, Value, Value, Value];
  const t = tilingOf(projections, value.operator.attention, lowering);
  const { query, key, value: values } = headsOf(t);
  const outer: Head = { array: 'gradient', width: t.heads * t.headDim, column: `head * ${t.headDim}u` };
  const dots = lowering.scratch(value, logSums.shape);
  const element = lowering.element(value);
  const scale = f32(t.headDim ** -0.5);
  const inResult = (head: Head): Head => ({ ...head, array: 'result' });
  const rowOf = (i: number): string =>
    `(sequence * ${t.length}u + first_query + y + ${i * SIDE}u) * ${t.heads}u + head`;
  const seen = (i: number, j: number): string =>
    `first_key + x + ${j * SIDE}u <= first_query + y + ${i * SIDE}u && first_query + y + ${i * SIDE}u < ${t.length}u`;
  /** P into the registers s. */
  const probabilities = `${cells(t, (i, j) => `var s_${i}_${j} = 0.0;`)}
    ${products(t, 's', [query, 'first_query'], [key, 'first_key'])}
    ${cells(t, (i, j) => `s_${i}_${j} = select(0.0, exp(s_${i}_${j} * ${scale} - log_sum_${i}), ${seen(i, j)});`)}`;
  /** dP into the registers p. */
  const outerProducts = `${cells(t, (i, j) => `var p_${i}_${j} = 0.0;`)}
    ${products(t, 'p', [outer, 'first_query'], [values, 'first_key'])}`;
  const keep = (text: (i: number, j: number) => string): string =>
    cells(t, (i, j) => `scores[(y + ${i * SIDE}u) * ${t.tile + 1}u + x + ${j * SIDE}u] = ${text(i, j)};`);
  const slopes = keep((i, j) => `s_${i}_${j} * (p_${i}_${j} - dot_${i})`);

  const alongQueries = `${shared(t)}
var<workgroup> rows: array<f32, ${t.tile * SIDE}>;

${entry}
  let head = group.y;
  let kv_head = head / ${t.heads / t.kvHeads}u;
  let first_query = (${t.tiles - 1}u - group.x) * ${t.tile}u;
  ${repeat(
    t.block,
    (i) => `var log_sum_${i} = 0.0;
  var own_${i} = 0.0;
  if (first_query + y + ${i * SIDE}u < ${t.length}u) {
    log_sum_${i} = log_sums[${rowOf(i)}];
    let start = (sequence * ${t.length}u + first_query + y + ${i * SIDE}u) * ${outer.width}u + ${outer.column};
    for (var column = x; column < ${t.headDim}u; column += ${SIDE}u) {
      own_${i} += f32(mixed[start + column]) * f32(gradient[start + column]);
    }
  }
  rows[(y + ${i * SIDE}u) * ${SIDE}u + x] = own_${i};`,
  )}
  workgroupBarrier();
  ${repeat(
    t.block,
    (i) => `var dot_${i} = 0.0;
  for (var k = 0u; k < ${SIDE}u; k++) { dot_${i} += rows[(y + ${i * SIDE}u) * ${SIDE}u + k]; }
  if (x == 0u && first_query + y + ${i * SIDE}u < ${t.length}u) { dots[${rowOf(i)}] = dot_${i}; }`,
  )}
  ${registers(t, 'sum')}
  for (var first_key = 0u; first_key <= first_query; first_key += ${t.tile}u) {
    ${probabilities}
    ${outerProducts}
    ${slopes}
    ${mix(t, 'sum', key, 'first_key', false)}
  }
  ${store(t, 'sum', inResult(query), element, 'first_query', () => scale)}
}
`;

  const alongKeys = `${shared(t)}

${entry}
  let kv_head = group.y;
  let first_key = group.x * ${t.tile}u;
  ${registers(t, 'key_sum')}
  ${registers(t, 'value_sum')}
  for (var member = 0u; member < ${t.heads / t.kvHeads}u; member++) {
    let head = kv_head * ${t.heads / t.kvHeads}u + member;
    for (var first_query = first_key; first_query < ${t.length}u; first_query += ${t.tile}u) {
      ${repeat(
        t.block,
        (i) => `var log_sum_${i} = 0.0;
      var dot_${i} = 0.0;
      if (first_query + y + ${i * SIDE}u < ${t.length}u) {
        log_sum_${i} = log_sums[${rowOf(i)}];
        dot_${i} = dots[${rowOf(i)}];
      }`,
      )}
      ${probabilities}
      ${keep((i, j) => `s_${i}_${j}`)}
      ${mix(t, 'value_sum', outer, 'first_query', true)}
      ${outerProducts}
      ${slopes}
      ${mix(t, 'key_sum', query, 'first_query', true)}
    }
  }
  ${store(t, 'key_sum', inResult(key), element, 'first_key', () => scale)}
  ${store(t, 'value_sum', inResult(values), element, 'first_key', () => '1.0')}
}
`;
  const label = `${t.sequences}x${t.heads}x${t.length}x${t.headDim}`;
  return [
    kernel({
      label: `attention-grad-queries ${label}`,
      lowering,
      reads: { projections, mixed, log_sums: logSums, gradient },
      writes: { result: value, dots },
      body: alongQueries,
      workgroups: [t.tiles, t.heads, t.sequences],
    }),
    kernel({
      label: `attention-grad-keys ${label}`,
      lowering,
      reads: { projections, log_sums: logSums, gradient, dots },
      writes: { result: value },
      body: alongKeys,
      workgroups: [t.tiles, t.kvHeads, t.sequences],
    }),
  ];
}
