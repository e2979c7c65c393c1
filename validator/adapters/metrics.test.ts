import { readFile } from 'node:fs/promises';
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

it('has every figure that the dashboard, the alerts and the operator’s handbook name', async () => {
  const metrics = createMetrics('a run');
  metrics.follow({ head: () => undefined, heardAt: () => undefined, connections: () => 1 }, () => 0);
  const known = new Set([...(await metrics.render()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!));
  for (const file of ['deploy/grafana-dashboard.json', 'deploy/alerts.yaml', 'docs/operator.md']) {
    const text = await readFile(new URL(`../../${file}`, import.meta.url), 'utf8');
    const named = text.match(/\b(?:gauntlet|process|nodejs)_[a-z0-9_]+/g)!.map((name) => name.replace(/_bucket$/, ''));
    expect(named.length).toBeGreaterThan(5);
    for (const name of named) expect([file, name, known.has(name)]).toEqual([file, name, true]);
  }
});
