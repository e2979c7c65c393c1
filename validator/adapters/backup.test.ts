import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { backUp, BackupError, restore } from './backup.ts';
import { readRunFolder } from './run-folder.ts';
import {
  contributionOf,
  createTestRun,
  deliver,
  FakeClock,
  joinRequest,
  openTestRun,
  testPeer,
} from './testing/test-run.ts';
import { verifyRun } from './verify.ts';

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

let data: string;
let out: string;
beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'backup-'));
  folders.push(folder);
  [data, out] = [join(folder, 'run'), join(folder, 'copy')];
});

async function findingsOf(folder: string): Promise<readonly string[]> {
  const run = await readRunFolder(folder);
  try {
    return (await verifyRun(run)).findings;
  } finally {
    await run.close();
  }
}

/** One window published, and an upload in the next one's put phase; then whatever is to happen with the run open. */
async function withRun<T>(work: (run: Awaited<ReturnType<typeof openTestRun>>) => Promise<T>): Promise<T> {
  await createTestRun(data);
  const clock = new FakeClock();
  const run = await openTestRun(data, clock);
  const alice = testPeer('alice');
  await run.rounds.join(await joinRequest(run.rounds.clock().run, alice));
  for (const publish of [true, false]) {
    const bytes = await contributionOf(run, alice);
    clock.moveTo(run.rounds.clock().putOpensAt);
    await deliver(run, alice, bytes);
    if (publish) await run.rounds.closeWindow();
  }
  try {
    return await work(run);
  } finally {
    await run.close();
  }
}

describe('a backup', () => {
  it('is taken while the run goes on, and goes on to the same parameters', async () => {
    const root = await withRun(async ({ rounds }) => {
      const report = await backUp(data, out);
      expect(report).toMatchObject({ window: 2 });
      expect(report.copied).toBeGreaterThan(60);
      await rounds.closeWindow();
      return rounds.clock().stateRoot;
    });
    expect(await findingsOf(out)).toEqual([]);
    expect((await stat(join(out, 'validator.key'))).mode & 0o777).toBe(0o600);
    const restored = `${out}-restored`;
    await restore(out, restored);
    const run = await openTestRun(restored, new FakeClock());
    expect(run.rounds.clock().window).toBe(2);
    await run.rounds.closeWindow();
    expect(run.rounds.clock().stateRoot).toBe(root);
    await run.close();
    await expect(restore(out, restored)).rejects.toThrow(BackupError);
  });

  it('has the uploads of the snapshot, though they were published before it came to them', async () => {
    await withRun(async ({ rounds }) => {
      let published: Promise<void> | undefined;
      await backUp(data, out, (done) => {
        if (done === 1) published = rounds.closeWindow();
      });
      await published;
    });
    expect(await findingsOf(out)).toEqual([]);
  });

  it('into an earlier one copies what is new, and leaves that valid until the end', async () => {
    await withRun(async ({ rounds }) => {
      await backUp(data, out);
      await rounds.closeWindow();
      const interrupted = backUp(data, out, () => {
        throw new Error('the power went');
      });
      await expect(interrupted).rejects.toThrow('the power went');
      expect(await findingsOf(out)).toEqual([]);
      expect((await readdir(out)).filter((name) => name.includes('.part'))).toEqual([]);
      const { window, files, copied } = await backUp(data, out);
      expect(window).toBe(3);
      expect(copied).toBeGreaterThan(0);
      expect(copied).toBeLessThan(files / 2);
    });
    expect(await findingsOf(out)).toEqual([]);
  });

  it('of nothing is refused', async () => {
    await expect(backUp(data, out)).rejects.toThrow(/holds no run/);
  });
});

describe('verifying', () => {
  async function blobFile(folder: string, skip = 0): Promise<string> {
    const entries = await readdir(join(folder, 'blobs'), { recursive: true, withFileTypes: true });
    const file = entries.filter((entry) => entry.isFile())[skip]!;
    return join(file.parentPath, file.name);
  }

  it('finds what is damaged, missing, or not sealed any more', async () => {
    await withRun(() => backUp(data, out));
    const damaged = await blobFile(out);
    const bytes = await readFile(damaged);
    bytes[0]! ^= 1;
    await writeFile(damaged, bytes);
    const missing = await blobFile(out, 1);
    await rm(missing);
    await rm(join(out, 'uploads'), { recursive: true });
    const findings = await findingsOf(out).catch((error: unknown) => [String(error)]);
    const text = findings.join('\n');
    expect(findings.length).toBeGreaterThanOrEqual(3);
    expect(text).toMatch(/is damaged: delete the file/);
    expect(text).toMatch(/is missing: restore it/);
    expect(text).toMatch(/upload in the open window 2 .* is missing/);
  });
});
