/**
 * How long peers wait for their evaluation when there are more of them than time: the draw of the paper profile (weight
 * by windows waited), that of templar 2.1 (the same inside bins of similar rating) and, to compare, one without a memory.
 * The production draw and scoring on made-up loss scores, all from a seed.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { GAUNTLET_PROFILES } from '../core/gauntlet/profiles/defaults.ts';
import { freshFigures, scoreWindow, type ScoredPeer } from '../core/gauntlet/scoring.ts';
import { drawEvaluations, type EvaluationCandidate } from '../core/gauntlet/selection.ts';
import { createRandom, seedFrom } from '../core/numerics/prng.ts';
import type { Figures } from '../core/protocol/figures.ts';
import type { GauntletParameters } from '../core/protocol/manifest.ts';

const { values: options } = parseArgs({
  options: {
    windows: { type: 'string', default: '2000' },
    seed: { type: 'string', default: 'scheduling' },
    json: { type: 'string' },
  },
});
const WINDOWS = Number(options.windows);
const PEERS = [10, 50, 250];
const EVALUATIONS = [5, 10, 20];

interface Way {
  readonly name: string;
  readonly params: GauntletParameters;
  /** What the draw is told of a peer. */
  readonly seen: (peer: EvaluationCandidate) => EvaluationCandidate;
}

const same = (peer: EvaluationCandidate): EvaluationCandidate => peer;
const { paper, 'templar-2.1': templar } = GAUNTLET_PROFILES;
const WAYS: readonly Way[] = [
  { name: 'uniform', params: paper, seen: ({ hotkey, before }) => ({ hotkey, before: { ...before, waited: 0 } }) },
  { name: 'paper', params: paper, seen: same },
  { name: 'templar-2.1', params: templar, seen: same },
];

interface Row {
  readonly draw: string;
  readonly peers: number;
  readonly evaluations: number;
  /** Windows from one evaluation of a peer to its next. */
  readonly meanWait: number;
  readonly p95Wait: number;
  /** Those included that had not ended when the run did. */
  readonly longestWait: number;
  /** Share of all waits that were no longer than twice the ⌈P/E⌉ windows that taking turns would need. */
  readonly withinTwoTurns: number;
}

/** A window in which everybody delivers something valid and the better peers tend to score higher. */
function playWindow(
  window: number,
  peers: readonly { readonly hotkey: string; readonly figures: Figures; readonly skill: number }[],
  { params, seen }: Way,
): { drawn: readonly string[]; after: ReadonlyMap<string, Figures> } {
  const candidates = peers.map(({ hotkey, figures }) => seen({ hotkey, before: figures }));
  const drawn = drawEvaluations(window, candidates, params, seedFrom(options.seed, 'beacon', window));
  const noise = createRandom(seedFrom(options.seed, 'losses', window));
  const scored = peers.map(({ hotkey, figures, skill }, uid): ScoredPeer => {
    const random = 1 + skill + noise.uniform();
    return {
      hotkey,
      uid,
      before: figures,
      delivered: true,
      wellFormed: true,
      passed: true,
      sync: 1,
      otherData: false,
      drawn: drawn.includes(hotkey),
      lossScores: drawn.includes(hotkey) ? { assigned: random + 1, random } : null,
      overlap: null,
    };
  });
  return { drawn, after: scoreWindow(window, scored, params) };
}

function simulate(way: Way, peerCount: number, evaluations: number): Row {
  const params = { ...way.params, evaluationsPerWindow: evaluations };
  const skills = createRandom(seedFrom(options.seed, 'skills'));
  let peers = Array.from({ length: peerCount }, (_, i) => ({
    hotkey: `peer ${i}`,
    figures: freshFigures(params),
    skill: skills.uniform(),
    since: 0,
  }));
  const waits: number[] = [];
  for (let window = 1; window <= WINDOWS; window++) {
    const { drawn, after } = playWindow(window, peers, { ...way, params });
    const turn = new Set(drawn);
    peers = peers.map((peer) => {
      if (turn.has(peer.hotkey)) waits.push(window - peer.since);
      return { ...peer, figures: after.get(peer.hotkey)!, since: turn.has(peer.hotkey) ? window : peer.since };
    });
  }
  waits.sort((a, b) => a - b);
  const twoTurns = 2 * Math.ceil(peerCount / evaluations);
  const open = peers.map(({ since }) => WINDOWS - since);
  const longer = [...waits, ...open].filter((wait) => wait > twoTurns).length;
  return {
    draw: way.name,
    peers: peerCount,
    evaluations,
    meanWait: waits.reduce((sum, wait) => sum + wait, 0) / waits.length,
    p95Wait: waits[Math.ceil(0.95 * waits.length) - 1]!,
    longestWait: Math.max(waits.at(-1)!, ...open),
    withinTwoTurns: 1 - longer / (waits.length + open.length),
  };
}

const rows: Row[] = [];
console.log('| P | E | draw | mean | 95 % | longest | within 2⌈P/E⌉ |\n| --: | --: | --- | --: | --: | --: | --: |');
for (const peers of PEERS) {
  for (const evaluations of EVALUATIONS) {
    for (const way of WAYS) {
      const row = simulate(way, peers, evaluations);
      rows.push(row);
      const { draw, meanWait, p95Wait, longestWait, withinTwoTurns } = row;
      console.log(
        `| ${peers} | ${evaluations} | ${draw} | ${meanWait.toFixed(1)} | ${p95Wait} | ${longestWait} | ${(100 * withinTwoTurns).toFixed(1)} % |`,
      );
    }
  }
}
if (options.json) {
  const about = { windows: WINDOWS, seed: options.seed };
  await writeFile(options.json, `${JSON.stringify({ ...about, rows }, null, 2)}\n`);
}
