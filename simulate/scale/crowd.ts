/**
 * A crowd that comes and goes under a fixed number of evaluations a window: the production draw, scoring and selection on
 * made-up loss scores. What a peer is worth is known here and nowhere else, so it can be seen how much the ratings know.
 */
import { freshFigures, scoreWindow, type ScoredPeer } from '../../core/gauntlet/scoring.ts';
import { drawEvaluations, selectAggregation } from '../../core/gauntlet/selection.ts';
import { createRandom, seedFrom, type Random } from '../../core/numerics/prng.ts';
import type { Figures } from '../../core/protocol/figures.ts';
import type { GauntletParameters } from '../../core/protocol/manifest.ts';

export interface CrowdOptions {
  readonly params: GauntletParameters;
  readonly peers: number;
  /** A window. */
  readonly evaluations: number;
  readonly windows: number;
  /** Windows that a peer stays, on average: how many leave at the end of a window follows. */
  readonly stay: number;
  /** Share of the peers that poison from their first window. */
  readonly poisoners: number;
  /** Share that works well until it was aggregated once, and poisons from then on. */
  readonly sleepers: number;
  /** Evaluations of those about to be aggregated besides the draw: a change that is tried here and not in production. */
  readonly guard: boolean;
  readonly seed: string;
  readonly onWindow?: (window: number) => void;
}

export interface CrowdOutcome {
  /** Of the second half of the windows, by which time it is what it stays. */
  /** Mean share of honest peers that are worse than an aggregated honest one: 1 is the best choice there is, 0.5 chance. */
  readonly choice: number;
  /** Rank correlation of rating and worth among honest peers that are here; 0 tells nothing, 1 all. */
  readonly correlation: number;
  /** Share of the present peers that were ever evaluated. */
  readonly evaluated: number;
  /** Share of the slots of the outer step that poison takes, of early and late poisoners. */
  readonly poison: number;
}

type Kind = 'honest' | 'poisoner' | 'sleeper';

interface Member {
  readonly hotkey: string;
  readonly kind: Kind;
  /** 0 … 1, what tells one honest peer from another. */
  readonly worth: number;
  figures: Figures;
  awake: boolean;
}

/** Of an evaluation, in units of the difference between the best and the worst honest peer. */
const NOISE = 0.5;

/** Three uniform draws: about normal, of deviation 1. */
const aboutNormal = (random: Random): number => 2 * (random.uniform() + random.uniform() + random.uniform() - 1.5);

function joining(options: CrowdOptions, number: number, random: Random): Member {
  const lot = random.uniform();
  const { poisoners, sleepers } = options;
  const kind = lot < poisoners ? 'poisoner' : lot < poisoners + sleepers ? 'sleeper' : 'honest';
  const hotkey = `peer ${number}`;
  return { hotkey, kind, worth: random.uniform(), figures: freshFigures(options.params), awake: kind === 'poisoner' };
}

function lossScoresOf({ worth, awake }: Member, random: Random): { assigned: number; random: number } {
  const gain = (awake ? -1 : 0.5 + worth) + NOISE * aboutNormal(random);
  // Work on the assigned pages shows there first.
  return { random: gain, assigned: gain + (awake ? 0 : 0.3) + 0.2 * aboutNormal(random) };
}

function scoredPeer(member: Member, uid: number, turn: ReadonlySet<string>, random: Random): ScoredPeer {
  const { hotkey, figures: before } = member;
  const drawn = turn.has(hotkey);
  return {
    hotkey,
    uid,
    before,
    delivered: true,
    wellFormed: true,
    passed: true,
    sync: 1,
    otherData: false,
    drawn,
    lossScores: drawn ? lossScoresOf(member, random) : null,
    overlap: null,
  };
}

/** Of ranks, by Spearman. */
function rankCorrelation(pairs: readonly (readonly [number, number])[]): number {
  if (pairs.length < 3) return 0;
  const ranks = (at: 0 | 1): number[] => {
    const order = pairs.map((_, i) => i).sort((a, b) => pairs[a]![at] - pairs[b]![at]);
    const found = new Array<number>(pairs.length);
    // Equal values share a rank: most of a large crowd has never been rated.
    for (let from = 0, to = 0; from < order.length; from = to) {
      while (to < order.length && pairs[order[to]!]![at] === pairs[order[from]!]![at]) to++;
      for (let i = from; i < to; i++) found[order[i]!] = (from + to - 1) / 2;
    }
    return found;
  };
  const [a, b] = [ranks(0), ranks(1)];
  const mean = (pairs.length - 1) / 2;
  const sum = (of: (i: number) => number): number => pairs.reduce((all, _, i) => all + of(i), 0);
  const variance = Math.sqrt(sum((i) => (a[i]! - mean) ** 2) * sum((i) => (b[i]! - mean) ** 2));
  return variance === 0 ? 0 : sum((i) => (a[i]! - mean) * (b[i]! - mean)) / variance;
}

/** @returns what the second half of the windows came to; the same options come to the same */
export function simulateCrowd(options: CrowdOptions): CrowdOutcome {
  const { peers: count, evaluations, windows, stay, seed } = options;
  const params = { ...options.params, evaluationsPerWindow: evaluations };
  const random = createRandom(seedFrom('scale', seed));
  let joined = 0;
  const members = Array.from({ length: count }, () => joining(options, joined++, random));
  const half = Math.floor(windows / 2);
  const sums = { better: 0, honestSlots: 0, poisonSlots: 0, slots: 0, correlation: 0, evaluated: 0, looks: 0 };

  for (let window = 1; window <= windows; window++) {
    const beacon = seedFrom('scale', seed, window);
    const candidates = members.map(({ hotkey, figures }) => ({ hotkey, before: figures }));
    const turn = new Set(drawEvaluations(window, candidates, params, beacon));
    const byHotkey = new Map(members.map((member) => [member.hotkey, member]));
    let scored = members.map((member, uid) => scoredPeer(member, uid, turn, random));
    let after = scoreWindow(window, scored, params);
    const select = (): string[] =>
      selectAggregation(
        window,
        scored.map((peer) => ({ ...peer, after: after.get(peer.hotkey)! })),
        params,
        beacon,
      );
    let aggregated = select();
    // Whoever is about to be aggregated is evaluated, and who fails makes room, until all that are left were seen.
    while (options.guard && aggregated.some((hotkey) => !turn.has(hotkey))) {
      for (const hotkey of aggregated) turn.add(hotkey);
      scored = scored.map((peer) =>
        turn.has(peer.hotkey) && !peer.drawn
          ? { ...peer, drawn: true, lossScores: lossScoresOf(byHotkey.get(peer.hotkey)!, random) }
          : peer,
      );
      after = scoreWindow(window, scored, params);
      aggregated = select();
    }
    const harmed = aggregated.map((hotkey) => byHotkey.get(hotkey)!);
    if (window > half) {
      const honest = members.filter(({ kind }) => kind === 'honest');
      const worths = honest.map(({ worth }) => worth).sort((a, b) => a - b);
      sums.slots += harmed.length;
      for (const { kind, worth, awake } of harmed) {
        if (awake) sums.poisonSlots++;
        if (kind !== 'honest') continue;
        sums.honestSlots++;
        sums.better += worths.findIndex((other) => other >= worth) / worths.length;
      }
      sums.looks++;
      sums.evaluated += members.filter(({ figures }) => figures.evaluations > 0).length / count;
      sums.correlation += rankCorrelation(
        honest.map(({ worth, hotkey }) => [worth, after.get(hotkey)!.rating.mu] as const),
      );
    }
    for (const member of members) member.figures = after.get(member.hotkey)!;
    for (const member of harmed) if (member.kind === 'sleeper') member.awake = true;
    for (let place = 0; place < count; place++) {
      if (random.uniform() < 1 / stay) members[place] = joining(options, joined++, random);
    }
    options.onWindow?.(window);
  }
  return {
    choice: sums.honestSlots === 0 ? 0 : sums.better / sums.honestSlots,
    correlation: sums.correlation / sums.looks,
    evaluated: sums.evaluated / sums.looks,
    poison: sums.slots === 0 ? 0 : sums.poisonSlots / sums.slots,
  };
}
