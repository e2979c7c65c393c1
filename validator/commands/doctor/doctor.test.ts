/** Every check against the real thing, well and broken. */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'libsql';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectChain } from '../../../chain/connect.ts';
import { startEmulatorNode } from '../../../chain/testing/nodes.ts';
import {
  findPostgres,
  findSwift,
  startObjectStore,
  startPostgres,
  type ObjectStoreServer,
  type PostgresServer,
} from '../../adapters/testing/servers.ts';
import { createTestRun, sharedEngine, silentLog, writeTestRun } from '../../adapters/testing/test-run.ts';
import { createValidator } from '../../serve.ts';
import { doctorCommand, examine, type DoctorOptions } from '../doctor.ts';
import { examineChain } from './chain.ts';
import type { Finding } from './finding.ts';
import { examineNode, examineSettings, type Environment } from './settings.ts';

const CLI = fileURLToPath(new URL('../../../bin/gauntlet.js', import.meta.url));
/** What the test runs' windows are opened by. */
const STARTED = Date.parse('2026-01-01T00:00:00.000Z');

let root: string;
let data: string;
beforeAll(async () => (root = await mkdtemp(join(tmpdir(), 'doctor-'))));
afterAll(() => rm(root, { recursive: true, force: true }));
beforeEach(() => (data = join(root, randomBytes(4).toString('hex'))));

const options = (): DoctorOptions => ({ data, port: 1, host: '127.0.0.1', origin: 'https://page.example' });

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function examined(
  environment: Environment = {},
  change: Partial<DoctorOptions> = {},
  now?: () => number,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const port = change.port ?? (await freePort());
  for await (const each of examine({ ...options(), port, ...change }, environment, now)) findings.push(each);
  // Whoever reads that something is wrong reads what to do.
  for (const { result, mend } of findings) expect((mend ?? '') === '').toBe(result === 'ok');
  return findings;
}

const of = (findings: readonly Finding[], check: string): string[] =>
  findings.filter((finding) => finding.check === check).map(({ result, says, mend = '' }) => `${result}: ${says} / ${mend}`); // prettier-ignore
const failures = (findings: readonly Finding[]): string[] =>
  findings.filter(({ result }) => result === 'failure').map(({ check, says }) => `${check}: ${says}`);

describe('settings', () => {
  const examinedSettings = (environment: Environment): string[] =>
    of(examineSettings(environment, () => undefined).findings, 'configuration');
  const keys = { AWS_ACCESS_KEY_ID: 'k', AWS_SECRET_ACCESS_KEY: 'very secret' };

  it('that contradict each other are named', () => {
    expect(examinedSettings({})).toEqual(['ok: record in the folder, blobs in the folder / ']);
    expect(examinedSettings(keys)[0]).toMatch(/AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY without BLOBS_URL/);
    expect(examinedSettings({ DATABASE_URL: 'postgres:///x' })[0]).toMatch(/DATABASE_URL without BLOBS_URL/);
    const both = { ...keys, DATABASE_URL: 'postgres://u:very%20secret@db.example/x', BLOBS_URL: 'http://s3.example/b' };
    const [browsers, database] = examinedSettings(both);
    expect(browsers).toMatch(/^warning: browsers .* without TLS/);
    expect(database).toMatch(/^warning: the database at db.example .* without TLS/);
    const unfinished = { ...both, AWS_SECRET_ACCESS_KEY: '' };
    expect(examinedSettings(unfinished)[0]).toMatch(/^failure: BLOBS_URL wants the store’s keys/);
    expect(examinedSettings({ DATABASE_URL: 'mysql://x:very secret@y' })[0]).toMatch(/^failure: DATABASE_URL/);
    for (const each of [both, { DATABASE_URL: 'mysql://x:very secret@y' }]) {
      expect(examinedSettings(each).join()).not.toMatch(/very( |%20)secret/);
    }
  });

  it('of a log that is not understood, and Node that is too old', async () => {
    expect(failures(await examined({ GAUNTLET_LOG: 'loud' }))).toEqual([expect.stringMatching(/GAUNTLET_LOG is one of/)]); // prettier-ignore
    expect(examineNode('20.18.3', '>=20.19')[0]).toMatchObject({ result: 'failure' });
    expect(['20.19.0', '22.1.0'].map((version) => examineNode(version, '>=20.19')[0]!.result)).toEqual(['ok', 'ok']);
  });
});

describe('a folder', () => {
  it('without a run is nothing to complain of, and nothing is made there', async () => {
    const findings = await examined();
    expect(failures(findings)).toEqual([]);
    expect(of(findings, 'database')).toEqual([expect.stringMatching(/there is none yet/)]);
    await expect(readFile(join(data, 'run.sqlite'))).rejects.toThrow('ENOENT');
  });

  it('with a whole run is well, while a validator is on it, too', async () => {
    await createTestRun(data);
    expect(failures(await examined())).toEqual([]);
    const validator = await createValidator({ dataDir: data, port: 0, host: '127.0.0.1', log: silentLog, createJudgeEngine: sharedEngine }); // prettier-ignore
    try {
      const findings = await examined({}, { port: Number(new URL(validator.url).port) });
      expect(failures(findings)).toEqual([]);
      expect(of(findings, 'lock')).toEqual([`ok: process ${process.pid} has the folder / `]);
      expect(of(findings, 'port')).toEqual([expect.stringMatching(/this run’s process answers/)]);
      expect(of(findings, 'windows')).toEqual([expect.stringMatching(/^ok: no window is published yet, 1 is open/)]);
      const mine = data;
      data = join(root, 'other');
      await createTestRun(data);
      const database = new Database(join(data, 'run.sqlite'));
      database.exec(`update run set signed = replace(signed, '${validator.run.run}', '${'ab'.repeat(16)}')`);
      database.close();
      const others = await examined({}, { port: Number(new URL(validator.url).port) });
      expect(failures(others)).toEqual([
        'run: the run id is not the manifest’s hash',
        `port: a validator of another run (${validator.run.run}) has 127.0.0.1:${new URL(validator.url).port}`,
      ]);
      data = mine;
    } finally {
      await validator.close();
    }
  });

  it('whose key is another’s, is read by others, or is gone', async () => {
    await createTestRun(data);
    const key = join(data, 'validator.key');
    await chmod(key, 0o644);
    expect(of(await examined(), 'key')).toEqual([expect.stringMatching(/^warning: others .*chmod 600/)]);
    await writeFile(key, randomBytes(32), { mode: 0o600 });
    expect(failures(await examined())).toEqual([expect.stringMatching(/^run: the key is not the one of run/)]);
    await writeFile(key, 'short');
    expect(failures(await examined())).toEqual([expect.stringMatching(/^key: .* is no key of 32 bytes/)]);
    await rm(key);
    expect(failures(await examined())).toEqual([expect.stringMatching(/^key: .* is missing/)]);
  });

  it('whose blobs are gone, or cut short', async () => {
    await createTestRun(data);
    const database = new Database(join(data, 'run.sqlite'));
    const [row] = database.prepare('select chunks from checkpoints').all() as { chunks: string }[];
    database.close();
    const [first, second] = (JSON.parse(row!.chunks) as { sha256: string }[]).map(({ sha256 }) => join(data, 'blobs', sha256.slice(0, 2), sha256)); // prettier-ignore
    await rm(first!);
    await writeFile(second!, 'cut');
    const [found, ...others] = failures(await examined());
    expect(found).toMatch(
      /^blobs: chunk 0 of checkpoint 1 is missing.*; chunk 1 of checkpoint 1 has 3 bytes in place of/,
    );
    expect(others).toEqual([]);
  });

  it('whose database a newer program wrote, an older one, or nobody', async () => {
    await createTestRun(data);
    const path = join(data, 'run.sqlite');
    const database = new Database(path);
    database.exec(`insert into migrations (version, applied_at) values (998, 'x')`);
    expect(of(await examined(), 'database')).toEqual([expect.stringMatching(/^warning: its tables are of version 998, on which this program .* still works/)]); // prettier-ignore
    expect(failures(await examined())).toEqual([]);
    database.exec(`insert into migrations (version, applied_at, needs) values (999, 'x', 999)`);
    expect(failures(await examined())).toEqual([expect.stringMatching(/^database: its tables are of version 999/)]);
    database.exec('delete from migrations where version > 5');
    expect(of(await examined(), 'database')).toEqual([expect.stringMatching(/^warning: its tables are of version 5.*back the run up/)]); // prettier-ignore
    // Looking has not brought it up to date.
    expect(database.prepare('select max(version) as version from migrations').all()).toEqual([{ version: 5 }]);
    database.close();
    await writeFile(path, randomBytes(8_192));
    expect(failures(await examined())).toEqual([expect.stringMatching(/^database: .* cannot be read/)]);
  });

  it('whose windows stand, and whose windows opened in the future', async () => {
    await createTestRun(data);
    const database = new Database(join(data, 'run.sqlite'));
    database.exec(`update windows set opens_at = ${STARTED}, put_closes_at = ${STARTED + 9_000}`);
    database.close();
    const at = async (ms: number): Promise<string[]> => of(await examined({}, {}, () => STARTED + ms), 'windows');
    expect(await at(10_000)).toEqual([expect.stringMatching(/^ok: no window is published yet, 1 is open/)]);
    expect(await at(3_600_000)).toEqual([expect.stringMatching(/^warning: .*no process drives.*gauntlet start/)]);
    expect(await at(-60_000)).toEqual([expect.stringMatching(/^failure: window 1 opened 60 s from now.*clock was set back/)]); // prettier-ignore
  });

  it('that is read-only, or full', async ({ skip }) => {
    await mkdir(data);
    const mounted = (...args: string[]): boolean => spawnSync('mount', args).status === 0;
    if (!mounted('-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', data)) {
      console.log('skipped: this user cannot mount a small disk');
      skip();
    }
    try {
      expect(failures(await examined())).toEqual([expect.stringMatching(/^disk: 1.00 MiB of 1.00 MiB free/)]);
      await writeFile(join(data, 'filler'), new Uint8Array(2 ** 20));
      expect(of(await examined(), 'disk')).toEqual([expect.stringMatching(/^failure: nothing can be written .*ENOSPC.*Make room/)]); // prettier-ignore
      expect(mounted('-o', 'remount,ro', data)).toBe(true);
      expect(of(await examined(), 'disk')).toEqual([expect.stringMatching(/^failure: nothing can be written .*EROFS.*Mount the disk for writing/)]); // prettier-ignore
    } finally {
      spawnSync('umount', [data]);
    }
  });

  it('a port that another program has, an address that is none of this machine', async () => {
    const other = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    expect(failures(await examined({}, { port }))).toEqual([`port: another program has 127.0.0.1:${port}`]);
    other.close();
    expect(failures(await examined({}, { host: '203.0.113.7' }))).toEqual(['port: this machine has no address 203.0.113.7']); // prettier-ignore
  });

  it('is told of by the command, as text and as JSON, whose exit code says whether something is wrong', async () => {
    await createTestRun(data);
    await rm(join(data, 'validator.key'));
    const port = await freePort();
    const child = spawn(process.execPath, [CLI, 'doctor', '--data', data, '--port', String(port), '--json'], { stdio: ['ignore', 'pipe', 'inherit'] }); // prettier-ignore
    let json = '';
    child.stdout.on('data', (chunk: Buffer) => (json += String(chunk)));
    const code = await new Promise((resolve) => child.once('close', resolve));
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    await doctorCommand({ ...options(), port });
    const text = log.mock.calls.flat().join('\n');
    log.mockRestore();
    expect([code, process.exitCode]).toEqual([1, 1]);
    process.exitCode = undefined;
    expect(text).toMatch(/^FAILURE {2}key .* is missing.*\n +Put it back from a backup/m);
    expect(text).toMatch(/^Failures: 1, warnings: \d\.$/m);
    const { failures: count, findings } = JSON.parse(json) as { failures: number; findings: Finding[] };
    expect([count, failures(findings)]).toEqual([1, [expect.stringMatching(/^key/)]]);
  });
});

describe.skipIf(!findPostgres())('a database', () => {
  let postgres: PostgresServer;
  let url: string;
  beforeAll(async () => {
    postgres = await startPostgres();
    url = await postgres.database('doctor');
  }, 120_000);
  afterAll(() => postgres.stop());
  const database = async (address = url, now?: () => number): Promise<string[]> => {
    const findings = await examined({ DATABASE_URL: address }, {}, now);
    return [...of(findings, 'database'), ...of(findings, 'clock')];
  };
  const query = async (text: string): Promise<void> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(text);
    await client.end();
  };

  it('answers, is durable, and keeps the same time', async () => {
    expect(await database()).toEqual([
      expect.stringMatching(/^ok: it is empty/),
      expect.stringMatching(/^(ok|warning): it (answers|takes)/),
      expect.stringMatching(/^ok: the database’s clock is 0.\d s/),
    ]);
    expect((await database(url, () => Date.now() + 60_000)).at(-1)).toMatch(/^failure: the database’s clock is (59|60)\.\d s behind.*NTP/); // prettier-ignore
    expect((await database(url, () => Date.now() - 3_000)).at(-1)).toMatch(/^warning: the database’s clock is (2|3)\.\d s ahead/); // prettier-ignore
  });

  it('says who is at the run, and who was', async () => {
    await writeTestRun(data, undefined, undefined, { database: url });
    const evaluators = async (): Promise<string[]> => of(await examined({ DATABASE_URL: url }), 'evaluators');
    expect(await evaluators()).toEqual([expect.stringMatching(/^ok: there are none/)]);
    await query(`insert into evaluators values ('a', 'box\x1b[2J, cpu', 3, extract(epoch from now()) * 1000)`);
    expect(await evaluators()).toEqual(['ok: box[2J, cpu: 3 at once / ']);
    await query('update evaluators set seen = 0');
    expect(await evaluators()).toEqual([expect.stringMatching(/^warning: 1 were there.*Start them again/)]);
  });

  it('that loses what was committed is named, and one that takes no changes', async () => {
    await query('alter system set fsync = off');
    await query('alter system set full_page_writes = off');
    await query('select pg_reload_conf()');
    await expect.poll(async () => (await database()).join('\n')).toMatch(/failure: fsync is off.*\n.*failure: full_page_writes/); // prettier-ignore
    await query('alter system reset all');
    await query('select pg_reload_conf()');
    await query('alter database doctor set default_transaction_read_only = on');
    expect((await database()).join('\n')).toMatch(/failure: it takes no changes/);
  });

  it('that lets nobody in, is not there, or is stopped', async () => {
    const folder = new URL(url).searchParams.get('host')!;
    await query(`set transaction read write; create role locked login password 'right'`);
    const hba = join(folder, 'data', 'pg_hba.conf');
    await writeFile(hba, `local all locked scram-sha-256\n${await readFile(hba, 'utf8')}`);
    await query('select pg_reload_conf()');
    const as = (user: string, name = 'doctor'): string => url.replace('test@', `${user}@`).replace('/doctor', `/${name}`); // prettier-ignore
    await expect
      .poll(() => database(as('locked:wrong')))
      .toEqual([
        expect.stringMatching(/^failure: .*password authentication failed.*Put the right user and password/),
        expect.stringMatching(/^ok: this machine’s is the only one/),
      ]);
    expect((await database(as('locked:wrong'))).join()).not.toContain('wrong');
    expect(await database(as('test', 'nowhere'))).toContainEqual(expect.stringMatching(/does not exist.*createdb/));
    await postgres.kill();
    expect(await database()).toContainEqual(expect.stringMatching(/^failure: .*(ECONNREFUSED|ENOENT).*Start it/));
    await postgres.start();
  });
});

describe.skipIf(!findSwift())('a store', () => {
  let server: ObjectStoreServer;
  let environment: Environment & { readonly BLOBS_URL: string };
  beforeAll(async () => {
    server = await startObjectStore();
    const { url, accessKeyId, secretAccessKey } = await server.bucket('doctor');
    environment = { BLOBS_URL: url, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  }, 120_000);
  afterAll(() => server.stop());
  const store = async (change: Environment = {}, now?: () => number): Promise<string[]> => {
    const findings = await examined({ ...environment, ...change }, {}, now);
    return ['store', 'cors', 'clock'].flatMap((check) => of(findings, check));
  };

  it('does all that a run and a browser ask of it, and nothing is left there', async () => {
    expect(await store()).toEqual([
      expect.stringMatching(/^ok: it takes, gives, copies, lists and deletes, and checks signatures/),
      expect.stringMatching(/^ok: pages of https:\/\/page.example may upload and download/),
      expect.stringMatching(/^ok: the store’s clock/),
    ]);
    expect((await store({}, () => Date.now() - 60_000)).at(-1)).toMatch(/^failure: the store’s clock is .* ahead/);
  });

  it('with a wrong secret, under a wrong name, or not there', async () => {
    expect(await store({ AWS_SECRET_ACCESS_KEY: 'wrong secret' })).toContainEqual(
      expect.stringMatching(/^failure: PUT .* 403: SignatureDoesNotMatch.*AWS_SECRET_ACCESS_KEY is not that key’s/),
    );
    expect((await store({ AWS_SECRET_ACCESS_KEY: 'wrong secret' })).join()).not.toContain('wrong secret');
    expect(await store({ BLOBS_URL: `${environment.BLOBS_URL}-nowhere` })).toContainEqual(
      expect.stringMatching(/^failure: .*NoSuchBucket.*Make the bucket/),
    );
    const nobody = `http://127.0.0.1:${await freePort()}/doctor`;
    expect(await store({ BLOBS_URL: nobody })).toContainEqual(
      expect.stringMatching(/^failure: 127.* cannot be reached: ECONNREFUSED .*Start the store/),
    );
  });

  it('that pages cannot reach, and one that takes anything from anybody', async () => {
    const listening = async (answer: Parameters<typeof createServer>[1]): Promise<[string, Server]> => {
      const other = createServer(answer).listen(0, '127.0.0.1');
      await new Promise((resolve) => other.once('listening', resolve));
      return [`http://127.0.0.1:${(other.address() as AddressInfo).port}/doctor`, other];
    };
    const [careless, first] = await listening((request, response) => request.resume().on('end', () => response.end()));
    const [refusing, second] = await listening((request, response) => request.resume().on('end', () => response.writeHead(403).end())); // prettier-ignore
    expect(await store({ BLOBS_PUBLIC_URL: careless })).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^failure: it takes uploads under a wrong signature/),
        expect.stringMatching(/^failure: pages of https:\/\/page.example are not allowed .*CORS rules.*x-amz-checksum/),
      ]),
    );
    expect(await store({ BLOBS_PUBLIC_URL: refusing })).toContainEqual(
      expect.stringMatching(/^failure: an upload to a signed address is answered 403 .*BLOBS_PUBLIC_URL/),
    );
    first.close();
    second.close();
  });
});

it('a chain’s nodes are asked one by one', async () => {
  const node = await startEmulatorNode();
  try {
    const connected = await connectChain({ endpoints: [node.endpoint] });
    const { genesisHash } = connected;
    await connected.close();
    const chain = { genesisHash, netuid: 1, trainBlocks: 1, putBlocks: 1, blockSeconds: 12 };
    const dead = `ws://127.0.0.1:${await freePort()}`;
    const results = async (endpoints: string[], hash = genesisHash): Promise<string[]> =>
      (await examineChain({ ...chain, genesisHash: hash, endpoints })).map(({ result, says }) => `${result}: ${says}`);
    const [some, none, other] = await Promise.all([
      results([node.endpoint, dead]),
      results([dead]),
      results([node.endpoint], `0x${'ab'.repeat(32)}`),
    ]);
    expect(some).toEqual([
      expect.stringMatching(/^ok: .* answers, finalised block \d+/),
      expect.stringMatching(/^warning: .* does not answer/),
    ]);
    expect(none.at(-1)).toMatch(/^failure: no node answers/);
    expect(other[0]).toMatch(/^failure: .* serves another chain/);
  } finally {
    await node.close();
  }
}, 60_000);
