import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freshFigures } from '../../core/gauntlet/scoring.ts';
import { REFERENCE_GAUNTLET } from '../../core/model/presets.ts';
import { createValidator } from '../serve.ts';
import { folderBlobs, folderUploads } from './folder-blobs.ts';
import { keyFileSigner } from './key-file.ts';
import { FolderInUseError, lockFolder } from './lock.ts';
import { openSqliteStore } from './sqlite.ts';
import { describeBlobs } from './testing/blob-suite.ts';
import { describeRunStore } from './testing/store-suite.ts';
import {
  contributionOf,
  createTestRun,
  deliver,
  FakeClock,
  joinRequest,
  openTestRun,
  silentLog,
  testPeer,
} from './testing/test-run.ts';

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const folders: string[] = [];
async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'adapters-'));
  folders.push(folder);
  return folder;
}
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

let database: string;
beforeEach(async () => {
  database = join(await temporary(), 'run.sqlite');
});
describeRunStore('SQLite', () => openSqliteStore(database));

it('the store brings figures of its first version up to date, and keeps everything else of them', async () => {
  const { conduct, ...figures } = freshFigures(REFERENCE_GAUNTLET);
  const delegation = {
    run: '00'.repeat(16),
    hotkey: 'a',
    sessionKey: 'ab'.repeat(32),
    scopes: ['contribute' as const],
    issuedAt: '2026-01-01T00:00:00Z',
    expiresAt: '2026-02-01T00:00:00Z',
  };
  const store = await openSqliteStore(database);
  await store.join(delegation, {
    firstWindow: 1,
    figures: { ...figures, conduct },
    replaces: null,
    maxPeers: 9,
    guest: true,
    origin: null,
    bounds: null,
  });
  await store.close();
  const raw = new Database(database);
  raw.prepare('update peers set figures = ?').run(JSON.stringify({ ...figures, poc: 0.5 }));
  raw.exec('drop table books');
  raw.exec('alter table peers drop column revoked_at');
  raw.exec('alter table windows drop column put_opens_block');
  raw.exec('alter table windows drop column put_closes_block');
  raw.exec('drop table chain_records');
  raw.exec('drop index verdicts_refused');
  raw.exec('drop table samples');
  raw.exec('drop index peers_origin');
  raw.exec('drop index peers_guests');
  raw.exec('alter table peers drop column guest');
  raw.exec('alter table peers drop column origin');
  raw.exec('drop table tickets');
  raw.exec('alter table migrations drop column needs');
  raw.exec('delete from migrations where version > 1');
  raw.close();
  const migrated = await openSqliteStore(database);
  expect((await migrated.peer('a'))?.figures).toEqual({ ...figures, poc: 0.5, conduct });
  await migrated.close();
});

it('the store makes the summaries of an older version anew, from what is on record', async () => {
  const dataDir = join(await temporary(), 'run');
  await createTestRun(dataDir);
  const clock = new FakeClock();
  const run = await openTestRun(dataDir, clock);
  const [alice, bob, carol] = [testPeer('alice'), testPeer('bob'), testPeer('carol')];
  for (const peer of [alice, bob, carol]) await run.rounds.join(await joinRequest(run.rounds.clock().run, peer));
  const astray = { header: { syncSample: Array.from({ length: 22 }, () => 9) } };
  const bytes = [await contributionOf(run, alice), await contributionOf(run, bob, astray)] as const;
  const otherModel = await contributionOf(run, carol, { header: { root: 'ab'.repeat(32) } });
  clock.moveTo(run.rounds.clock().putOpensAt);
  await deliver(run, alice, bytes[0]);
  await deliver(run, bob, bytes[1]);
  await expect(deliver(run, carol, otherModel)).rejects.toThrow(/other parameters|trained from/);
  await run.rounds.closeWindow();
  const written = await run.folder.store.summaries(1, 1);
  expect(written).toMatchObject([{ window: 1, tokens: 4 * 2 * 16, caught: { sync: 1, model: 1 }, rejected: 1 }]);
  await run.close();

  const raw = new Database(join(dataDir, 'run.sqlite'));
  raw.exec('drop index verdicts_refused');
  raw.exec(`update windows set summary = '{"window":1}' where window = 1`);
  raw.exec('drop table samples');
  raw.exec('drop index peers_origin');
  raw.exec('drop index peers_guests');
  raw.exec('alter table peers drop column guest');
  raw.exec('alter table peers drop column origin');
  raw.exec('drop table tickets');
  raw.exec('alter table migrations drop column needs');
  raw.exec('delete from migrations where version > 5');
  raw.close();
  const migrated = await openSqliteStore(join(dataDir, 'run.sqlite'));
  expect(await migrated.summaries(1, 1)).toEqual([{ ...written[0], rejected: null, caught: { sync: 1 } }]);
  await migrated.close();
});

describeBlobs('a folder', async () => {
  const folder = await temporary();
  const blobs = await folderBlobs(join(folder, 'blobs'));
  return { blobs, uploads: await folderUploads(join(folder, 'uploads'), join(folder, 'blobs')) };
});

it('folders take uploads in parts, and leave none behind', async () => {
  const folder = await temporary();
  const blobs = await folderBlobs(join(folder, 'blobs'));
  const uploads = await folderUploads(join(folder, 'uploads'), join(folder, 'blobs'));
  const bytes = Uint8Array.from({ length: 600_000 }, (_, i) => i % 251);
  const staged = await uploads.begin!();
  await staged.write(bytes.subarray(0, 1_000));
  await staged.write(bytes.subarray(1_000));
  expect(hashOf(await staged.bytes())).toBe(hashOf(bytes));
  const { sha256 } = await blobs.put(bytes.subarray(1));
  await staged.seal(hashOf(bytes));
  await staged.discard();
  await uploads.publish(hashOf(bytes));
  await expect(blobs.read('../run.sqlite')).rejects.toThrow(RangeError);
  expect((await readdir(join(folder, 'blobs'))).sort()).toEqual([sha256.slice(0, 2), hashOf(bytes).slice(0, 2)].sort());
});

describe('a run folder', () => {
  it('has one opener, and a lock that a dead one left is taken over', async () => {
    const folder = await temporary();
    const unlock = await lockFolder(folder);
    await expect(lockFolder(folder)).rejects.toThrow(FolderInUseError);
    await unlock();
    await writeFile(join(folder, 'validator.lock'), '1 1\n');
    await (
      await lockFolder(folder)
    )();
  });

  it('keeps its key to its owner', async () => {
    const path = join(await temporary(), 'validator.key');
    const { publicKey } = await keyFileSigner(path);
    expect((await keyFileSigner(path)).publicKey).toEqual(publicKey);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await writeFile(path, 'short');
    await expect(keyFileSigner(path)).rejects.toThrow(/not a key/);
  });
});

describe('a validator on a socket', () => {
  let close: (() => Promise<void>) | undefined;
  afterEach(() => close?.());

  it('serves API and app, keeps a second validator out, and ends cleanly', async () => {
    const dataDir = join(await temporary(), 'run');
    const staticDir = await temporary();
    await createTestRun(dataDir);
    await writeFile(join(staticDir, 'index.html'), '<title>app</title>');
    const options = { dataDir, staticDir, port: 0, host: '127.0.0.1', log: silentLog };
    const validator = await createValidator(options);
    close = () => validator.close();
    await expect(createValidator(options)).rejects.toThrow(FolderInUseError);

    expect(await (await fetch(`${validator.url}/readyz`)).json()).toEqual({ status: 'ready' });
    const page = await fetch(validator.url);
    expect(await page.text()).toContain('app');
    expect(page.headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(page.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
    const route = await fetch(`${validator.url}/leaderboard`, { headers: { accept: 'text/html' } });
    expect(await route.text()).toContain('app');
    for (const path of ['/..%2frun%2fvalidator.key', '/%2e%2e/run/validator.key', '/v1/nothing', '/missing.js']) {
      const missing = await fetch(validator.url + path, { headers: { accept: 'text/html' } });
      expect([path, missing.status, missing.headers.get('content-type')]).toEqual([
        path,
        404,
        'application/problem+json',
      ]);
    }
    expect(await (await fetch(`${validator.url}/metrics`)).text()).toContain('gauntlet_window');

    const events = await fetch(`${validator.url}/v1/events`);
    const reader = events.body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toContain('event: clock');
    await validator.close();
    close = undefined;
    expect((await reader.read()).done).toBe(true);
    await (await createValidator(options)).close();
  });
});
