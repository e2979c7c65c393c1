/** `gauntlet backup`, `restore` and `verify`: copies of a run, and whether a run or a copy is whole. */
import { backUp, restore } from '../adapters/backup.ts';
import { placesOf, type Places } from '../adapters/places.ts';
import { readRunFolder } from '../adapters/run-folder.ts';
import { verifyRun } from '../adapters/verify.ts';
import { UsageError } from './usage-error.ts';

/** A run that is kept elsewhere is copied by those who keep it. */
function assertInFolder(places: Places): void {
  if (places.database !== undefined || places.bucket !== undefined) {
    throw new UsageError(
      'this run is not kept in a folder: back the database up with pg_dump or its provider’s snapshots, and the store with versioning or replication, the database first',
    );
  }
}

function progress(): { readonly show: (what: string) => void; readonly end: () => void } {
  const { isTTY } = process.stderr;
  return {
    show: (what) => isTTY && process.stderr.write(`\r\x1b[K${what} …`),
    end: () => isTTY && process.stderr.write('\r\x1b[K'),
  };
}

export async function backupCommand({ data, out }: { readonly data: string; readonly out: string }): Promise<void> {
  assertInFolder(placesOf(process.env));
  const { show, end } = progress();
  const { window, files, copied } = await backUp(data, out, (done, of) => show(`${done} of ${of} files`));
  end();
  console.log(
    `${out}: window ${window} and ${files} files, ${copied} of them new. Verify it: gauntlet verify --data ${out}`,
  );
}

export async function restoreCommand({ from, data }: { readonly from: string; readonly data: string }): Promise<void> {
  assertInFolder(placesOf(process.env));
  const { window, files } = await restore(from, data);
  console.log(`${data}: window ${window} and ${files} files. Start it: gauntlet start --data ${data}`);
}

export async function verifyCommand({ data }: { readonly data: string }): Promise<void> {
  const folder = await readRunFolder(data, placesOf(process.env));
  const { show, end } = progress();
  try {
    const { run, window, blobs, findings } = await verifyRun(folder, show);
    end();
    for (const finding of findings) console.log(finding);
    if (findings.length > 0) process.exitCode = 1;
    else console.log(`Run ${run}, window ${window}: ${blobs} blobs and the parameters are what the record says.`);
  } finally {
    await folder.close();
  }
}
