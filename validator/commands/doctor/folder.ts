/** The run's folder: its disk, and who has it. */
import { randomUUID } from 'node:crypto';
import { rm, stat, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { messageOf } from '../../../client/http.ts';
import { diskRoom } from '../../adapters/disk.ts';
import { ifThere, writeDurably } from '../../adapters/durable-file.ts';
import { codeOf } from '../../adapters/error-code.ts';
import { lockHolder } from '../../adapters/lock.ts';
import type { RunStore } from '../../rounds/store.ts';
import { duration, size } from '../status/view.ts';
import { failure, ok, warning, type Finding } from './finding.ts';

const PROBE_BYTES = 65_536;
const LEAST_FREE_BYTES = 256 * 2 ** 20;
const LITTLE_FREE_SHARE = 0.05;
/** A judgement syncs some dozens of files. */
const SLOW_SYNC_MS = 200;
const DAY_MS = 86_400_000;
const SOON_DAYS = 14;
/** Of published windows, for the growth. */
const WINDOWS = 200;
/** File systems of networks, by statfs(2), on which SQLite's locks do not hold. */
const NETWORK = new Map([[0x6969, 'NFS'], [0xff534d42, 'CIFS'], [0x517b, 'SMB'], [0xfe534d42, 'SMB2']]); // prettier-ignore

const MENDS: Partial<Record<string, string>> = {
  ENOSPC: 'Make room, or move the folder to a larger disk: nothing is lost meanwhile.',
  EROFS:
    'Mount the disk for writing. A disk that became read-only by itself is often failing: look at the kernel’s log.',
  EACCES: 'Give the folder to the user that the validator runs as.',
  EPERM: 'Give the folder to the user that the validator runs as.',
  EDQUOT: 'Raise the quota of the user that the validator runs as, or make room.',
};

async function nearest(folder: string): Promise<string> {
  const path = resolve(folder);
  return (await ifThere(stat(path))) ? path : nearest(dirname(path));
}

/** @param holdsRun whether something of the run is kept in it */
export async function examineDisk(folder: string, holdsRun: boolean): Promise<Finding[]> {
  const there = await nearest(folder);
  if (!(await stat(there)).isDirectory()) {
    return [failure('disk', `${there} is not a folder`, 'Name another one with --data.')];
  }
  const probe = join(there, `.doctor-${randomUUID()}`);
  const began = performance.now();
  try {
    await writeDurably(probe, new Uint8Array(PROBE_BYTES), 0o600);
  } catch (error) {
    const code = codeOf(error) ?? '';
    return [failure('disk', `nothing can be written to ${there}: ${messageOf(error)}`, MENDS[code] ?? 'Look after the disk.')]; // prettier-ignore
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
  const ms = performance.now() - began;
  const found: Finding[] = [];
  const network = NETWORK.get((await statfs(there)).type >>> 0);
  if (network !== undefined && holdsRun) {
    found.push(warning('disk', `${there} is on ${network}, where locks may not hold and a sync may not be one`, 'Keep the run on a disk of this machine, or in PostgreSQL and an object store.')); // prettier-ignore
  }
  if (ms > SLOW_SYNC_MS) {
    found.push(warning('disk', `writing and syncing ${size(PROBE_BYTES)} took ${Math.round(ms)} ms`, 'Every upload and window waits for this: use a faster disk.')); // prettier-ignore
  }
  const { free, size: whole } = await diskRoom(there);
  const room = `${size(free)} of ${size(whole)} free`;
  if (free < LEAST_FREE_BYTES) found.push(failure('disk', room, 'Make room: without it windows stand.'));
  else if (free < LITTLE_FREE_SHARE * whole) found.push(warning('disk', room, 'Make room soon.'));
  return found.length > 0 ? found : [ok('disk', `${room}; written and synced in ${Math.ceil(ms)} ms`)];
}

/** When the disk is full, if windows go on as the newest did. */
export async function examineGrowth(
  folder: string,
  store: Pick<RunStore, 'openWindow' | 'summaries' | 'record' | 'checkpoint' | 'run'>,
): Promise<Finding[]> {
  const { window: open } = await store.openWindow();
  const rows = await store.summaries(Math.max(1, open - WINDOWS), WINDOWS);
  const [first, last] = [rows[0], rows.at(-1)];
  const [from, to] = await Promise.all([first, last].map(async (row) => row && (await store.record(row.window))));
  const ms = Date.parse(to?.publishedAt ?? '') - Date.parse(from?.publishedAt ?? '');
  const signed = await store.run();
  if (!signed || !(ms > 0)) return [ok('growth', 'too few windows to foretell it')];
  // The first one's came before the time that is measured.
  const written = rows.slice(1).reduce((sum, { bytes, outerStep }) => sum + (bytes ?? 0) + (outerStep?.bytes ?? 0), 0);
  const { chunks } = (await store.checkpoint()).checkpoint;
  const checkpoints = (rows.length - 1) / signed.manifest.checkpoint.everyWindows;
  const perDay = ((written + checkpoints * chunks.reduce((sum, { bytes }) => sum + bytes, 0)) / ms) * DAY_MS;
  const { free } = await diskRoom(folder);
  const days = free / perDay;
  const says = `some ${size(perDay)} a day at the newest windows’ pace: full in ${days > 3_650 ? 'more than ten years' : duration(days * DAY_MS)}`; // prettier-ignore
  return [days < SOON_DAYS ? warning('growth', says, 'Plan for a larger disk: nothing is deleted by itself.') : ok('growth', says)]; // prettier-ignore
}

export async function examineLock(folder: string): Promise<Finding[]> {
  const holder = await lockHolder(folder);
  return [ok('lock', holder === undefined ? 'nobody has the folder' : `process ${holder} has the folder`)];
}
