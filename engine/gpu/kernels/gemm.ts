/**
 * alpha · op(a) · op(b) + c. Each workgroup makes a tile of the result from strips of both factors in its shared
 * memory, each thread a block of it in registers.
 */
import type { Value } from '../../graph/ir.ts';
import { f32, kernel, repeat, type Element, type Kernel, type Lowering, type Tile } from '../kernel.ts';

/** Depth of the strips. */
const DEPTH = 16;

const LARGE: Tile = { edge: 128, block: 8 };
const MEDIUM: Tile = { edge: 64, block: 8 };
const SMALL: Tile = { edge: 32, block: 4 };

/** So many workgroups keep the larger GPUs busy; with fewer, smaller tiles are quicker though they read more. */
const ENOUGH_WORKGROUPS = 96;

export const TILES: readonly Tile[] = [LARGE, MEDIUM, SMALL];

/** The largest tile of which there are enough: a guess, until `tune.ts` has measured. */
function likelyTile(rows: number, columns: number): Tile {
  const count = ({ edge }: Tile): number => Math.ceil(rows / edge) * Math.ceil(columns / edge);
  return TILES.find((tile) => count(tile) >= ENOUGH_WORKGROUPS) ?? SMALL;
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

export function lowerGemm(value: Value, lowering: Lowering): Kernel[] {
  if (value.operator.kind !== 'Gemm') throw new Error('not a Gemm');
  const { transA, transB, alpha } = value.operator;
  const [a, b, c] = value.inputs as [Value, Value, Value?];
  const [rows, columns] = value.shape as [number, number];
  const depth = transA ? a.shape[0]! : a.shape[1]!;
  const tile = lowering.gemmTiles.get(gemmKey(value)) ?? likelyTile(rows, columns);
  const { edge, block } = tile;
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

  const body = `alias shared_t = ${half ? 'f16' : 'f32'};
var<workgroup> tile_a: array<vec4<shared_t>, ${DEPTH * across}>;
var<workgroup> tile_b: array<vec4<shared_t>, ${DEPTH * across}>;

${loader(left, depth, exact(left))}
${loader(right, depth, exact(right))}

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let start_row = group.y * ${edge}u;
  let start_column = group.x * ${edge}u;
  let thread_row = thread / ${side}u;
  let thread_column = thread % ${side}u;
  ${each((row, quad) => `var sum_${row}_${quad} = vec4<f32>();`)}
  for (var depth = 0u; depth < ${depth}u; depth += ${DEPTH}u) {
    ${fill(left, tile, 'start_row', threads)}
    ${fill(right, tile, 'start_column', threads)}
    workgroupBarrier();
    ${half ? each((row, quad) => `var part_${row}_${quad} = vec4<f16>();`) : ''}
    for (var k = 0u; k < ${DEPTH}u; k++) {
      ${repeat(quads, (i) => `let a_${i} = tile_a[k * ${across}u + ${i * stride}u + thread_row];`)}
      ${repeat(quads, (i) => `let b_${i} = tile_b[k * ${across}u + ${i * stride}u + thread_column];`)}
      ${each((row, quad) => {
        const factor = `vec4<shared_t>(a_${Math.floor(row / 4)}[${row % 4}])`;
        const sum = `${half ? 'part' : 'sum'}_${row}_${quad}`;
        return `${sum} = fma(${factor}, b_${quad}, ${sum});`;
      })}
    }
    ${half ? each((row, quad) => `sum_${row}_${quad} += vec4<f32>(part_${row}_${quad});`) : ''}
    workgroupBarrier();
  }
  let first_row = start_row + 4u * thread_row;
  let first_column = start_column + 4u * thread_column;
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
