import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { CompiledQuery, Kysely, SqliteDialect } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Tables } from './database.ts';
import { groupCommits, type Transact } from './group-commit.ts';
import { migrate } from './migrate.ts';

let dir: string;
let db: Kysely<Tables>;
let transact: Transact;
let statements: string[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'group-'));
  statements = [];
  const database = new Database(join(dir, 'test.sqlite'));
  const prepare = database.prepare.bind(database);
  database.prepare = (statement) => {
    statements.push(statement);
    return prepare(statement);
  };
  db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: () => Promise.resolve(database) }) });
  await migrate(db);
  transact = groupCommits(db);
  statements = [];
});

afterEach(async () => {
  await db.destroy();
  await rm(dir, { recursive: true });
});

const add = (window: number): Promise<number> =>
  transact(async (t) => {
    await t
      .insertInto('samples')
      .values({ window, sample: String(window) })
      .execute();
    return window;
  });
const kept = async (): Promise<number[]> =>
  (await db.selectFrom('samples').select('window').orderBy('window').execute()).map(({ window }) => window);
describe('group commits', () => {
  it('answer each of many with its own result, and keep all', async () => {
    const windows = Array.from({ length: 200 }, (_, i) => i);
    expect(await Promise.all(windows.map(add))).toEqual(windows);
    expect(await kept()).toEqual(windows);
    expect(statements.filter((statement) => statement === 'commit')).toHaveLength(4);
  });

  it('take nothing of the others along when one fails', async () => {
    const results = await Promise.allSettled([
      add(1),
      transact(async (t) => {
        await t.insertInto('samples').values({ window: 2, sample: 'half' }).execute();
        throw new Error('changed its mind');
      }),
      add(1),
      add(3),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(String((results[1] as PromiseRejectedResult).reason)).toContain('changed its mind');
    expect(await kept()).toEqual([1, 3]);
  });

  it('let a later one see what an earlier one of the same group wrote', async () => {
    const [, seen] = await Promise.all([
      add(1),
      transact(async (t) => (await t.selectFrom('samples').selectAll().execute()).length),
    ]);
    expect(seen).toBe(1);
  });

  it('answer nobody before the commit, and everybody with the error of a commit that fails', async () => {
    // Checked at the commit, which is what fails.
    await db.executeQuery(CompiledQuery.raw('pragma foreign_keys = on'));
    await db.executeQuery(CompiledQuery.raw('create table parents (id integer primary key)'));
    await db.executeQuery(
      CompiledQuery.raw('create table children (id integer references parents (id) deferrable initially deferred)'),
    );
    const orphan = transact((t) => t.executeQuery(CompiledQuery.raw('insert into children values (1)')));
    const results = await Promise.allSettled([add(1), orphan]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await kept()).toEqual([]);
    expect(await add(2)).toBe(2);
    expect(await kept()).toEqual([2]);
  });
});
