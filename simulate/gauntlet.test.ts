import { expect, test } from 'vitest';
import { createValidatorApi } from '../client/api.ts';
import type { Sample } from '../core/protocol/api.ts';
import { runExperiment, type ExperimentOptions } from './experiment.ts';

const MICRO: Omit<ExperimentOptions, 'windows' | 'attackers'> = { preset: 'micro', honest: 3, pages: 6, seed: 'demo' };

test('in 15 windows the honest rise, every attacker sinks, and the model learns', { timeout: 300_000 }, async () => {
  let samples: Sample[] = [];
  const { windows, peers } = await runExperiment({
    ...MICRO,
    windows: 15,
    attackers: 3,
    onEnd: async ({ url, fetch }) => {
      samples = await createValidatorApi({ baseUrl: url, fetch }).samples();
    },
  });
  const honest = peers.filter(({ kind }) => kind === 'honest').map(({ state }) => state);
  const attackers = peers.filter(({ kind }) => kind !== 'honest').map(({ state }) => state);
  expect(attackers).toHaveLength(3);

  const worstHonest = Math.min(...honest.map(({ weight }) => weight));
  for (const attacker of attackers) {
    expect(attacker.weight).toBeLessThan(worstHonest / 4);
    expect(attacker.rating.ordinal).toBeLessThan(Math.min(...honest.map(({ rating }) => rating.ordinal)));
    expect(attacker.poc).toBeLessThan(Math.min(...honest.map(({ poc }) => poc)));
  }
  expect(peers.reduce((sum, { state }) => sum + state.weight, 0)).toBeCloseTo(1, 9);
  for (const { contributions } of honest) {
    expect(contributions.accepted).toBe(15);
    expect(contributions.aggregated).toBeGreaterThanOrEqual(13);
  }
  expect(windows[0]!.lossBefore! - windows.at(-1)!.lossAfter!).toBeGreaterThan(0.6);

  expect(samples.slice(0, 15).map(({ window }) => window)).toEqual(windows.map(({ window }) => window));
  const texts = samples.map(({ completions }) => completions.map(({ text }) => text).join());
  expect(new Set(texts).size).toBe(texts.length);
  expect(texts.every((text) => text.length > 100)).toBe(true);
});

test('a run is the same to the bit when it is repeated', { timeout: 120_000 }, async () => {
  const roots = async (): Promise<(string | null)[]> => {
    const { windows } = await runExperiment({ ...MICRO, windows: 2, attackers: 1, pages: 2 });
    return windows.map(({ stateRoot }) => stateRoot);
  };
  const first = await roots();
  expect(new Set(first).size).toBe(2);
  expect(await roots()).toEqual(first);
});
