/**
 * What the valid contributions of a window are to one another: the norms that they are clipped to, and who copied whom.
 * One is read at a time and lane, and something small kept of it; only those that may be copies are read again.
 */
import { copies, type Copy, type Overlap } from '../../core/gauntlet/copies.ts';
import type { OverlapSearch } from '../../core/gauntlet/overlap-search.ts';
import { profileOf } from '../../core/gauntlet/profiles/profile-of.ts';
import { lowerMedians } from '../../core/numerics/median.ts';
import type { RunContext } from './context.ts';
import { inLanes } from './in-lanes.ts';
import type { JudgeEngine, Measures, SignedBytes } from './ports.ts';
import type { ContributionRow } from './store.ts';

/** Contributions of either side that are compared in one call: as many lie decoded in memory, twice. */
const COMPARED_AT_ONCE = 32;

export interface Comparison {
  /** What the scheme clips them to; null where it clips none. */
  readonly clipNorms: readonly number[] | null;
  /** By hotkey; empty where the profile does not look for copies. */
  readonly copied: ReadonlyMap<string, Copy>;
}

export interface ComparisonInput {
  readonly window: number;
  /** Of `beaconOf`. */
  readonly beacon: Uint8Array;
  readonly valid: readonly Pick<ContributionRow, 'hotkey' | 'arrivedAt'>[];
  /** A contribution, in bytes that may be given away. */
  readonly read: (hotkey: string) => Promise<SignedBytes>;
}

type Pair = readonly [number, number];
type ComparingEngine = Pick<JudgeEngine, 'lanes' | 'measure' | 'suspects' | 'overlaps'>;

/** @throws whatever `read` and the engine throw */
export async function compareContributions(
  { manifest, scheme }: Pick<RunContext, 'manifest' | 'scheme'>,
  engine: ComparingEngine,
  { window, beacon, valid, read }: ComparisonInput,
): Promise<Comparison> {
  const least = profileOf(manifest.gauntlet).leastOverlap(window);
  const search = least === null ? null : { beacon, least };
  // A scheme that clips nothing says so without a contribution to look at.
  const clips = scheme.medianNorms([]) !== null;
  if (!clips && !search) return { clipNorms: null, copied: new Map() };
  const hotkeys = valid.map(({ hotkey }) => hotkey);
  const measured = await inLanes(hotkeys, engine.lanes, async (hotkey) => engine.measure(await read(hotkey), search));
  return {
    clipNorms: clips ? lowerMedians(measured.map(({ norms }) => norms!)) : null,
    copied: search ? await findCopies(engine, search, { valid, read }, measured) : new Map<string, Copy>(),
  };
}

async function findCopies(
  engine: ComparingEngine,
  search: OverlapSearch,
  { valid, read }: Pick<ComparisonInput, 'valid' | 'read'>,
  measured: readonly Measures[],
): Promise<Map<string, Copy>> {
  const suspects = await engine.suspects(
    measured.map(({ sketch }) => sketch!),
    search,
  );
  const overlaps = await inLanes(tilesOf(suspects), engine.lanes, async (pairs): Promise<Overlap[]> => {
    const places = [...new Set(pairs.flat())];
    const at = new Map(places.map((place, i) => [place, i]));
    const contributions = await Promise.all(places.map((place) => read(valid[place]!.hotkey)));
    const shares = await engine.overlaps(
      contributions,
      pairs.map(([i, j]) => [at.get(i)!, at.get(j)!] as const),
    );
    return pairs.map((pair, i) => ({ pair, share: shares[i]! }));
  });
  const arrivals = valid.map(({ hotkey, arrivedAt }) => ({ hotkey, arrivedAt: Date.parse(arrivedAt) }));
  return copies(arrivals, overlaps.flat(), search.least);
}

/** Pairs in groups that few contributions take part in. */
function tilesOf(pairs: readonly Pair[]): Pair[][] {
  const suspects = [...new Set(pairs.flat())];
  const block = new Map(suspects.map((place, i) => [place, Math.floor(i / COMPARED_AT_ONCE)]));
  const tiles = new Map<string, Pair[]>();
  for (const pair of pairs) {
    const key = pair.map((place) => block.get(place)!).join(' ');
    const tile = tiles.get(key);
    if (tile) tile.push(pair);
    else tiles.set(key, [pair]);
  }
  return [...tiles.values()];
}
