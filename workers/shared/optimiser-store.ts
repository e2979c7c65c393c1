/** The contributor's momentum and error feedback on IndexedDB: one state for each run and hotkey. */
import type { OptimiserStore } from '../../client/ports.ts';
import { joinParts, MAX_RECORD_BYTES, partRange, splitIntoParts, type Database } from './database.ts';

/** Whose the parts are. */
export function optimiserOwner(run: string, hotkey: string): string {
  return `optimiser/${run}/${hotkey}`;
}

export function createOptimiserStore(database: Database, partBytes = MAX_RECORD_BYTES): OptimiserStore {
  return {
    load: (run, hotkey) =>
      database.use(async (connection) => {
        const transaction = connection.transaction(['optimiser', 'parts']);
        const record = await transaction.objectStore('optimiser').get([run, hotkey]);
        if (!record) return undefined;
        const parts = await transaction.objectStore('parts').getAll(partRange(optimiserOwner(run, hotkey)));
        const bytes = joinParts(parts, record.byteLength);
        return bytes && { window: record.window, bytes };
      }),
    save: (run, hotkey, state) =>
      database.use(async (connection) => {
        const parts = splitIntoParts(state.bytes, partBytes);
        const transaction = connection.transaction(['optimiser', 'parts'], 'readwrite');
        const store = transaction.objectStore('parts');
        await Promise.all([
          // One transaction: a crash leaves the old state or the new one, never parts of both.
          store.delete(partRange(optimiserOwner(run, hotkey))),
          ...parts.map((part, index) => store.put(part, [optimiserOwner(run, hotkey), index])),
          transaction.objectStore('optimiser').put({
            run,
            hotkey,
            window: state.window,
            parts: parts.length,
            byteLength: state.bytes.length,
          }),
          transaction.done,
        ]);
      }),
  };
}
