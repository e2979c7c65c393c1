/**
 * Which contributions of a window share so many indices that one may be a copy, without comparing each with each in full.
 * What `indexOverlaps` would say of a pair is a mean over all chunks, so it is estimated from some of them, drawn by the
 * window's beacon, and said exactly of those pairs alone that come near. Nobody knows the beacon while contributions
 * are still taken, so nobody can keep a copy out of the draw; everybody knows it afterwards, so an audit finds the same.
 *
 * With n places drawn with replacement, in proportion to how much they count, Hoeffding's inequality bounds the chance
 * that a pair sharing `least` or more is estimated below half of that by exp(-n · least² / 2). n is chosen such that this is
 * 10⁻¹⁸; a model with fewer chunks than n is looked at as a whole, and then nothing is left to chance.
 */
import type { ParameterLayout } from '../model/layout.ts';
import { createRandom } from '../numerics/prng.ts';
import type { SchemeParameters } from '../protocol/manifest.ts';
import type { SparseDelta } from '../scheme/scheme.ts';
import { comparedTensors, type ComparedTensor } from './overlap.ts';

/** Chance that a pair is missed which shares just what counts; whoever shares more is missed less often still. */
const MISSED = 1e-18;
/** Of a chunk in which nothing but zeros is sent: chunks have 4,096 elements at most. */
const SILENT = 0xffff;
/** Estimates are sums in single precision: an addition to a sum below 1 is off by at most this. */
const ROUNDING = 2 ** -24;

export interface OverlapSearch {
  /** Of `beaconOf`: 32 bytes. */
  readonly beacon: Uint8Array;
  /** Smaller shares do not count. */
  readonly least: number;
}

/** A chunk that is looked at in every contribution. */
interface Place {
  readonly tensor: number;
  readonly chunk: number;
  readonly kept: number;
  readonly length: number;
  /** What one index in common adds to an estimate. */
  readonly worth: number;
}

/** What is kept of a contribution to look for copies: the indices at each place, one place after the other. */
export type OverlapSketch = Uint16Array<ArrayBuffer>;

export interface OverlapSearcher {
  sketch(delta: Pick<SparseDelta, 'tensors'>): OverlapSketch;
  /** Pairs that may share `least` or more: [i, j] with j < i, ascending. @param sketches one a contribution */
  likely(sketches: readonly OverlapSketch[]): [i: number, j: number][];
}

function drawPlaces(compared: readonly ComparedTensor[], { beacon, least }: OverlapSearch): Place[] | null {
  const wanted = Math.ceil((-2 * Math.log(MISSED)) / least ** 2);
  if (!(wanted < compared.reduce((sum, { grid }) => sum + grid.count, 0))) return null;
  const random = createRandom(beacon, 'overlap');
  const total = compared.reduce((sum, { size }) => sum + size, 0);
  return Array.from({ length: wanted }, (): Place => {
    let element = random.below(total);
    const { tensor, grid } = compared.find(({ size }) => (element -= size) < 0)!;
    // Counted from the tensor's end now. Its chunks are equally long, so that comes to the same.
    const chunk = Math.floor((-element - 1) / grid.length);
    return { tensor, chunk, kept: grid.kept, length: grid.length, worth: 1 / (wanted * grid.kept) };
  });
}

function allPlaces(compared: readonly ComparedTensor[]): Place[] {
  return compared.flatMap(({ tensor, grid: { count, kept, length }, weight }) =>
    Array.from({ length: count }, (_, chunk) => ({ tensor, chunk, kept, length, worth: weight })),
  );
}

/** @param layout of the model that all contributions are of */
export function createOverlapSearcher(
  search: OverlapSearch,
  shape: Pick<SchemeParameters, 'chunk' | 'topK'>,
  layout: ParameterLayout,
): OverlapSearcher {
  const compared = comparedTensors(shape, layout);
  const drawn = drawPlaces(compared, search);
  const places = drawn ?? allPlaces(compared);
  const sketchLength = places.reduce((sum, { kept }) => sum + kept, 0);
  const floor = (drawn ? search.least / 2 : search.least) - sketchLength * ROUNDING;

  return {
    sketch({ tensors }) {
      const sketch = new Uint16Array(sketchLength);
      let at = 0;
      for (const { tensor, chunk, kept } of places) {
        const { indices, values } = tensors[tensor]!;
        const start = chunk * kept;
        const isLoud = values.subarray(start, start + kept).some((value) => value !== 0);
        if (isLoud) sketch.set(indices.subarray(start, start + kept), at);
        else sketch.fill(SILENT, at, at + kept);
        at += kept;
      }
      return sketch;
    },
    likely: (sketches) => joinSketches(sketches, places, floor),
  };
}

/** Sums for as many pairs are kept at once: 64 MiB. */
const PAIRS_AT_ONCE = 2 ** 24;

/**
 * Place by place, with an index of who kept what of it, so that time is spent on what contributions have in common and
 * not on what they have not. Contributions go in bands of as many as there are sums for.
 */
function joinSketches(
  sketches: readonly OverlapSketch[],
  places: readonly Place[],
  floor: number,
): [i: number, j: number][] {
  const found: [number, number][] = [];
  const rows = Math.max(1, Math.floor(PAIRS_AT_ONCE / sketches.length));
  for (let first = 0; first < sketches.length; first += rows) {
    const end = Math.min(first + rows, sketches.length);
    const sums = new Float32Array((end - first) * end);
    let at = 0;
    for (const place of places) {
      addPlace(sketches, { ...place, at }, { first, end }, sums);
      at += place.kept;
    }
    for (let i = first; i < end; i++) {
      for (let j = 0; j < i; j++) if (sums[(i - first) * end + j]! >= floor) found.push([i, j]);
    }
  }
  return found;
}

/** @param place.at where it begins in a sketch @param sums [band, contributions before the band's end] */
function addPlace(
  sketches: readonly OverlapSketch[],
  { at, kept, length, worth }: Place & { readonly at: number },
  { first, end }: { readonly first: number; readonly end: number },
  sums: Float32Array,
): void {
  /** Of an element: where those who keep it begin, and where those end that came so far. */
  const begins = new Uint32Array(length + 1);
  for (let i = 0; i < end; i++) {
    const sketch = sketches[i]!;
    if (sketch[at] !== SILENT) for (let k = at; k < at + kept; k++) begins[sketch[k]! + 1]!++;
  }
  for (let element = 0; element < length; element++) begins[element + 1]! += begins[element]!;
  const ends = begins.slice();
  const keepers = new Uint32Array(begins[length]!);
  for (let i = 0; i < end; i++) {
    const sketch = sketches[i]!;
    if (sketch[at] === SILENT) continue;
    const row = (i - first) * end;
    for (let k = at; k < at + kept; k++) {
      const element = sketch[k]!;
      const stop = ends[element]!;
      if (i >= first) for (let j = begins[element]!; j < stop; j++) sums[row + keepers[j]!]! += worth;
      keepers[stop] = i;
      ends[element] = stop + 1;
    }
  }
}
