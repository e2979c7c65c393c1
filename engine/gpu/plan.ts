/**
 * A graph as a plan: its kernels in order, and which memory each value has. Pure arithmetic, so that what a model will
 * take is known before anything is allocated.
 */
import { reachable, sizeOf, type Value } from '../graph/ir.ts';
import type { Element, GemmTiles, Kernel, Tile } from './kernel.ts';
import { inPlaceCandidates, isAlias, lower } from './lower.ts';

/** Bindings start and end on such borders. */
const ALIGNMENT_BYTES = 16;

const ELEMENT_BYTES: Record<Element, number> = { f32: 4, f16: 2, i32: 4 };

/** Memory of the plan's own, used by one value after another. */
export interface Slot {
  readonly bytes: number;
}

/** Where a value lies: in a slot, or in memory that an input or a constant brings. */
export type Place = { readonly kind: 'slot'; readonly slot: Slot } | { readonly kind: 'given'; readonly value: Value };

export interface Plan {
  readonly outputs: Readonly<Record<string, Value>>;
  readonly kernels: readonly Kernel[];
  readonly slots: readonly Slot[];
  /** Of every value that a kernel binds, and of every output. */
  readonly places: ReadonlyMap<Value, Place>;
  readonly inputs: readonly Value[];
  readonly constants: readonly Value[];
  /** Bytes of all slots together. */
  readonly slotBytes: number;
  /** Bytes of the largest memory that a kernel binds. */
  readonly largestBytes: number;
  bytesOf(value: Value): number;
}

export interface PlanOptions {
  /** Inputs that outputs may be written over: accumulators. */
  readonly donated: ReadonlySet<string>;
  readonly workgroupBytes: number;
  /** Half-precision storage and products for what lies between an operator and the next. */
  readonly half: boolean;
  /** Inputs that are given in half precision. */
  readonly halfInputs: ReadonlySet<string>;
  readonly gemmTiles?: GemmTiles;
  readonly software?: boolean;
}

/**
 * Order of execution. The order of making is good but for what adds to accumulators, which was made last: it goes right
 * after what it needs, so that this need not be kept.
 */
function schedule(values: readonly Value[], { donated }: PlanOptions): Value[] {
  const adds = new Set<Value>();
  const at = new Map<Value, number>();
  for (const value of values) {
    const base = inPlaceCandidates(value)[0];
    const accumulates = base !== undefined && (adds.has(base) || (base.name !== undefined && donated.has(base.name)));
    if (accumulates) adds.add(value);
    const ready = Math.max(0, ...value.inputs.map((input) => at.get(input)!));
    const isGiven = value.operator.kind === 'input' || value.operator.kind === 'constant';
    at.set(value, isGiven ? 0 : accumulates ? ready : Math.max(ready, value.id));
  }
  return [...values].sort((a, b) => at.get(a)! - at.get(b)! || a.id - b.id);
}

/** What every kernel reads in full precision: sums over many elements, and everything that outlives a step. */
function isWide(value: Value): boolean {
  switch (value.operator.kind) {
    case 'RmsNorm':
    case 'Rotate':
    case 'Attention':
    case 'AttentionGrad':
    case 'SwiGlu':
    case 'SwiGluGrad':
      return false;
    case 'Gemm':
      // With an addend it is the residual stream, or a gradient that is summed up over micro-batches.
      return value.inputs.length === 3;
    case 'Part':
      return value.inputs[0]!.operator.kind !== 'CrossEntropy';
    default:
      return true;
  }
}

/** Assigns slots: a freed one is used again by whoever fits. */
function slotPool() {
  const slots: Slot[] = [];
  const free = new Set<Slot>();
  return {
    slots,
    take(bytes: number): Slot {
      let best: Slot | undefined;
      for (const slot of free) {
        // A slot twice too large is better kept for what needs it.
        if (slot.bytes >= bytes && slot.bytes <= 2 * bytes && !(best && best.bytes <= slot.bytes)) best = slot;
      }
      if (best) {
        free.delete(best);
        return best;
      }
      const made = { bytes };
      slots.push(made);
      return made;
    },
    give(slot: Slot): void {
      free.add(slot);
    },
  };
}

/** The further results of operators that somebody uses. */
function usedParts(order: readonly Value[]): Map<Value, Map<number, Value>> {
  const parts = new Map<Value, Map<number, Value>>();
  for (const value of order) {
    if (value.operator.kind !== 'Part') continue;
    const of = value.inputs[0]!;
    const own = parts.get(of) ?? new Map<number, Value>();
    // Whoever asks for a part makes it anew, but it is the same result.
    if (!own.has(value.operator.index)) own.set(value.operator.index, value);
    parts.set(of, own);
  }
  return parts;
}

/** @param outputs results by name; those that accumulate lie where the accumulator was given */
export function planGraph(outputs: Readonly<Record<string, Value>>, options: PlanOptions): Plan {
  const order = schedule(reachable(Object.values(outputs)), options);
  const parts = usedParts(order);
  /** The value whose memory it is: views and repeated parts have none of their own. */
  const owner = (value: Value): Value => {
    if (isAlias(value)) return owner(value.inputs[0]!);
    if (value.operator.kind === 'Part') return parts.get(value.inputs[0]!)?.get(value.operator.index) ?? value;
    return value;
  };
  const element = (value: Value): Element => {
    if (value.dtype !== 'float32') return 'i32';
    if (value.name !== undefined) return options.halfInputs.has(value.name) ? 'f16' : 'f32';
    return options.half && !isWide(value) ? 'f16' : 'f32';
  };
  const bytesOf = (value: Value): number =>
    Math.ceil((sizeOf(value.shape) * ELEMENT_BYTES[element(value)]) / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;

  const lastUse = new Map<Value, number>();
  order.forEach((value, i) => {
    if (value.operator.kind === 'Part') return;
    for (const input of value.inputs) lastUse.set(owner(input), i);
  });
  for (const output of Object.values(outputs)) lastUse.set(owner(output), Infinity);

  const pool = slotPool();
  const places = new Map<Value, Place>();
  const inPlace = new Map<Value, Value>();
  const kernels: Kernel[] = [];
  for (const [i, value] of order.entries()) {
    if (value.operator.kind === 'Part' || isAlias(value)) continue;
    if (value.operator.kind === 'input' || value.operator.kind === 'constant') {
      places.set(value, { kind: 'given', value });
      continue;
    }
    /**
     * A result may lie in an input's memory when nobody needs that any more, or it was given for it. The operator itself
     * may need it too, as another of its inputs, which a kernel may not bind beside what it writes.
     */
    const mayTakeOver = (result: Value, candidate: Value): boolean => {
      if (value.inputs.filter((input) => owner(input) === owner(candidate)).length > 1) return false;
      const place = places.get(owner(candidate))!;
      const mayWrite = place.kind === 'slot' || options.donated.has(place.value.name ?? '');
      return mayWrite && lastUse.get(owner(candidate)) === i && element(owner(candidate)) === element(result);
    };
    const results = [value, ...(parts.get(value)?.values() ?? [])];
    for (const result of results) {
      const over = inPlaceCandidates(result).find((candidate) => candidate && mayTakeOver(result, candidate));
      if (over) inPlace.set(result, over);
      places.set(result, over ? places.get(owner(over))! : { kind: 'slot', slot: pool.take(bytesOf(result)) });
    }
    const passing: Slot[] = [];
    kernels.push(
      ...lower(value, {
        element,
        inPlaceOf: (result) => inPlace.get(result),
        part: (of, index) => parts.get(of)?.get(index),
        scratch(of, shape) {
          const scratch: Value = {
            id: -1,
            operator: { kind: 'Part', index: -1 },
            inputs: [of],
            shape,
            dtype: 'float32',
          };
          const slot = pool.take(bytesOf(scratch));
          passing.push(slot);
          places.set(scratch, { kind: 'slot', slot });
          return scratch;
        },
        compute: options.half ? 'f16' : 'f32',
        workgroupBytes: options.workgroupBytes,
        software: options.software ?? false,
        gemmTiles: options.gemmTiles ?? new Map<string, Tile>(),
      }),
    );

    const slotOf = (of: Value): Slot | undefined => {
      const place = places.get(of);
      return place?.kind === 'slot' ? place.slot : undefined;
    };
    const kept = new Set(results.filter((result) => lastUse.has(result)).map(slotOf));
    const done = [...value.inputs.map(owner).filter((input) => lastUse.get(input) === i), ...results].map(slotOf);
    for (const slot of [...passing, ...done]) if (slot && !kept.has(slot)) pool.give(slot);
  }

  const bound = new Map<Value, Place>();
  const values = [...kernels.flatMap(({ bindings }) => bindings.map(({ value }) => value)), ...Object.values(outputs)];
  for (const value of values) bound.set(value, places.get(owner(value))!);
  const given = new Set([...bound.values()].flatMap((place) => (place.kind === 'given' ? [place.value] : [])));
  return {
    outputs,
    kernels,
    slots: pool.slots,
    places: bound,
    inputs: [...given].filter(({ operator }) => operator.kind === 'input'),
    constants: [...given].filter(({ operator }) => operator.kind === 'constant'),
    slotBytes: pool.slots.reduce((sum, { bytes }) => sum + bytes, 0),
    largestBytes: Math.max(0, ...values.map(bytesOf)),
    bytesOf,
  };
}
