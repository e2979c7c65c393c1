import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createValidatorApi } from '../../../client/api.ts';
import {
  contributionOf,
  createTestRun,
  deliver,
  FakeClock,
  joinRequest,
  openTestRun,
  sharedEngine,
  silentLog,
  testPeer,
} from '../../adapters/testing/test-run.ts';
import { createValidator, type Validator } from '../../serve.ts';
import { parseExposition, total } from './exposition.ts';
import { openScreen } from './screen.ts';
import { createStatusSource, type Snapshot } from './snapshot.ts';
import { plain, progressOf, size, sparkline, statusLines, type ViewOptions } from './view.ts';

const CLI = fileURLToPath(new URL('../../../bin/gauntlet.js', import.meta.url));
const PEERS = ['alice', 'bob', 'carol'].map(testPeer);
const WIDTHS = [24, 33, 40, 60, 80, 132, 300];

describe('gauntlet status', { timeout: 60_000 }, () => {
  let dir: string;
  let validator: Validator;
  let snapshot: Snapshot;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'status-'));
    const dataDir = join(dir, 'run');
    await createTestRun(dataDir);
    const clock = new FakeClock();
    const run = await openTestRun(dataDir, clock);
    clock.moveTo(run.rounds.clock().putOpensAt);
    for (const peer of PEERS) {
      await run.rounds.join(await joinRequest(run.rounds.clock().run, peer));
      await deliver(run, peer, await contributionOf(run, peer));
    }
    await run.rounds.closeWindow();
    await run.close();
    validator = await createValidator({ dataDir, port: 0, host: '127.0.0.1', log: silentLog, createJudgeEngine: sharedEngine, clock }); // prettier-ignore
    snapshot = await source().read();
  }, 60_000);
  afterAll(async () => {
    await validator.close();
    await rm(dir, { recursive: true });
  });

  const source = (fetchImpl = fetch, token?: string) =>
    createStatusSource(createValidatorApi({ baseUrl: validator.url, fetch: fetchImpl }), { now: () => 1_000, token });
  const view = (change: Partial<ViewOptions> = {}, of: Snapshot | undefined = snapshot): string[] =>
    statusLines(of, { columns: 80, rows: Infinity, colour: false, now: 1_000, url: validator.url, ...change });

  it('reads of the API and of /metrics what the run and the process say', () => {
    expect(snapshot).toMatchObject({
      run: validator.run.run,
      name: 'test',
      unready: null,
      peers: 3,
      clock: { window: 2, phase: 'train' },
      windows: [{ window: 1, participants: 3 }],
      process: {
        drives: true,
        takeovers: 1,
        uploadsAccepted: 0,
        uploadsRefused: 0,
        evaluators: null,
        judgeFailures: 0,
      },
      processUnknown: null,
    });
    expect(snapshot.process!.diskFreeBytes).toBeGreaterThan(0);
    expect(snapshot.leaderboard.map(({ hotkey }) => hotkey).sort()).toEqual(PEERS.map(({ hotkey }) => hotkey).sort());
  });

  it('asks for windows and leaderboard once a window', async () => {
    const asked: string[] = [];
    const counting = source((url, init) => {
      asked.push(new URL(url as string).pathname);
      return fetch(url, init);
    });
    await counting.read();
    await counting.read();
    expect(asked.filter((path) => path === '/v1/leaderboard')).toHaveLength(1);
    expect(asked.filter((path) => path === '/v1/clock')).toHaveLength(2);
  });

  it('shows the run without the process’s figures, and why, where they may not be read', async () => {
    const problem = { type: '/problems/unknown-route', title: 't', status: 404, detail: 'For operators only.' };
    let sent: string | null | undefined;
    const refusing: typeof fetch = (url, init) => {
      if (!(url as string).endsWith('/metrics')) return fetch(url, init);
      sent = new Headers(init?.headers).get('authorization');
      return Promise.resolve(Response.json(problem, { status: 404 }));
    };
    const without = await source(refusing, 'the token').read();
    expect(sent).toBe('Bearer the token');
    expect(without.process).toBeNull();
    expect(view({}, without).join('\n')).toContain('For operators only.');
    expect(view({}, without).join('\n')).toContain(`Window 2`);
  });

  it('shows window, loss, peers and process, at any width and height', () => {
    const text = view().join('\n');
    const wanted = ['ready', 'Window 2  train', 'Loss ', 'rank  hotkey', 'drives the windows', '6 s left'];
    for (const part of wanted) expect(text).toContain(part);
    for (const columns of WIDTHS) {
      for (const line of view({ columns })) expect(line.length).toBeLessThanOrEqual(columns);
      expect(view({ columns }).join('\n')).toMatch(/Window 2.*train/);
      const coloured = view({ columns, colour: true });
      expect(coloured.map(stripVTControlCharacters)).toEqual(view({ columns }));
      for (const rows of [1, 5, 12, 24]) expect(view({ columns, rows }).length).toBeLessThanOrEqual(rows);
    }
  });

  it('says that the validator is gone, and what was known last', () => {
    const gone = view({ failure: { reason: 'it cannot be reached', since: -4_000 } }).join('\n');
    expect(gone).toContain('it cannot be reached · asked again since 5 s');
    expect(gone).toContain('Window 2');
    expect(gone).not.toContain('ready');
    const never = statusLines(undefined, { columns: 80, rows: 24, colour: false, now: 0, url: 'http://x', failure: { reason: 'no', since: 0 } }); // prettier-ignore
    expect(never).toEqual(['Gauntlet · http://x', 'no · asked again since 0 s']);
  });

  it('takes from strangers’ texts what moves a cursor or turns a line around', () => {
    const hostile = 'a\x1b]0;owned\x07b\u009b2Jc\u202ed\u200be\nf';
    expect(plain(hostile)).toBe('a]0;ownedb2Jcdef');
    const lines = view({}, { ...snapshot, name: hostile, unready: hostile, process: null, processUnknown: hostile });
    // eslint-disable-next-line no-control-regex -- these are what must not come through
    expect(lines.join('')).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e\u200b]/);
  });

  async function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
    const child = spawn(process.execPath, [CLI, 'status', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => (out += String(chunk)));
    child.stderr.on('data', (chunk: Buffer) => (err += String(chunk)));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, out, err };
  }

  it('is printed once where there is no terminal, and as JSON', async () => {
    const [once, json, nobody] = await Promise.all([
      run('--url', validator.url),
      run('--url', validator.url, '--json'),
      run('--url', 'http://127.0.0.1:9'),
    ]);
    expect([once.code, json.code, nobody.code]).toEqual([0, 0, 2]);
    expect(once.out).toContain('Window 2');
    expect(once.out).not.toContain('\x1b');
    expect(JSON.parse(json.out)).toMatchObject({ url: validator.url, run: validator.run.run, clock: { window: 2 } });
    expect(nobody.err).toMatch(/^gauntlet: 127\.0\.0\.1:9 cannot be reached/);
  });
});

it('how far a phase is goes by the validator’s clock', () => {
  const at = (seconds: number): string => new Date(seconds * 1_000).toISOString();
  const clock = { opensAt: at(0), putOpensAt: at(10), putClosesAt: at(20), blocks: null } as Snapshot['clock'];
  expect(progressOf({ ...clock, phase: 'train' }, 5_000)).toEqual({ share: 0.5, text: '5 s left' });
  expect(progressOf({ ...clock, phase: 'put' }, 19_000)).toEqual({ share: 0.9, text: '1 s left' });
  expect(progressOf({ ...clock, phase: 'put' }, 320_000)).toEqual({ share: 1, text: '5 min over' });
  expect(progressOf({ ...clock, phase: 'judge' }, 27_000)).toEqual({ share: null, text: 'for 7 s' });
  const blocks = { head: 3, putOpens: 4, putCloses: 5 };
  expect(progressOf({ ...clock, blocks, phase: 'train' }, 5_000).text).toBe('about 5 s left');
});

it('the course of many values is as long as it may be, from the lowest to the highest', () => {
  expect(sparkline([1, 2, 3, 4, 5, 6, 7, 8], 80)).toBe('▁▂▃▄▅▆▇█');
  expect(sparkline(Array.from({ length: 100 }, (_, i) => i), 5)).toBe('▁▃▅▆█'); // prettier-ignore
  expect(sparkline([3, 3], 9)).toBe('▁▁');
  expect(sparkline([], 9)).toBe('');
  expect([0, 1_023, 1_024, 5e9].map(size)).toEqual(['0 B', '1023 B', '1.00 KiB', '4.66 GiB']);
});

it('series are read with their labels, and other lines left out', () => {
  const text = '# HELP x y\nx{a="1",b="q\\"uo}te"} 2\nx{a="2"} Nan\ny 1e3\nnonsense\n{} 3\nz +Inf\n';
  expect(parseExposition(text)).toEqual([
    { name: 'x', labels: { a: '1', b: 'q"uo}te' }, value: 2 },
    { name: 'x', labels: { a: '2' }, value: Number.NaN },
    { name: 'y', labels: {}, value: 1_000 },
    { name: 'z', labels: {}, value: Number.NaN },
  ]);
  expect([total(parseExposition(text), 'x'), total(parseExposition(text), 'none')]).toEqual([2, undefined]);
});

it('the terminal is given back once, whatever was drawn', () => {
  const written: string[] = [];
  const before = process.listenerCount('exit');
  const screen = openScreen({ write: (text: string | Uint8Array) => written.push(String(text)) > 0 });
  screen.draw(['one', 'two'], 3);
  screen.leave();
  screen.leave();
  screen.draw(['late'], 3);
  expect(written).toEqual(['\x1b[?1049h\x1b[?25l\x1b[?7l', '\x1b[H\x1b[Kone\r\n\x1b[Ktwo\r\n\x1b[K', '\x1b[?7h\x1b[?25h\x1b[?1049l']); // prettier-ignore
  expect(process.listenerCount('exit')).toBe(before);
});
