/**
 * Small graphs that between them reach every branch of the kernels' generators. The page and the spec both build them from
 * here, so only results travel.
 */
import type { Tile } from '../../engine/gpu/kernel.ts';
import { TILES } from '../../engine/gpu/kernels/gemm.ts';
import { GraphBuilder, reachable, sizeOf, type AttentionShape, type Value } from '../../engine/graph/ir.ts';
import { random } from './cases.ts';

export interface KernelCase {
  readonly name: string;
  readonly build: (g: GraphBuilder) => Record<string, Value>;
  /** Inputs whose memory results take over; the first is where the first output must lie. */
  readonly donated?: readonly string[];
  /** Integer inputs are drawn from 0 … below - 1. */
  readonly below?: number;
  /** Floats are drawn between ± this; 1 by default. */
  readonly range?: number;
  /** Shared memory that kernels may take, where it is less than the device has. */
  readonly workgroupBytes?: number;
  /** Of its products, instead of the one that a product of that size gets. */
  readonly gemmTile?: Tile;
}

export interface BuiltCase {
  readonly outputs: Record<string, Value>;
  readonly feeds: Record<string, Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>>;
}

export function buildCase({ name, build, below = 1, range = 1 }: KernelCase): BuiltCase {
  const outputs = build(new GraphBuilder());
  const draw = random(name);
  const inputs = reachable(Object.values(outputs)).filter(({ operator }) => operator.kind === 'input');
  const feeds = inputs.map(({ name, shape, dtype }) => {
    const length = sizeOf(shape);
    const values =
      dtype === 'float32'
        ? Float32Array.from({ length }, () => range * (2 * draw.uniform() - 1))
        : Int32Array.from({ length }, () => draw.below(below));
    return [name!, values] as const;
  });
  return { outputs, feeds: Object.fromEntries(feeds) };
}

/** WebGPU's guaranteed limit of workgroups along an axis; kernels that need more spread along two. */
const MAX_WORKGROUPS = 65_535;
/** WebGPU's guaranteed shared memory. */
const LEAST_SHARED = 16_384;

/** What is added to a result: nothing, another input, or an input that the result is written over. */
const ADDENDS = ['none', 'separate', 'in place'] as const;

type Addend = (typeof ADDENDS)[number];

const addendInput = (g: GraphBuilder, addend: Addend, shape: readonly number[]): Value | undefined =>
  addend === 'none' ? undefined : g.input('addend', shape);

const donate = (addend: Addend): Pick<KernelCase, 'donated'> => (addend === 'in place' ? { donated: ['addend'] } : {});

const TRANSPOSES = [
  { transA: false, transB: false },
  { transA: false, transB: true },
  { transA: true, transB: false },
  { transA: true, transB: true },
];

type Product = readonly [rows: number, depth: number, columns: number];

/** Strips are 16 deep; products so small get tiles with an edge of 32 by default. */
const PRODUCTS: readonly Product[] = [
  [1, 1, 1],
  [3, 5, 7],
  [4, 20, 8],
  [6, 12, 9],
  [10, 7, 12],
  [32, 16, 32],
  [33, 35, 34],
  [64, 33, 36],
  [70, 48, 65],
];

/** For the larger tiles, each with another transposition: these take long to compile in software. */
const TILED_PRODUCTS: readonly Product[] = [
  [128, 16, 256],
  [129, 18, 130],
  [131, 17, 132],
  [132, 20, 128],
];

function product([rows, depth, columns]: Product, number: number, gemmTile?: Tile): KernelCase {
  const { transA, transB } = TRANSPOSES[number % TRANSPOSES.length]!;
  // The addends and factors alternate so that each meets each.
  const addend = ADDENDS[number % ADDENDS.length]!;
  const alpha = Math.floor(number / 2) % 2 === 0 ? 1 : -0.375;
  const turned = `${transA ? ', a turned' : ''}${transB ? ', b turned' : ''}`;
  return {
    name: `${rows} x ${depth} x ${columns}${turned}, ${addend}, ${alpha}${gemmTile ? `, tile ${gemmTile.edge}${gemmTile.shared ? '' : ' unshared'}` : ''}`,
    build: (g) => ({
      result: g.gemm(
        g.input('a', transA ? [depth, rows] : [rows, depth]),
        g.input('b', transB ? [columns, depth] : [depth, columns]),
        { transA, transB, alpha },
        addendInput(g, addend, [rows, columns]),
      ),
    }),
    ...donate(addend),
    ...(gemmTile ? { gemmTile } : {}),
  };
}

const gemm = [
  ...PRODUCTS.flatMap((sizes, shape) => TRANSPOSES.map((_, i) => product(sizes, 5 * shape + i))),
  ...TILES.filter(({ edge, shared }) => edge > 32 || !shared).flatMap((tile) =>
    TILED_PRODUCTS.map((sizes, i) => product(sizes, i, tile)),
  ),
];

const NORMED: readonly (readonly [rows: number, width: number])[] = [
  [1, 1],
  [3, 5],
  [16, 63],
  [17, 64],
  [2, 129],
  [40, 16],
  [100, 17],
  [2, 1000],
];

const rmsNorm = NORMED.flatMap(([rows, width]): KernelCase[] => {
  const normed = (g: GraphBuilder): Value => g.rmsNorm(g.input('x', [rows, width]), g.input('w', [width]), 0.01);
  return [
    { name: `${rows} x ${width}`, build: (g) => ({ normed: normed(g) }) },
    {
      name: `${rows} x ${width} and its scale`,
      build: (g) => {
        const result = normed(g);
        return { normed: result, inverse: g.part(result, 0, [rows, 1]) };
      },
    },
  ];
});

const rmsNormGrad = NORMED.flatMap(([rows, width]) =>
  ADDENDS.flatMap((addend): KernelCase[] => {
    const shape = [rows, width];
    return [
      {
        name: `${rows} x ${width}, ${addend}`,
        build(g) {
          const [x, w, inverse, gradient] = [
            g.input('x', shape),
            g.input('w', [width]),
            g.input('inverse', [rows, 1]),
            g.input('gradient', shape),
          ];
          return { result: g.rmsNormGrad(x, w, inverse, gradient, addendInput(g, addend, shape)) };
        },
        ...donate(addend),
      },
      {
        name: `weight, ${rows} x ${width}, ${addend}`,
        build(g) {
          const [x, inverse, gradient] = [
            g.input('x', shape),
            g.input('inverse', [rows, 1]),
            g.input('gradient', shape),
          ];
          const alpha = addend === 'none' ? 1 : 0.25;
          return { result: g.rmsNormWeightGrad(x, inverse, gradient, alpha, addendInput(g, addend, [width])) };
        },
        ...donate(addend),
      },
    ];
  }),
);

interface Heads extends AttentionShape {
  readonly sequences: number;
}

const heads = (sequences: number, length: number, heads: number, kvHeads: number, headDim: number): Heads => ({
  sequences,
  length,
  heads,
  kvHeads,
  headDim,
});

const labelOf = ({ sequences, length, heads, kvHeads, headDim }: Heads): string =>
  `${sequences} x ${length}, ${heads} heads on ${kvHeads}, of ${headDim}`;

const projectionsOf = ({ sequences, length, heads, kvHeads, headDim }: Heads): readonly [number, number] => [
  sequences * length,
  (heads + 2 * kvHeads) * headDim,
];

/** A tile has 32 tokens, a strip 16 columns of a head. */
const ATTENTIONS: readonly Heads[] = [
  heads(1, 7, 1, 1, 2),
  heads(3, 1, 3, 1, 4),
  heads(2, 31, 2, 1, 16),
  heads(1, 32, 3, 3, 64),
  heads(2, 33, 6, 2, 18),
  heads(1, 100, 2, 1, 32),
  heads(1, 65, 2, 1, 80),
  heads(1, 34, 1, 1, 256),
];

/** Tiles of 64 tokens, with enough shared memory. */
const LONG = heads(1, 257, 2, 1, 20);

const rotate = ATTENTIONS.flatMap((shape) =>
  [false, true].flatMap((inverse) =>
    ['apart', 'in place'].map((where): KernelCase => {
      const table = [shape.length, shape.headDim / 2];
      return {
        name: `${labelOf(shape)}${inverse ? ', backwards' : ''}, ${where}`,
        build: (g) => {
          const [x, cos, sin] = [g.input('x', projectionsOf(shape)), g.input('cos', table), g.input('sin', table)];
          return { result: g.rotate(x, cos, sin, shape, inverse) };
        },
        donated: where === 'in place' ? ['x'] : [],
      };
    }),
  ),
);

function attentionGrad(shape: Heads, workgroupBytes?: number): KernelCase {
  const rows = shape.sequences * shape.length;
  return {
    name: `gradient, ${labelOf(shape)}${workgroupBytes ? `, in ${workgroupBytes} bytes` : ''}`,
    // Far from uniform shares.
    range: 3,
    build(g) {
      const x = g.input('x', projectionsOf(shape));
      const mixed = g.attention(x, shape);
      const gradient = g.input('gradient', [rows, shape.heads * shape.headDim]);
      return {
        gradient: g.attentionGrad(x, mixed, gradient, shape),
        mixed,
        logSums: g.part(mixed, 0, [rows, shape.heads]),
      };
    },
    ...(workgroupBytes ? { workgroupBytes } : {}),
  };
}

const attention = [
  ...[heads(2, 1, 2, 1, 6), heads(2, 40, 4, 2, 10)].map((shape): KernelCase => ({
    name: `alone, ${labelOf(shape)}`,
    build: (g) => ({ mixed: g.attention(g.input('x', projectionsOf(shape)), shape) }),
  })),
  ...ATTENTIONS.map((shape) => attentionGrad(shape)),
  attentionGrad(LONG),
  attentionGrad(LONG, LEAST_SHARED),
];

const swiGlu = NORMED.flatMap(([rows, width]): KernelCase[] => [
  { name: `${rows} x ${width}`, range: 4, build: (g) => ({ result: g.swiGlu(g.input('x', [rows, 2 * width])) }) },
  // Beyond what the exponential of fp32 can be.
  {
    name: `${rows} x ${width}, wide`,
    range: 200,
    build: (g) => ({ result: g.swiGlu(g.input('x', [rows, 2 * width])) }),
  },
  ...['apart', 'in place'].map((where): KernelCase => ({
    name: `gradient, ${rows} x ${width}, ${where}`,
    range: where === 'apart' ? 4 : 200,
    build: (g) => ({ result: g.swiGluGrad(g.input('x', [rows, 2 * width]), g.input('gradient', [rows, width])) }),
    donated: where === 'in place' ? ['x'] : [],
  })),
]);

const LABELLED: readonly (readonly [rows: number, vocabulary: number])[] = [
  [1, 1],
  [3, 2],
  [5, 63],
  [5, 65],
  [4, 256],
  [2, 1001],
  [2, 4099],
];

const crossEntropy = LABELLED.flatMap(([rows, vocabulary]): KernelCase[] => {
  const losses = (g: GraphBuilder, logits: Value, scale: number): Value =>
    g.crossEntropy(logits, g.input('targets', [rows, 1], 'int32'), g.input('counts', [rows, 1]), scale);
  const both = (g: GraphBuilder, logits: Value): Record<string, Value> => {
    const result = losses(g, logits, 64);
    return { gradient: g.part(result, 0, [rows, vocabulary]), losses: result };
  };
  const logits = (g: GraphBuilder): Value => g.input('logits', [rows, vocabulary]);
  const label = `${rows} x ${vocabulary}`;
  return [
    { name: label, below: vocabulary, range: 5, build: (g) => ({ losses: losses(g, logits(g), 1) }) },
    { name: `${label}, with its gradient`, below: vocabulary, range: 5, build: (g) => both(g, logits(g)) },
    {
      name: `${label}, with its gradient over the logits, which are large`,
      below: vocabulary,
      range: 300,
      build: (g) => both(g, logits(g)),
      donated: ['logits'],
    },
  ];
});

const reduceSum = [
  [1, 1],
  [255, 1],
  [256, 1],
  [3, 171],
  [40, 50],
].map((shape): KernelCase => ({
  name: shape.join(' x '),
  build: (g) => ({ result: g.reduce('ReduceSum', g.input('x', shape), [0, 1]) }),
}));

const gather = [
  [1, 1, 1],
  [5, 3, 63],
  [5, 9, 65],
  [7, 200, 64],
  [9, MAX_WORKGROUPS + 2, 2],
].map(([rows, count, width]): KernelCase => ({
  name: `${count!} of ${rows!} x ${width!}`,
  below: rows!,
  build: (g) => ({ result: g.gather(g.input('table', [rows!, width!]), g.input('rows', [count!, 1], 'int64')) }),
}));

/** 256 places are looked through at once, and as many columns. */
const scatterAdd = [
  [1, 1, 1],
  [4, 3, 5],
  [300, 31, 33],
  [3, 255, 4],
  [2, 256, 256],
  [40, 257, 257],
  [300, 400, 260],
  [2, 600, 3],
].flatMap(([rows, count, width]) =>
  [1, 1 / 64].map((alpha): KernelCase => ({
    name: `${count!} to ${rows!} x ${width!}, times ${alpha}`,
    below: rows!,
    build(g) {
      const [base, updates] = [g.input('base', [rows!, width!]), g.input('updates', [count!, width!])];
      return { result: g.scatterAdd(base, g.input('rows', [count!, 1], 'int64'), updates, alpha) };
    },
    donated: ['base'],
  })),
);

const BROADCASTS: readonly { readonly a: readonly number[]; readonly b: readonly number[] }[] = [
  { a: [129], b: [129] },
  { a: [129], b: [1] },
  { a: [3, 5], b: [1] },
  { a: [3, 5], b: [5] },
  { a: [3, 5], b: [3, 1] },
  { a: [1, 5], b: [3, 1] },
  { a: [4, 3, 5], b: [3, 1] },
  { a: [2, 1, 5], b: [2, 3, 1] },
];

const pointwise = (['add', 'mul'] as const).flatMap((operator): KernelCase[] => [
  ...BROADCASTS.flatMap(({ a, b }): KernelCase[] => {
    const name = `${operator}, [${a.join()}] and [${b.join()}]`;
    return [
      { name, build: (g) => ({ result: g[operator](g.input('a', a), g.input('b', b)) }) },
      { name: `${name}, swapped`, build: (g) => ({ result: g[operator](g.input('b', b), g.input('a', a)) }) },
    ];
  }),
  {
    name: `${operator}, with itself`,
    build(g) {
      const a = g.input('a', [300]);
      return { result: g[operator](a, a) };
    },
  },
]);

/** What the planner makes of operators beside each other. */
const memory: KernelCase[] = [
  {
    name: 'an intermediate value is written over when nobody needs it any more',
    build(g) {
      const shape = heads(2, 5, 2, 1, 4);
      const [x, table] = [g.input('x', projectionsOf(shape)), [shape.length, 2]];
      const rotated = g.rotate(g.add(x, x), g.input('cos', table), g.input('sin', table), shape);
      return { result: g.gemm(rotated, g.input('w', [16, 16]), {}, g.mul(x, x)) };
    },
  },
  {
    name: 'but not while somebody does',
    build(g) {
      const shape = heads(2, 5, 2, 1, 4);
      const [x, table] = [g.input('x', projectionsOf(shape)), [shape.length, 2]];
      const sum = g.add(x, x);
      const rotated = g.rotate(sum, g.input('cos', table), g.input('sin', table), shape);
      const square = g.mul(x, x);
      return { rotated: g.gemm(rotated, g.input('w', [16, 16]), {}, square), kept: g.mul(sum, square) };
    },
  },
  {
    name: 'an addend that is also a factor',
    build(g) {
      const x = g.input('x', [5, 5]);
      const square = g.mul(x, x);
      return { result: g.gemm(square, x, {}, square) };
    },
  },
  {
    name: 'an addend that is also the gradient',
    build(g) {
      const [x, gradient] = [g.input('x', [3, 5]), g.input('gradient', [3, 5])];
      const twice = g.add(gradient, gradient);
      return { result: g.rmsNormGrad(x, g.input('w', [5]), g.input('inverse', [3, 1]), twice, twice) };
    },
  },
  {
    name: 'a matrix times itself, turned',
    build(g) {
      const x = g.input('x', [9, 6]);
      return { result: g.gemm(x, x, { transB: true }) };
    },
  },
  {
    name: 'sums in place, one after another',
    donated: ['sum'],
    below: 6,
    build(g) {
      const [x, rows] = [g.input('x', [7, 5]), g.input('rows', [7, 1], 'int64')];
      const first = g.scatterAdd(g.input('sum', [6, 5]), rows, x, 0.5);
      return { result: g.gemm(g.input('y', [7, 6]), x, { transA: true }, first) };
    },
  },
  {
    name: 'constants, and views of other shapes',
    build(g) {
      const table = g.constant(
        Float32Array.from({ length: 12 }, (_, i) => i / 8),
        [3, 4],
      );
      const product = g.gemm(g.input('x', [5, 3]), table);
      return { result: g.add(g.reshape(product, [4, 5]), g.input('y', [5])), view: g.reshape(product, [20]) };
    },
  },
  {
    name: 'a part asked for twice',
    build(g) {
      const normed = g.rmsNorm(g.input('x', [3, 5]), g.input('w', [5]), 0.1);
      const parts = [g.part(normed, 0, [3, 1]), g.part(normed, 0, [3, 1])] as const;
      return { result: g.mul(g.add(normed, parts[0]), parts[1]) };
    },
  },
];

export const KERNEL_CASES: Readonly<Record<string, readonly KernelCase[]>> = {
  Gemm: gemm,
  RmsNorm: rmsNorm,
  'RmsNorm, its gradients': rmsNormGrad,
  Rotate: rotate,
  'Attention and its gradient': attention,
  'SwiGlu and its gradient': swiGlu,
  'CrossEntropy and its gradient': crossEntropy,
  'ReduceSum over everything': reduceSum,
  Gather: gather,
  ScatterAdd: scatterAdd,
  'Add and Mul': pointwise,
  'memory that is used again': memory,
};
