/** Real servers for tests, each in a temporary folder and gone with it: whatever the system has installed of them. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { AwsClient } from 'aws4fetch';
import type { BucketAddress } from '../s3/bucket.ts';

const START_MS = 90_000;

export interface TestServer {
  stop(): Promise<void>;
  /** As a power cut would, but for the disk. */
  kill(): Promise<void>;
  /** Again, on the same files and under the same address. */
  start(): Promise<void>;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function until(what: string, attempt: () => Promise<unknown>): Promise<void> {
  const end = Date.now() + START_MS;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (Date.now() > end) throw new Error(`${what} did not start`, { cause: error });
      await sleep(50);
    }
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once('exit', resolve));
}

/** Killed with this process: nothing is left behind. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function tiedToThisProcess(child: ChildProcess): ChildProcess {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

function run(
  program: string,
  args: readonly string[],
  options: { uid?: number; gid?: number; cwd?: string } = {},
): void {
  const { status, stderr, error } = spawnSync(program, args, { ...options, encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}

/** Where PostgreSQL's programs are, undefined when it is not installed. */
export function findPostgres(): string | undefined {
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return undefined;
  const newest = readdirSync(root).sort((a, b) => Number(b) - Number(a));
  return newest.map((version) => join(root, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
}

/** PostgreSQL does not run as root: then as the user that its package made. */
function postgresUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout);
  return { uid: id('-u'), gid: id('-g') };
}

export interface PostgresServer extends TestServer {
  /** Makes an empty database. @returns its address */
  database(name: string): Promise<string>;
}

/** A server on a socket in its own folder, without a port. @param password without one everybody is let in */
export async function startPostgres(password?: string): Promise<PostgresServer> {
  const bin = findPostgres();
  if (bin === undefined) throw new Error('PostgreSQL is not installed');
  const folder = await mkdtemp(join(tmpdir(), 'pg-'));
  const user = postgresUser();
  if (user.uid !== undefined) await chown(folder, user.uid, user.gid!);
  const data = join(folder, 'data');
  const access = ['-A', 'trust'];
  if (password !== undefined) {
    const file = join(folder, 'password');
    await writeFile(file, password);
    access.splice(0, 2, '-A', 'scram-sha-256', `--pwfile=${file}`);
  }
  run(join(bin, 'initdb'), ['-D', data, '-U', 'test', ...access, '-N', '--locale=C.UTF-8'], { ...user, cwd: folder });
  const login = password === undefined ? 'test' : `test:${encodeURIComponent(password)}`;
  const url = (database: string): string =>
    `postgres://${login}@localhost/${database}?host=${encodeURIComponent(folder)}`;
  const settings = [
    'listen_addresses=',
    `unix_socket_directories=${folder}`,
    'max_connections=200',
    'shared_buffers=32MB',
  ];
  let server: ChildProcess | undefined;

  async function query(text: string): Promise<void> {
    const client = new pg.Client({ connectionString: url('postgres') });
    // The server may be killed at any time.
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query(text);
    } finally {
      await client.end();
    }
  }

  async function start(): Promise<void> {
    server = tiedToThisProcess(
      spawn(join(bin!, 'postgres'), ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], {
        ...user,
        cwd: folder,
        stdio: 'ignore',
      }),
    );
    await until('PostgreSQL', () => query('select 1'));
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    server?.kill(signal);
    if (server) await ended(server);
  }

  await start();
  return {
    async database(name) {
      await query(`create database ${name}`);
      return url(name);
    },
    start,
    kill: () => end('SIGKILL'),
    async stop() {
      await end('SIGINT');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export const findSwift = (): boolean => existsSync('/usr/bin/swift-proxy-server');

/** Whether a run can be shared here; says so where it cannot, lest what is skipped be taken for passed. */
export function findSharedPlaces(): boolean {
  const found = findPostgres() !== undefined && findSwift();
  if (!found) console.log('skipped: no PostgreSQL or no S3-compatible store is installed');
  return found;
}

const KEYS = { accessKeyId: 'test:tester', secretAccessKey: 'the-secret-of-a-store-in-tests' };

function proxyConf(folder: string, port: number): string {
  return `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
swift_dir = ${folder}
user = ${userName()}
workers = 0
log_level = ERROR
cors_allow_origin = *
strict_cors_mode = false
[pipeline:main]
pipeline = catch_errors gatekeeper cache listing_formats s3api tempauth copy proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
# Servers that are just starting are not shunned for a minute.
error_suppression_interval = 0
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:cache]
use = egg:swift#memcache
# Nobody is there, which it bears: it asks each time.
memcache_servers = 127.0.0.1:1
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
allow_multipart_uploads = false
cors_preflight_allow_origin = *
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = ${KEYS.secretAccessKey} .admin
[filter:copy]
use = egg:swift#copy
`;
}

function backendConf(folder: string, kind: string, port: number): string {
  return `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
swift_dir = ${folder}
devices = ${join(folder, 'devices')}
mount_check = false
user = ${userName()}
workers = 0
log_level = ERROR
fallocate_reserve = 0
[pipeline:main]
pipeline = ${kind}-server
[app:${kind}-server]
use = egg:swift#${kind}
`;
}

function userName(): string {
  return spawnSync('id', ['-un'], { encoding: 'utf8' }).stdout.trim();
}

export interface ObjectStoreServer extends TestServer {
  /** Makes an empty bucket. @returns its address */
  bucket(name: string): Promise<BucketAddress>;
}

/** OpenStack Swift with its S3 API: a real store that checks signatures. */
export async function startObjectStore(): Promise<ObjectStoreServer> {
  if (!findSwift()) throw new Error('OpenStack Swift is not installed');
  const folder = await mkdtemp(join(tmpdir(), 'swift-'));
  await chmod(folder, 0o755);
  await mkdir(join(folder, 'devices', 'd1'), { recursive: true });
  await writeFile(join(folder, 'swift.conf'), '[swift-hash]\nswift_hash_path_suffix = test\n[storage-policy:0]\nname = one\ndefault = yes\n'); // prettier-ignore
  const confs: [program: string, conf: string][] = [];
  for (const kind of ['account', 'container', 'object']) {
    const port = await freePort();
    const builder = join(folder, `${kind}.builder`);
    run('swift-ring-builder', [builder, 'create', '2', '1', '0']);
    run('swift-ring-builder', [builder, 'add', `r1z1-127.0.0.1:${port}/d1`, '1']);
    run('swift-ring-builder', [builder, 'rebalance']);
    const conf = join(folder, `${kind}-server.conf`);
    await writeFile(conf, backendConf(folder, kind, port));
    confs.push([kind, conf]);
  }
  const port = await freePort();
  await writeFile(join(folder, 'proxy-server.conf'), proxyConf(folder, port));
  confs.push(['proxy', join(folder, 'proxy-server.conf')]);
  let children: ChildProcess[] = [];

  const origin = `http://127.0.0.1:${port}`;
  const client = new AwsClient({ ...KEYS, service: 's3', region: 'us-east-1', retries: 0 });
  async function makeBucket(name: string): Promise<void> {
    const response = await client.fetch(`${origin}/${name}`, { method: 'PUT' });
    if (!response.ok && response.status !== 409)
      throw new Error(`making a bucket was answered ${response.status}: ${await response.text()}`);
  }
  async function start(): Promise<void> {
    const env = { ...process.env, SWIFT_DIR: folder };
    children = confs.map(([program, conf]) =>
      tiedToThisProcess(spawn(`/usr/bin/swift-${program}-server`, [conf], { env, stdio: 'ignore', cwd: folder })),
    );
    // Whose bucket it is already, may make it again.
    await until('Swift', () => makeBucket('first'));
  }

  async function kill(): Promise<void> {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(children.map(ended));
  }

  await start();
  return {
    start,
    kill,
    async bucket(name) {
      await makeBucket(name);
      return { ...KEYS, url: `${origin}/${name}`, region: 'us-east-1' };
    },
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Makes an empty database and bucket. @returns the environment of a run's processes at them */
export async function placesAt(
  name: string,
  postgres: PostgresServer,
  store: ObjectStoreServer,
): Promise<Record<'DATABASE_URL' | 'BLOBS_URL' | 'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY', string>> {
  const { url, accessKeyId, secretAccessKey } = await store.bucket(name);
  return {
    DATABASE_URL: await postgres.database(name),
    BLOBS_URL: url,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
}
