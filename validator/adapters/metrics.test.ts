import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ProblemError } from '../../core/protocol/problem.ts';
import { createValidator } from '../serve.ts';
import { createMetrics } from './metrics.ts';
import { observedBlobs, observedStore } from './observed.ts';
import { openRunFolder } from './run-folder.ts';
import { createTestRun, sharedEngine, silentLog } from './testing/test-run.ts';

const WINDOW = { window: 1, seconds: 2, participants: 4, aggregated: 2, loss: 5.5, evaluations: 3 };
const EVERYTHING: Parameters<ReturnType<typeof createMetrics>['watch']>[0] = {
  now: () => Date.parse('2026-01-01T00:01:00Z'),
  service: {
    clock: () => ({ window: 8, opensAt: '2026-01-01T00:00:00.000Z' }) as never,
    unready: () => 'because',
  },
  drives: () => true,
  peers: () => Promise.reject(new Error('the database is away')),
  listeners: () => 2,
  connections: () => Promise.resolve(3),
  turnedAway: () => 4,
  disk: () => Promise.resolve({ free: 1e9, size: 2e9 }),
  jobs: () => ({ evaluators: 1, lanes: 2, waiting: 3, made: 5, failed: 6 }),
  chain: { head: () => undefined, heardAt: () => undefined, connections: () => 1 },
};

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

it('tells how the process stands, and NaN for what cannot be read', async () => {
  const metrics = createMetrics('r');
  metrics.watch(EVERYTHING);
  const text = await metrics.render();
  for (const line of [
    'gauntlet_window{run="r"} 7',
    'gauntlet_window_age_seconds{run="r"} 60',
    'gauntlet_ready{run="r"} 0',
    'gauntlet_drives{run="r"} 1',
    'gauntlet_peers{run="r"} Nan',
    'gauntlet_connections_turned_away_total{run="r"} 4',
    'gauntlet_evaluation_jobs_total{result="failed",run="r"} 6',
    'gauntlet_chain_head_age_seconds{run="r"} Nan',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
  // Counters are what was counted, however often they are asked for.
  expect(await metrics.render()).toContain('gauntlet_connections_turned_away_total{run="r"} 4\n');
});

it('knows nothing of the newest window before it judged one, and after it handed the windows over', async () => {
  const metrics = createMetrics('r');
  const loss = async (): Promise<string | undefined> => /^gauntlet_held_out_loss_nats\S* (.*)$/m.exec(await metrics.render())?.[1]; // prettier-ignore
  expect(await loss()).toBe('Nan');
  metrics.judged({ ...WINDOW, evaluationsPerMinute: null });
  expect(await loss()).toBe('5.5');
  metrics.handedOver();
  expect(await loss()).toBe('Nan');
});

it('times calls to record and blobs, and counts those that failed, not those that were refused', async () => {
  const heard: string[] = [];
  const observer = {
    answered: () => heard.push('answered'),
    failed: () => heard.push('failed'),
    stored: (bytes: number) => heard.push(`stored ${bytes}`),
  };
  const dir = await mkdtemp(join(tmpdir(), 'observed-'));
  const folder = await openRunFolder(join(dir, 'run'));
  const { blobs, uploads } = observedBlobs(folder, observer);
  await blobs.put(new Uint8Array(10));
  const staged = await uploads.begin!();
  await staged.write(new Uint8Array(1));
  await staged.discard();
  await expect(blobs.read('../x')).rejects.toThrow(RangeError);
  expect(heard.splice(0)).toEqual(['answered', 'stored 10', 'answered', 'answered', 'answered']);
  await folder.close();
  const store = observedStore(folder.store, observer);
  await expect(store.peers()).rejects.toThrow();
  const refuse = (): Promise<never> => Promise.reject(new ProblemError('too-late', 'no'));
  await expect(observedStore({ ...folder.store, peers: refuse }, observer).peers()).rejects.toThrow(ProblemError);
  expect(heard).toEqual(['failed']);
  await rm(dir, { recursive: true });
});

it('of a real process has its requests by route, and no name that a stranger made', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'metrics-'));
  const dataDir = join(dir, 'run');
  await createTestRun(dataDir);
  const validator = await createValidator({
    dataDir,
    port: 0,
    host: '127.0.0.1',
    log: silentLog,
    createJudgeEngine: sharedEngine,
  });
  try {
    const get = async (path: string, init?: RequestInit): Promise<string> =>
      (await fetch(validator.url + path, init)).text();
    await get('/v1/clock');
    await get('/v1/windows/999999');
    await get('/v1/stranger-made-this');
    await get('/v1/clock', { method: 'DELETE' });
    const stream = await fetch(`${validator.url}/v1/events`);
    const text = await get('/metrics');
    await stream.body!.cancel();
    const value = (series: string): string | undefined =>
      text.split('\n').find((line) => line.startsWith(`${series} `))?.slice(series.length + 1); // prettier-ignore
    const run = `run="${validator.run.run}"`;
    expect(value(`gauntlet_http_requests_total{route="/v1/clock",status="2xx",${run}}`)).toBe('1');
    expect(value(`gauntlet_http_requests_total{route="/v1/clock",status="4xx",${run}}`)).toBe('1');
    expect(value(`gauntlet_http_requests_total{route="/v1/windows/:window",status="4xx",${run}}`)).toBe('1');
    expect(value(`gauntlet_http_requests_total{route="page",status="4xx",${run}}`)).toBe('1');
    expect(text).not.toContain('stranger');
    expect(value(`gauntlet_event_listeners{${run}}`)).toBe('1');
    expect(value(`gauntlet_peers{${run}}`)).toBe('0');
    expect(value(`gauntlet_drives{${run}}`)).toBe('1');
    expect(value(`gauntlet_takeovers_total{${run}}`)).toBe('1');
    expect(value(`gauntlet_ready{${run}}`)).toBe('1');
    for (const name of ['connections', 'disk_free_bytes', 'database_seconds_count', 'blob_store_seconds_count']) {
      expect([name, Number(value(`gauntlet_${name}{${run}}`)) > 0]).toEqual([name, true]);
    }
  } finally {
    await validator.close();
    await rm(dir, { recursive: true });
  }
});

it('has every figure that the dashboard, the alerts and the operator’s handbook name, and none that the handbook lacks', async () => {
  const metrics = createMetrics('a run');
  metrics.watch(EVERYTHING);
  const known = new Set([...(await metrics.render()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!));
  const named = new Map<string, Set<string>>();
  for (const file of ['deploy/grafana-dashboard.json', 'deploy/alerts.yaml', 'docs/operator.md']) {
    const text = await readFile(new URL(`../../${file}`, import.meta.url), 'utf8');
    const names = text.match(/\b(?:gauntlet|process|nodejs)_[a-z0-9_]+/g)!.map((name) => name.replace(/_bucket$/, ''));
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) expect([file, name, known.has(name)]).toEqual([file, name, true]);
    named.set(file, new Set(names));
  }
  const ours = [...known].filter((name) => name.startsWith('gauntlet_'));
  expect(ours.filter((name) => !named.get('docs/operator.md')!.has(name))).toEqual([]);
});
