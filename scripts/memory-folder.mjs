/** A folder for tests whose thousands of small files need not outlive them. */
import { accessSync, chmodSync, constants, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where Linux keeps a file system in memory. */
const MEMORY = '/dev/shm';
/** Several times what the tests take at once. */
const ENOUGH_BYTES = 2 ** 31;

/** Swift keeps what it knows of an object in attributes of files, which Linux has in memory since this version. */
const ATTRIBUTES_SINCE = '6.6';

function isUsable(folder) {
  try {
    accessSync(folder, constants.W_OK);
    const { bavail, bsize } = statfsSync(folder);
    const isNewEnough = release().localeCompare(ATTRIBUTES_SINCE, 'en', { numeric: true }) >= 0;
    return isNewEnough && bavail * bsize >= ENOUGH_BYTES;
  } catch {
    return false;
  }
}

/** Made in memory where that is possible, else where temporary files go; removed when this process ends. */
export function memoryFolder() {
  const folder = mkdtempSync(join(isUsable(MEMORY) ? MEMORY : tmpdir(), 'gauntlet-test-'));
  // Servers run as users of their own.
  chmodSync(folder, 0o755);
  // What is being ended may still write to it.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  // By itself a signal ends a process without its `exit`, and the folder would hold memory until the machine restarts.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));
  return folder;
}
