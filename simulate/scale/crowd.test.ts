import { expect, it } from 'vitest';
import { REFERENCE_GAUNTLET } from '../../core/model/presets.ts';
import { simulateCrowd, type CrowdOptions } from './crowd.ts';

const options: CrowdOptions = {
  params: REFERENCE_GAUNTLET,
  peers: 40,
  evaluations: 20,
  windows: 60,
  stay: 50,
  poisoners: 0.1,
  sleepers: 0.2,
  guard: false,
  seed: 'test',
};

it('comes to the same from the same seed, and to something else from another', () => {
  expect(simulateCrowd(options)).toEqual(simulateCrowd(options));
  expect(simulateCrowd({ ...options, seed: 'other' })).not.toEqual(simulateCrowd(options));
});

it('knows its peers the better, the more of them are evaluated', () => {
  const [few, many] = [simulateCrowd({ ...options, evaluations: 2 }), simulateCrowd(options)];
  expect(many.correlation).toBeGreaterThan(few.correlation + 0.2);
  expect(many.evaluated).toBeGreaterThan(few.evaluated);
  expect(many.choice).toBeGreaterThan(0.5);
});

it('lets no poison in when everybody who is about to be aggregated is looked at', () => {
  const sleeping = { ...options, evaluations: 2, sleepers: 0.5 };
  expect(simulateCrowd(sleeping).poison).toBeGreaterThan(0.05);
  expect(simulateCrowd({ ...sleeping, guard: true }).poison).toBeLessThan(0.02);
});
