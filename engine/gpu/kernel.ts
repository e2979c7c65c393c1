/** What the lowering of an operator gives: WGSL for one shape, the values it binds, and how often it runs. */
import type { Value } from '../graph/ir.ts';

/** The edges of a product's tile and of a thread's block in it. */
export interface Tile {
  readonly edge: number;
  /** A multiple of 4. */
  readonly block: number;
  /** Whether the factors go through memory that the workgroup shares. */
  readonly shared: boolean;
}

export type GemmTiles = ReadonlyMap<string, Tile>;

export type Element = 'f32' | 'f16' | 'i32';

/** WebGPU's guaranteed limit of workgroups along one axis. */
const MAX_WORKGROUPS = 65_535;

export interface Binding {
  /** Its variable in the code. */
  readonly name: string;
  readonly value: Value;
  readonly write: boolean;
}

/** One dispatch. Equal codes share a pipeline. */
export interface Kernel {
  readonly label: string;
  readonly code: string;
  readonly bindings: readonly Binding[];
  readonly workgroups: readonly [x: number, y: number, z: number];
}

/** What a lowering may ask about the graph that its operator stands in. */
export interface Lowering {
  /** How a value's elements are stored. */
  element(value: Value): Element;
  /** The input whose memory the value's result takes over, if it may. */
  inPlaceOf(value: Value): Value | undefined;
  /** A further result that somebody uses. */
  part(value: Value, index: number): Value | undefined;
  /** Memory that lasts as long as the operator's own kernels. */
  scratch(value: Value, shape: readonly number[]): Value;
  /** Products of floats: f16 where both factors may lose bits. */
  readonly compute: 'f32' | 'f16';
  /** Bytes of memory that the threads of a workgroup share. */
  readonly workgroupBytes: number;
  /** Whether a processor emulates the GPU: there a barrier costs more than anything that it saves. */
  readonly software: boolean;
  /** Tiles that were measured to be the quickest, by `gemmKey`. */
  readonly gemmTiles: GemmTiles;
}

interface Source {
  readonly label: string;
  readonly lowering: Lowering;
  readonly reads: Readonly<Record<string, Value | undefined>>;
  readonly writes: Readonly<Record<string, Value | undefined>>;
  /** Variables that are bound as arrays of four elements at a time. */
  readonly vectors?: ReadonlySet<string>;
  /** Everything below the bindings. */
  readonly body: string;
  readonly workgroups: readonly [x: number, y?: number, z?: number];
}

/** Puts a kernel together; what is read and written undefined is left out. */
export function kernel({ label, lowering, reads, writes, vectors, body, workgroups }: Source): Kernel {
  const bindings: Binding[] = [];
  for (const [set, write] of [
    [reads, false],
    [writes, true],
  ] as const) {
    for (const [name, value] of Object.entries(set)) if (value) bindings.push({ name, value, write });
  }
  const elements = bindings.map(({ value }) => lowering.element(value));
  const declarations = bindings.map(({ name, write }, i) => {
    const type = vectors?.has(name) ? `vec4<${elements[i]!}>` : elements[i]!;
    return `@group(0) @binding(${i}) var<storage, ${write ? 'read_write' : 'read'}> ${name}: array<${type}>;`;
  });
  const half = lowering.compute === 'f16' || elements.includes('f16');
  const [x, y = 1, z = 1] = workgroups;
  if (Math.max(x, y, z) > MAX_WORKGROUPS) {
    throw new RangeError(`${label} needs [${x}, ${y}, ${z}] workgroups; a device runs ${MAX_WORKGROUPS} along an axis`);
  }
  return {
    label,
    code: `${half ? 'enable f16;\n' : ''}${declarations.join('\n')}\n${body}`,
    bindings,
    workgroups: [x, y, z],
  };
}

/** A number of workgroups as two axes within the limit; the code takes `y * x-axis + x`, and stops beyond. */
export function spread(count: number): { workgroups: readonly [number, number]; index: string } {
  const y = Math.ceil(count / MAX_WORKGROUPS);
  const x = Math.ceil(count / y);
  return { workgroups: [x, y], index: y === 1 ? 'group.x' : `(group.y * ${x}u + group.x)` };
}

/** Text repeated for 0 … count - 1. */
export function repeat(count: number, text: (i: number) => string, separator = '\n'): string {
  return Array.from({ length: count }, (_, i) => text(i)).join(separator);
}

/** A literal that WGSL reads as f32. */
export function f32(value: number): string {
  const text = Math.fround(value).toString();
  return `f32(${text})`;
}
