import { describe, expect, it } from 'vitest';
import { loadOf, monthOf, PRICES, type Scenario } from './costs.ts';

const scenario: Scenario = {
  preset: 'nano',
  scheme: 'decoupled-momentum',
  peers: 100,
  windowSeconds: 60,
  stay: 50,
  evaluationsOfStay: 5,
  aggregated: 15,
  watchers: 100,
  keptWindows: 10,
  fromPeers: 0,
};

describe('the load of a run', () => {
  it('is what its preset says', () => {
    const load = loadOf(scenario);
    // docs/measurements/payload.md; 64 pages of 8 x 128 tokens of two bytes.
    expect(load.up).toBe(22_952);
    expect(load.down).toBeGreaterThan(64 * 1_024 * 2 + 131_000);
    expect(load.arriving).toBe(100 * load.up);
    // Two come in a window; the checkpoint is 4 bytes a parameter.
    expect(load.joinsAMinute).toBe(2);
    expect(load.leaving).toBe(100 * load.down + 2 * load.join);
    expect(load.join).toBeGreaterThan(4 * 1_049_728);
    expect(load.evaluations).toBe(10);
    expect(load.evaluationFlops).toBe(6 * 1_024 * 2 * 1_049_728);
    expect(load.evaluators).toBe(1);
  });

  it('grows with peers in proportion, but leaderboards with peers times watchers', () => {
    const [one, ten] = [loadOf(scenario), loadOf({ ...scenario, peers: 1_000, watchers: 1_000 })];
    expect(ten.leaving).toBeCloseTo(10 * one.leaving);
    expect(ten.leaderboards).toBeCloseTo(100 * one.leaderboards);
  });
});

describe('a month', () => {
  it('is the sum of its parts, and egress is bytes times price', () => {
    const { total, ...parts } = monthOf(scenario, PRICES, 'all');
    expect(total).toBeCloseTo(Object.values(parts).reduce((sum, part) => sum + part, 0));
    expect(parts.egress).toBeCloseTo(((43_200 * loadOf(scenario).leaving) / 1e9) * 0.01);
    expect(monthOf(scenario, { ...PRICES, egressGb: 0.09 }, 'all').egress).toBeCloseTo(9 * parts.egress);
    expect(monthOf({ ...scenario, fromPeers: 0.9 }, PRICES, 'all').egress).toBeCloseTo(parts.egress / 10);
    expect(monthOf(scenario, PRICES, 'page').leaderboards).toBeLessThan(parts.leaderboards);
  });
});
