/**
 * alpha · op(a) · op(b) + c. Each workgroup makes a tile of the result, each thread a block of it in registers. Strips of
 * both factors go through the workgroup's shared memory, or each thread reads what it needs by itself: where caches are
 * good or barriers slow, that is quicker. All ways sum in the same order.
 */
import type { Value } from '../../graph/ir.ts';
import { f32, kernel, repeat, type Element, type Kernel, type Lowering, type Tile } from '../kernel.ts';

/** Depth of the strips. */
const DEPTH = 16;

const LARGE: Tile = { edge: 128, block: 8, shared: true };
const MEDIUM: Tile = { edge: 64, block: 8, shared: true };
const SMALL: Tile = { edge: 32, block: 4, shared: true };
const UNSHARED: Tile = { edge: 32, block: 4, shared: false };

/** So many workgroups keep the larger GPUs busy; with fewer, smaller tiles are quicker though they read more. */
const ENOUGH_WORKGROUPS = 96;

export const TILES: readonly Tile[] = [LARGE, MEDIUM, SMALL, { edge: 64, block: 8, shared: false }, UNSHARED];

/** The largest tile of which there are enough: a guess, until `tune.ts` has measured. */
function likelyTile(rows: number, columns: number, { software }: Lowering): Tile {
  if (software) return UNSHARED;
  const count = ({ edge }: Tile): number => Math.ceil(rows / edge) * Math.ceil(columns / edge);
  return [LARGE, MEDIUM].find((tile) => count(tile) >= ENOUGH_WORKGROUPS) ?? SMALL;
}

/** What two products have in common that take the same time. */
export function gemmKey({ operator, inputs, shape }: Value): string {
  if (operator.kind !== 'Gemm') throw new Error('not a Gemm');
  const depth = inputs[0]!.shape[operator.transA ? 0 : 1]!;
  return `${shape.join('x')}x${depth}${operator.transA ? ' aT' : ''}${operator.transB ? ' bT' : ''}`;
}

interface Factor {
  readonly name: string;
  /** Length along the result's axis. */
  readonly extent: number;
  /** Whether neighbours in memory are neighbours along the summed axis. */
  readonly summedInner: boolean;
  readonly element: Element;
}

/** WGSL of `load_x(outer, inner)`: four neighbours in memory, zeros outside of the matrix. */
function loader({ name, extent, summedInner, element }: Factor, depth: number, exact: boolean): string {
  const [outer, inner] = summedInner ? [extent, depth] : [depth, extent];
  if (inner % 4 === 0) {
    const guard = exact ? '' : `if (outer >= ${outer}u || inner >= ${inner}u) { return vec4<shared_t>(); }`;
    return `fn load_${name}(outer: u32, inner: u32) -> vec4<shared_t> {
  ${guard}
  return vec4<shared_t>(${name}[outer * ${inner / 4}u + inner / 4u]);
}`;
  }
  return `fn load_${name}(outer: u32, inner: u32) -> vec4<shared_t> {
  var four = vec4<${element}>();
  if (outer < ${outer}u) {
    ${repeat(4, (i) => `if (inner + ${i}u < ${inner}u) { four[${i}] = ${name}[outer * ${inner}u + inner + ${i}u]; }`)}
  }
  return vec4<shared_t>(four);
}`;
}

/** WGSL that fills `tile_x`, [DEPTH, edge] with four neighbours along the result's axis in one element. */
function fill({ name, summedInner }: Factor, { edge }: Tile, start: string, threads: number): string {
  const across = edge / 4;
  const blocks = (across * DEPTH) / 4;
  const position = summedInner
    ? `let deep = 4u * (at % ${DEPTH / 4}u); let wide = at / ${DEPTH / 4}u;`
    : `let wide = at % ${across}u; let deep = 4u * (at / ${across}u);`;
  const store = summedInner
    ? `let four = mat4x4<shared_t>(${repeat(4, (i) => `load_${name}(${start} + 4u * wide + ${i}u, depth + deep)`, ', ')});
      let turned = transpose(four);
      ${repeat(4, (i) => `tile_${name}[(deep + ${i}u) * ${across}u + wide] = turned[${i}];`)}`
    : repeat(
        4,
        (i) =>
          `tile_${name}[(deep + ${i}u) * ${across}u + wide] = load_${name}(depth + deep + ${i}u, ${start} + 4u * wide);`,
      );
  return `for (var at = thread; at < ${blocks}u; at += ${threads}u) {
      ${position}
      ${store}
    }`;
}

/** The registers of a thread's block. */
interface Block {
  readonly size: number;
  /** Rows and columns from one group of four to the next. */
  readonly stride: number;
  /** What is added to: rows by groups of four columns. */
  readonly sum: string;
}

const everyFour = ({ size }: Block, text: (quad: number) => string): string => repeat(size / 4, text);

/** WGSL that adds the products of depths `depth` … `depth` + 15, through shared memory. */
function sharedProducts(factors: readonly [Factor, Factor], tile: Tile, block: Block, threads: number): string {
  const across = tile.edge / 4;
  const place = (quad: number): string => `k * ${across}u + ${(quad * block.stride) / 4}u`;
  return `${fill(factors[0], tile, 'start_row', threads)}
    ${fill(factors[1], tile, 'start_column', threads)}
    workgroupBarrier();
    for (var k = 0u; k < ${DEPTH}u; k++) {
      ${everyFour(block, (quad) => `let a_${quad} = tile_a[${place(quad)} + thread_row];`)}
      ${everyFour(block, (quad) => `let b_${quad} = tile_b[${place(quad)} + thread_column];`)}
      ${multiply(
        block,
        (row) => `a_${Math.floor(row / 4)}[${row % 4}]`,
        (quad) => `b_${quad}`,
      )}
    }
    workgroupBarrier();`;
}

/** The same, each thread for itself, four depths at a time. */
function ownProducts([left, right]: readonly [Factor, Factor], block: Block): string {
  const at = (first: string, quad: number, i = 0): string => `${first} + ${quad * block.stride + i}u`;
  const fours = [0, 1, 2, 3];
  // Always four vectors along the result's axis, one a depth.
  const bring = (name: string, first: string, quad: number, { summedInner }: Factor): string =>
    summedInner
      ? `let ${name}_${quad} = transpose(mat4x4<shared_t>(${fours.map((i) => `load_${name}(${at(first, quad, i)}, k)`).join(', ')}));`
      : `let ${name}_${quad} = mat4x4<shared_t>(${fours.map((i) => `load_${name}(k + ${i}u, ${at(first, quad)})`).join(', ')});`;
  return `for (var k = depth; k < depth + ${DEPTH}u; k += 4u) {
      ${everyFour(block, (quad) => bring('a', 'first_row', quad, left))}
      ${everyFour(block, (quad) => bring('b', 'first_column', quad, right))}
      ${fours
        .map((i) =>
          multiply(
            block,
            (row) => `a_${Math.floor(row / 4)}[${i}][${row % 4}]`,
            (quad) => `b_${quad}[${i}]`,
          ),
        )
        .join('\n      ')}
    }`;
}

/** WGSL that adds a column of the left block times a row of the right one. */
function multiply(block: Block, left: (row: number) => string, right: (quad: number) => string): string {
  return repeat(block.size, (row) =>
    everyFour(block, (quad) => {
      const sum = `${block.sum}_${row}_${quad}`;
      return `${sum} = fma(vec4<shared_t>(${left(row)}), ${right(quad)}, ${sum});`;
    }),
  );
}

export function lowerGemm(value: Value, lowering: Lowering): Kernel[] {
  if (value.operator.kind !== 'Gemm') throw new Error('not a Gemm');
  const { transA, transB, alpha } = value.operator;
  const [a, b, c] = value.inputs as [Value, Value, Value?];
  const [rows, columns] = value.shape as [number, number];
  const depth = transA ? a.shape[0]! : a.shape[1]!;
  const tile = lowering.gemmTiles.get(gemmKey(value)) ?? likelyTile(rows, columns, lowering);
  const { edge, block, shared } = tile;
  const side = edge / block;
  const threads = side * side;
  const quads = block / 4;
  const across = edge / 4;
  const stride = across / quads;

  const left: Factor = { name: 'a', extent: rows, summedInner: !transA, element: lowering.element(a) };
  const right: Factor = { name: 'b', extent: columns, summedInner: transB, element: lowering.element(b) };
  const exact = ({ extent }: Factor): boolean => extent % edge === 0 && depth % DEPTH === 0;
  const vectors = new Set(
    [left, right].filter(({ summedInner, extent }) => (summedInner ? depth : extent) % 4 === 0).map(({ name }) => name),
  );
  const wide = columns % 4 === 0;
  if (wide) for (const name of ['addend', 'result']) vectors.add(name);
  const inPlace = c !== undefined && lowering.inPlaceOf(value) === c;
  const addend = c ? (inPlace ? 'result' : 'addend') : undefined;
  const half = lowering.compute === 'f16';
  const element = lowering.element(value);

  const each = (text: (row: number, quad: number) => string): string =>
    repeat(block, (row) => repeat(quads, (quad) => text(row, quad)));
  const scaled = (row: number, quad: number): string =>
    alpha === 1 ? `sum_${row}_${quad}` : `${f32(alpha)} * sum_${row}_${quad}`;
  const write = (row: number, quad: number): string => {
    const at = `row = first_row + ${Math.floor(row / 4) * stride * 4 + (row % 4)}u; column = first_column + ${quad * stride * 4}u;`;
    if (wide) {
      const place = `row * ${columns / 4}u + column / 4u`;
      const sum = addend ? `vec4<f32>(${addend}[${place}]) + ${scaled(row, quad)}` : scaled(row, quad);
      return `${at}
  if (row < ${rows}u && column < ${columns}u) { result[${place}] = vec4<${element}>(${sum}); }`;
    }
    return `${at}
  four = ${scaled(row, quad)};
  if (row < ${rows}u) {
    ${repeat(4, (i) => {
      const place = `row * ${columns}u + column + ${i}u`;
      const sum = addend ? `f32(${addend}[${place}]) + four[${i}]` : `four[${i}]`;
      return `if (column + ${i}u < ${columns}u) { result[${place}] = ${element}(${sum}); }`;
    })}
  }`;
  };

  const registers: Block = { size: block, stride: 4 * stride, sum: half ? 'part' : 'sum' };
  const products = shared
    ? sharedProducts([left, right], tile, registers, threads)
    : ownProducts([left, right], registers);
  const body = `alias shared_t = ${half ? 'f16' : 'f32'};
${
  shared
    ? `var<workgroup> tile_a: array<vec4<shared_t>, ${DEPTH * across}>;
var<workgroup> tile_b: array<vec4<shared_t>, ${DEPTH * across}>;`
    : ''
}

${loader(left, depth, exact(left))}
${loader(right, depth, exact(right))}

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let start_row = group.y * ${edge}u;
  let start_column = group.x * ${edge}u;
  let thread_row = thread / ${side}u;
  let thread_column = thread % ${side}u;
  let first_row = start_row + 4u * thread_row;
  let first_column = start_column + 4u * thread_column;
  ${each((row, quad) => `var sum_${row}_${quad} = vec4<f32>();`)}
  for (var depth = 0u; depth < ${depth}u; depth += ${DEPTH}u) {
    ${half ? each((row, quad) => `var part_${row}_${quad} = vec4<f16>();`) : ''}
    ${products}
    ${half ? each((row, quad) => `sum_${row}_${quad} += vec4<f32>(part_${row}_${quad});`) : ''}
  }
  var row: u32;
  var column: u32;
  ${wide ? '' : 'var four: vec4<f32>;'}
  ${each(write)}
}
`;
  return [
    kernel({
      label: `gemm ${gemmKey(value)}`,
      lowering,
      reads: { a, b, ...(c && !inPlace ? { addend: c } : {}) },
      writes: { result: value },
      vectors,
      body,
      workgroups: [Math.ceil(columns / edge), Math.ceil(rows / edge)],
    }),
  ];
}
