import { expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';

const WINDOW = { window: 1, seconds: 2, participants: 4, aggregated: 2, loss: 5.5, evaluations: 3 };

it('reports evaluations a minute of the newest window that had any, and counts them all', async () => {
  const metrics = createMetrics('a run');
  const lines = async (): Promise<string[]> =>
    (await metrics.render()).split('\n').filter((line) => line.startsWith('gauntlet_evaluations'));
  metrics.judged({ ...WINDOW, evaluationsPerMinute: 120 });
  expect(await lines()).toEqual([
    'gauntlet_evaluations_total{run="a run"} 3',
    'gauntlet_evaluations_per_minute{run="a run"} 120',
  ]);
  metrics.judged({ ...WINDOW, window: 2, evaluationsPerMinute: 90 });
  metrics.judged({ ...WINDOW, window: 3, evaluations: 0, evaluationsPerMinute: null });
  expect(await lines()).toEqual([
    'gauntlet_evaluations_total{run="a run"} 6',
    'gauntlet_evaluations_per_minute{run="a run"} 90',
  ]);
});
