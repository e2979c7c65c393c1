/** The database: whether it answers, how fast, how durably, and what version its tables are of. */
import { existsSync } from 'node:fs';
import Database from 'libsql';
import pg from 'pg';
import { messageOf } from '../../../client/http.ts';
import { SCHEMA_VERSION } from '../../adapters/migrations.ts';
import { unanswered } from '../../adapters/postgres/unanswered.ts';
import { readingOf, type ClockReading } from './clock.ts';
import { failure, ok, warning, type Finding } from './finding.ts';

export interface DatabaseLook {
  readonly findings: Finding[];
  /** Whether the run can be read with this program, without changing anything. */
  readonly readable: boolean;
  readonly clock?: ClockReading;
}

const CHECK = 'database';
const TIMEOUT_MS = 5_000;
const SLOW_MS = 50;
const TIMES = 5;
const OLDEST_SERVER = 120_000;
/** A process keeps ten, and three that listen. */
const FEW_CONNECTIONS = 40;

/** What a database says of its tables. */
interface Schema {
  /** Of the newest step that was taken; undefined for a database without tables. */
  readonly version: number | undefined;
  /** How many steps a program has to know to work on it, as far as newer ones say so. */
  readonly needs: number;
}

const VERSION = 'select max(version) as version from migrations';
/** Only of a database with steps that this program does not know: older ones lack the column. */
const NEEDS = `select max(needs) as needs from migrations where version > ${SCHEMA_VERSION}`;

/** Whether this program reads it as it is. */
const isReadable = ({ version = 0, needs }: Schema): boolean => version >= SCHEMA_VERSION && needs <= SCHEMA_VERSION;

function versionFinding({ version, needs }: Schema): Finding {
  if (version === undefined) return ok(CHECK, 'it is empty: tables are made with the run');
  if (needs > SCHEMA_VERSION) {
    return failure(CHECK, `its tables are of version ${version}, and this program knows ${SCHEMA_VERSION}`, 'Use the newer program that wrote them.'); // prettier-ignore
  }
  if (version > SCHEMA_VERSION) {
    return warning(CHECK, `its tables are of version ${version}, on which this program (${SCHEMA_VERSION}) still works`, 'Bring this program up to date before the next upgrade.'); // prettier-ignore
  }
  if (version < SCHEMA_VERSION) {
    return warning(CHECK, `its tables are of version ${version}, and this program’s of ${SCHEMA_VERSION}`, 'The next start brings them up to date: back the run up before.'); // prettier-ignore
  }
  return ok(CHECK, `its tables are of this program’s version, ${version}`);
}

/** @param path of the file; nothing is made when there is none */
export function examineSqlite(path: string): DatabaseLook {
  if (!existsSync(path)) {
    return { findings: [ok(CHECK, 'there is none yet: it is made with the run')], readable: false };
  }
  let database: Database.Database | undefined;
  try {
    database = new Database(path);
    database.pragma('query_only = ON');
    const [newest] = database.prepare(VERSION).all() as { version: number | null }[];
    const version = newest?.version ?? undefined;
    const [needed] = (version ?? 0) > SCHEMA_VERSION ? (database.prepare(NEEDS).all() as { needs: number }[]) : [];
    const schema = { version, needs: needed?.needs ?? 0 };
    const [mode] = database.pragma('journal_mode') as { journal_mode: string }[];
    const findings = [versionFinding(schema)];
    if (mode?.journal_mode !== 'wal') {
      findings.push(warning(CHECK, `its journal is ${mode?.journal_mode ?? 'unknown'}, not WAL`, 'The next start sets it; a disk that does not allow that is none for a run.')); // prettier-ignore
    }
    return { findings, readable: isReadable(schema) };
  } catch (error) {
    const mend = 'If no disk is full or read-only, restore it from a backup: gauntlet restore.';
    return { findings: [failure(CHECK, `${path} cannot be read: ${messageOf(error)}`, mend)], readable: false };
  } finally {
    database?.close();
  }
}

interface Setting {
  readonly name: string;
  readonly isRight: (value: string) => boolean;
  readonly finding: (value: string) => Finding;
}

const SETTINGS: readonly Setting[] = [
  {
    name: 'fsync',
    isRight: (value) => value === 'on',
    finding: () => failure(CHECK, 'fsync is off: a power cut loses receipts, or all', 'Set fsync = on in postgresql.conf and reload.'), // prettier-ignore
  },
  {
    name: 'full_page_writes',
    isRight: (value) => value === 'on',
    finding: () => failure(CHECK, 'full_page_writes is off: a power cut may tear pages', 'Set full_page_writes = on in postgresql.conf and reload.'), // prettier-ignore
  },
  {
    name: 'synchronous_commit',
    isRight: (value) => value !== 'off',
    finding: () => warning(CHECK, 'synchronous_commit is off here; a validator sets it for itself, other writers do not', 'Set synchronous_commit = on in postgresql.conf and reload.'), // prettier-ignore
  },
  {
    name: 'transaction_read_only',
    isRight: (value) => value === 'off',
    finding: () => failure(CHECK, 'it takes no changes: it is a replica, or set to read only', 'Name the primary in DATABASE_URL.'), // prettier-ignore
  },
  {
    name: 'server_version_num',
    isRight: (value) => Number(value) >= OLDEST_SERVER,
    finding: (value) => failure(CHECK, `PostgreSQL ${Math.floor(Number(value) / 10_000)} is too old`, `Use ${OLDEST_SERVER / 10_000} or newer.`), // prettier-ignore
  },
  {
    name: 'max_connections',
    isRight: (value) => Number(value) >= FEW_CONNECTIONS,
    finding: (value) => warning(CHECK, `it takes ${value} connections, and each process up to 13`, 'Raise max_connections.'), // prettier-ignore
  },
];

async function schemaOf(client: pg.Client): Promise<Schema> {
  const { rows: tables } = await client.query<{ there: boolean }>("select to_regclass('migrations') is not null as there"); // prettier-ignore
  if (!tables[0]?.there) return { version: undefined, needs: 0 };
  const { rows } = await client.query<{ version: number | null }>(VERSION);
  const version = rows[0]?.version ?? undefined;
  const needed = (version ?? 0) > SCHEMA_VERSION ? await client.query<{ needs: number }>(NEEDS) : undefined;
  return { version, needs: needed?.rows[0]?.needs ?? 0 };
}

async function mayCreate(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ may: boolean }>("select has_schema_privilege(current_schema(), 'CREATE') as may"); // prettier-ignore
  return rows[0]?.may === true;
}

async function measure(client: pg.Client, now: () => number): Promise<{ ms: number; clock: ClockReading }> {
  const taken: number[] = [];
  let clock: ClockReading | undefined;
  for (let i = 0; i < TIMES; i++) {
    const [began, from] = [now(), performance.now()];
    const { rows } = await client.query<{ ms: string }>('select extract(epoch from clock_timestamp()) * 1000 as ms');
    taken.push(performance.now() - from);
    const reading = readingOf('the database’s clock', Number(rows[0]!.ms), began, now());
    if (!clock || reading.resolutionMs < clock.resolutionMs) clock = reading;
  }
  return { ms: taken.sort((a, b) => a - b)[Math.floor(TIMES / 2)]!, clock: clock! };
}

export async function examinePostgres(url: string, now: () => number): Promise<DatabaseLook> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  });
  // What ends it is found by the next question.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const findings: Finding[] = [];
    for (const { name, isRight, finding } of SETTINGS) {
      const { rows } = await client.query<Record<string, string>>(`show ${name}`);
      const value = rows[0]![name]!;
      if (!isRight(value)) findings.push(finding(value));
    }
    const schema = await schemaOf(client);
    findings.push(versionFinding(schema));
    if (schema.version === undefined && !(await mayCreate(client))) {
      findings.push(failure(CHECK, 'this user may not make tables there', 'Grant it CREATE on the schema (PostgreSQL 15 and newer grant it to the owner alone).')); // prettier-ignore
    }
    const { ms, clock } = await measure(client, now);
    findings.push(
      ms > SLOW_MS
        ? warning(
            CHECK,
            `it takes ${Math.round(ms)} ms to answer`,
            'Every request asks it some times: bring it closer.',
          )
        : ok(CHECK, `it answers within ${Math.ceil(ms)} ms`),
    );
    const sound = findings.every(({ result }) => result !== 'failure');
    return { findings, readable: sound && isReadable(schema), clock };
  } catch (error) {
    const { says, mend } = unanswered(error);
    return { findings: [failure(CHECK, says, mend)], readable: false };
  } finally {
    await client.end().catch(() => undefined);
  }
}
