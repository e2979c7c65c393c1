/** SQLite as the run store's database: embedded, durable against power loss. */
import Database from 'libsql';
import { Kysely, SqliteDialect } from 'kysely';
import type { RunStore } from '../rounds/store.ts';
import type { Tables } from './database.ts';
import { groupCommits } from './group-commit.ts';
import { createSqlStore } from './sql-store.ts';

/**
 * Opens or creates the database file.
 *
 * @param alone no other process can be at it
 * @throws Error when it is not a database of ours, DatabaseVersionError when it is of another version
 */
export async function openSqliteStore(path: string, alone = false): Promise<RunStore> {
  const database = new Database(path);
  // WAL with FULL syncs the log at every commit: what was answered survives a power cut.
  for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON', 'busy_timeout = 5000']) {
    database.pragma(pragma);
  }
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: () => Promise.resolve(database) }) });
  try {
    const store = await createSqlStore(db, { alone, transact: groupCommits(db) });
    return {
      ...store,
      async close() {
        // One file is left, which can be copied as it is.
        database.pragma('wal_checkpoint(TRUNCATE)');
        await store.close();
      },
    };
  } catch (error) {
    await db.destroy();
    throw error;
  }
}
