/** Every attack on the production validator: what becomes of its weight, and which check it fails. */
import { beforeAll, describe, expect, test } from 'vitest';
import { withoutGauntlet } from '../../core/gauntlet/profiles/none.ts';
import { PRESETS } from '../../core/model/presets.ts';
import { runExperiment, type ExperimentOptions, type ExperimentPeer } from '../experiment.ts';
import { isAsExpected } from '../experiments/studies/gallery.ts';
import { ALL_EVALUATED, mean } from '../experiments/study.ts';
import { ATTACK_NAMES, GALLERY, type AttackName } from './gallery.ts';

/** All at once, beside a few honest peers; of sybils a second one, that has nothing of its own. */
const CROWD: ExperimentOptions = {
  preset: 'micro',
  windows: 8,
  honest: 5,
  attackers: [...ATTACK_NAMES.filter((name) => name !== 'uid-takeover'), 'sybils'],
  pages: 3,
  seed: 'gallery',
  gauntlet: ALL_EVALUATED,
};

const meanWeight = (peers: readonly ExperimentPeer[]): number =>
  mean(peers.filter(({ kind }) => kind === 'honest').map(({ state }) => state.weight));

const failedChecks = ({ state }: ExperimentPeer): Set<string> =>
  new Set(state.verdicts.filter(({ pass }) => !pass).map(({ check }) => check));

describe('beside honest peers', () => {
  let peers: readonly ExperimentPeer[];
  beforeAll(async () => {
    ({ peers } = await runExperiment(CROWD));
  }, 240_000);

  test.each(ATTACK_NAMES.filter((name) => name !== 'uid-takeover'))('%s', (name) => {
    const { weight, fails } = GALLERY[name].expected;
    const attacker = peers.findLast(({ kind }) => kind === name)!;
    expect(isAsExpected(weight, attacker.state.weight, meanWeight(peers))).toBe(true);
    if (fails) expect(failedChecks(attacker)).toContain(fails);
  });
});

test('what is harmful is kept out of the model', { timeout: 120_000 }, async () => {
  const half: ExperimentOptions = {
    ...CROWD,
    windows: 6,
    honest: 2,
    attackers: ['sign-flip', 'sign-flip'],
  };
  const guarded = await runExperiment(half);
  const bare = await runExperiment({ ...half, gauntlet: withoutGauntlet(ALL_EVALUATED) });
  expect(guarded.windows.at(-1)!.lossAfter!).toBeLessThan(bare.windows.at(-1)!.lossAfter! - 0.2);
});

test('whoever takes over a uid starts afresh', { timeout: 120_000 }, async () => {
  const { peers } = await runExperiment({
    ...CROWD,
    windows: 9,
    honest: 3,
    attackers: ['uid-takeover'],
    maxPeers: 3,
    leavesAfter: { 'honest-3': 3 },
    gauntlet: { ...ALL_EVALUATED, resetAfterWindows: 2 },
  });
  expect(peers.map(({ name }) => name)).toEqual(['honest-1', 'honest-2', 'uid-takeover-1']);
  const { state } = peers.at(-1)!;
  expect(state.firstWindow).toBeGreaterThan(5);
  expect(state.contributions.accepted).toBeGreaterThan(0);
  expect(state.weight).toBe(0);
  expect(Math.max(...state.history.map(({ rating }) => rating.ordinal))).toBeLessThan(1);
});

/** What depends on how a scheme makes bodies and steps. */
const OF_BODIES: readonly AttackName[] = [
  'noise',
  'zeros',
  'rescale-1000',
  'sign-flip',
  'copy-reindexed',
  'wrong-shape',
];

test('attacks speak every scheme', { timeout: 120_000 }, async () => {
  const { peers } = await runExperiment({
    ...CROWD,
    windows: 6,
    honest: 3,
    attackers: OF_BODIES,
    scheme: PRESETS.micro.schemes.sparseloco,
  });
  for (const { name, kind, state } of peers) {
    expect(state.contributions.accepted, name).toBe(kind === 'wrong-shape' ? 0 : 6);
    if (kind === 'honest' || kind === 'rescale-1000') continue;
    expect(state.rating.ordinal, name).toBeLessThan(
      Math.min(...peers.filter((peer) => peer.kind === 'honest').map((peer) => peer.state.rating.ordinal)),
    );
  }
});
