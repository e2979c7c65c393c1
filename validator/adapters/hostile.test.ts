/** A real validator on a real socket, and those who hold it open, lie about lengths and look for a way out of a folder. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hono } from 'hono';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { words } from '../../core/data/bpe.ts';
import { delegationText } from '../../core/identity/delegation.ts';
import { isRemarkOf } from '../../core/identity/remark-proof.ts';
import { decodeAddress } from '../../core/identity/ss58.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import { planStateDict } from '../../core/model/checkpoint.ts';
import { JoinRequestSchema, type ClockState, type Ticket } from '../../core/protocol/api.ts';
import { ConductSchema } from '../../core/protocol/figures.ts';
import { BlockHashSchema, ChainEndpointSchema } from '../../core/protocol/manifest.ts';
import {
  AddressSchema,
  Hex32Schema,
  HotkeySchema,
  InstantSchema,
  PublicKeySchema,
  RunIdSchema,
  Sha256Schema,
  SignatureSchema,
} from '../../core/protocol/primitives.ts';
import { problemKey } from '../../core/protocol/problem.ts';
import { createScheme } from '../../core/scheme/create-scheme.ts';
import { maxContributionBytes } from '../../core/wire/contribution.ts';
import { rangedResponse } from '../http/ranged.ts';
import { createValidator, type Validator } from '../serve.ts';
import { parseTokens } from '../setup/eval-checkpoint.ts';
import { listen, type RunningServer, type ServerLimits } from './node-server.ts';
import {
  createTestRun,
  FakeClock,
  joinRequest,
  sharedEngine,
  silentLog,
  TEST_MODEL,
  testPeer,
  ticketRequest,
} from './testing/test-run.ts';

const SECRET = 'the contents of a file beside the folder';
/** Short, and long enough for an honest request on a busy machine. */
const LIMITS: Partial<ServerLimits> = {
  headersMs: 700,
  requestMs: 1_500,
  keepAliveMs: 700,
  idleMs: 5_000,
  checkMs: 100,
  graceMs: 3_000,
};
/** Whoever is not cut by then never is. */
const PATIENCE_MS = 20_000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A connection that says what it is told to, and keeps what comes back. */
interface Line {
  readonly socket: Socket;
  heard(): string;
  /** When the other side hung up. */
  readonly closed: Promise<void>;
}

const lines = new Set<Socket>();

function dial(url: string): Promise<Line> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    lines.add(socket);
    let heard = '';
    socket.on('data', (bytes) => (heard += bytes.toString('latin1')));
    const closed = new Promise<void>((done) => {
      socket.once('end', done);
      socket.once('close', () => done());
    });
    // A reset is one way of hanging up.
    socket.on('error', reject);
    socket.once('connect', () => resolve({ socket, heard: () => heard, closed }));
  });
}

const within = async (promise: Promise<void>, ms: number): Promise<boolean> =>
  Promise.race([promise.then(() => true), sleep(ms).then(() => false)]);

/** Sends bytes as they are, and hears all that is said until the other side hangs up or is done. */
async function exchange(url: string, text: string, ms = 400): Promise<string> {
  const line = await dial(url);
  line.socket.write(Buffer.from(text, 'latin1'));
  await within(line.closed, ms);
  line.socket.destroy();
  return line.heard();
}

const statusesOf = (heard: string): number[] =>
  [...heard.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

let dir: string;
let validator: Validator;
let clock: FakeClock;
const errors: unknown[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hostile-'));
  await createTestRun(join(dir, 'run'));
  await mkdir(join(dir, 'app', 'assets'), { recursive: true });
  await writeFile(join(dir, 'app', 'index.html'), 'the app');
  await writeFile(join(dir, 'app', 'assets', 'a.js'), 'a script');
  await writeFile(join(dir, 'secret.txt'), SECRET);
  clock = new FakeClock();
  validator = await createValidator({
    dataDir: join(dir, 'run'),
    port: 0,
    host: '127.0.0.1',
    limits: LIMITS,
    staticDir: join(dir, 'app'),
    log: { ...silentLog, error: (...said: unknown[]) => errors.push(said) },
    clock,
    createJudgeEngine: sharedEngine,
  });
});

afterEach(() => {
  for (const socket of lines) socket.destroy();
  lines.clear();
  // Nothing that a stranger does is this server's own fault.
  expect(errors).toEqual([]);
});

afterAll(async () => {
  await validator.close();
  await rm(dir, { recursive: true });
});

const get = async (path: string): Promise<Response> => fetch(validator.url + path);

/** An honest client is served while whatever else goes on. */
async function expectServed(): Promise<void> {
  const response = await get('/v1/clock');
  expect(response.status).toBe(200);
  await response.json();
}

async function uploads(): Promise<string[]> {
  const files = await readdir(join(dir, 'run', 'uploads'), { recursive: true, withFileTypes: true });
  return files.filter((entry) => entry.isFile()).map(({ name }) => name);
}

describe('those who are slow', () => {
  it('lose the connection when a head takes too long, whether they send a little or nothing', async () => {
    const dripping = await dial(validator.url);
    const silent = await dial(validator.url);
    dripping.socket.write('GET /v1/clock HTTP/1.1\r\nhost: a\r\n');
    const drip = setInterval(() => dripping.socket.write('x'), 40);
    await sleep(100);
    await expectServed();
    expect(await within(dripping.closed, PATIENCE_MS)).toBe(true);
    clearInterval(drip);
    expect(statusesOf(dripping.heard())).toEqual([408]);
    expect(await within(silent.closed, PATIENCE_MS)).toBe(true);
  });

  it('lose it when a body takes too long, and leave nothing behind', async () => {
    const peer = testPeer('slow');
    const { run, manifest } = validator.run;
    const post = (path: string, body: unknown): Promise<Response> =>
      fetch(validator.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    expect((await post('/v1/peers', await joinRequest(run, peer))).status).toBe(200);
    clock.moveTo(validator.service.clock().putOpensAt);
    const state = (await (await get('/v1/clock')).json()) as ClockState;
    const { bodyBytes } = createScheme(manifest.scheme, parameterLayout(TEST_MODEL));
    const bytes = new Uint8Array(maxContributionBytes(bodyBytes) - 100);
    const asked = await post('/v1/windows/1/contributions', await ticketRequest(state, peer, bytes));
    const { url } = (await asked.json()) as Ticket;

    const upload = await dial(validator.url);
    const joining = await dial(validator.url);
    const chunked = await dial(validator.url);
    upload.socket.write(`PUT ${url} HTTP/1.1\r\nhost: a\r\ncontent-length: ${bytes.length}\r\n\r\n`);
    joining.socket.write(
      'POST /v1/peers HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n{',
    );
    chunked.socket.write(
      'POST /v1/peers HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
    );
    const drip = setInterval(() => {
      upload.socket.write('x');
      joining.socket.write(' ');
      chunked.socket.write('1\r\n \r\n');
    }, 40);
    await expectServed();
    for (const line of [upload, joining, chunked]) {
      expect(await within(line.closed, PATIENCE_MS)).toBe(true);
      expect(statusesOf(line.heard()).filter((status) => status < 400)).toEqual([]);
    }
    clearInterval(drip);
    await expect.poll(uploads, { timeout: PATIENCE_MS }).toEqual([]);
    expect((await validator.service.peer(peer.hotkey)).contributions.accepted).toBe(0);
  });

  it('lose it when they ask nothing more, a while after what they are told', async () => {
    const app = new Hono();
    app.get('/', (c) => c.text('here'));
    const limits = { ...LIMITS, keepAliveMs: 2_000 };
    const server = await listen(app, { port: 0, host: '127.0.0.1', limits });
    try {
      const line = await dial(server.url);
      const ask = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
      line.socket.write(ask);
      await expect.poll(() => line.heard()).toContain('here');
      expect(line.heard().toLowerCase()).toContain('keep-alive: timeout=2\r\n');
      expect(await within(line.closed, 2_200)).toBe(false);
      line.socket.write(ask);
      await expect.poll(() => statusesOf(line.heard())).toEqual([200, 200]);
      expect(await within(line.closed, PATIENCE_MS)).toBe(true);
    } finally {
      for (const socket of lines) socket.destroy();
      await server.close();
    }
  });

  it('lose it when they stop to read an answer, which is then let go', async () => {
    let cancelled = false;
    const app = new Hono();
    app.get('/', () => {
      const body = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(new Uint8Array(2 ** 16)),
        cancel: () => {
          cancelled = true;
        },
      });
      return new Response(body);
    });
    const server = await listen(app, { port: 0, host: '127.0.0.1', limits: { ...LIMITS, idleMs: 300 } });
    try {
      const { socket } = await dial(server.url);
      socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
      await sleep(50);
      socket.pause();
      await expect.poll(() => cancelled, { timeout: PATIENCE_MS }).toBe(true);
    } finally {
      for (const socket of lines) socket.destroy();
      await server.close();
    }
  });
});

describe('those who come in numbers', () => {
  it('half-open connections by the thousand do not keep an honest request from its answer', async () => {
    const crowd = await Promise.all(Array.from({ length: 2_000 }, () => dial(validator.url)));
    for (const { socket } of crowd) socket.write('POST /v1/peers HTTP/1.1\r\nhost: a\r\n');
    await expectServed();
    expect(await Promise.all(crowd.map(({ closed }) => within(closed, PATIENCE_MS)))).not.toContain(false);
    await expectServed();
  });

  it('more connections than are allowed are closed as they come, until there is room again', async () => {
    const app = new Hono();
    app.get('/', (c) => c.text('here'));
    const server: RunningServer = await listen(app, {
      port: 0,
      host: '127.0.0.1',
      limits: { ...LIMITS, connections: 5 },
    });
    try {
      const held = await Promise.all(Array.from({ length: 5 }, () => dial(server.url)));
      const refused = await dial(server.url);
      expect(await within(refused.closed, 500)).toBe(true);
      await Promise.all(held.map(({ closed }) => within(closed, PATIENCE_MS)));
      for (const { socket } of held) socket.destroy();
      await expect
        .poll(() => exchange(server.url, 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'))
        .toContain('here');
    } finally {
      await server.close();
    }
  });

  it('requests in one breath are answered each, in their order', async () => {
    const paths = Array.from({ length: 200 }, (_, i) => `/v1/windows/${900 + i}/book`);
    const heard = await exchange(
      validator.url,
      paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`).join(''),
      3_000,
    );
    expect([...heard.matchAll(/"instance":"([^"]+)"/g)].map(([, path]) => path)).toEqual(paths);
  });
});

describe('those who say one thing and mean another', () => {
  const hidden = 'GET /v1/clock HTTP/1.1\r\nhost: a\r\n\r\n';
  const post = (headers: string, body: string): string =>
    `POST /v1/peers HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n${headers}\r\n\r\n${body}`;

  it.each([
    ['both lengths', post('content-length: 6\r\ntransfer-encoding: chunked', `0\r\n\r\n${hidden}`)],
    ['both, the other way round', post('transfer-encoding: chunked\r\ncontent-length: 5', `0\r\n\r\n${hidden}`)],
    ['two lengths', post('content-length: 2\r\ncontent-length: 3', `{} ${hidden}`)],
    ['a list of lengths', post('content-length: 2, 2', `{}${hidden}`)],
    ['a signed length', post('content-length: +2', `{}${hidden}`)],
    ['a hexadecimal length', post('content-length: 0x2', `{}${hidden}`)],
    ['a length beyond all bounds', post('content-length: 99999999999999999999999', `{}${hidden}`)],
    ['a negative length', post('content-length: -1', hidden)],
    ['an encoding nobody knows', post('transfer-encoding: xchunked', `0\r\n\r\n${hidden}`)],
    ['an encoding after chunked', post('transfer-encoding: chunked, identity', `0\r\n\r\n${hidden}`)],
    ['two encodings', post('transfer-encoding: chunked\r\ntransfer-encoding: identity', `0\r\n\r\n${hidden}`)],
    ['a space before the colon', post('transfer-encoding : chunked', `0\r\n\r\n${hidden}`)],
    ['a folded header', post('transfer-encoding:\r\n chunked\r\ncontent-length: 4', `0\r\n\r\n${hidden}`)],
    ['a chunk of a size beyond all bounds', post('transfer-encoding: chunked', `ffffffffffffffffff\r\n${hidden}`)],
    ['a chunk with no size', post('transfer-encoding: chunked', `;a=b\r\n${hidden}`)],
    ['line ends of one character', `POST /v1/peers HTTP/1.1\nhost: a\ncontent-length: 2\n\n{}${hidden}`],
    ['a zero byte in a header', post('x: a\0b', hidden)],
    ['no host', 'GET /v1/clock HTTP/1.1\r\n\r\n'],
    ['a host that is none', 'GET /v1/clock HTTP/1.1\r\nhost: a/../b\r\n\r\n'],
    ['a target that is none', 'GET v1/clock HTTP/1.1\r\nhost: a\r\n\r\n'],
    ['another protocol', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a version of its own', 'GET /v1/clock HTTP/9.9\r\nhost: a\r\n\r\n'],
  ])('%s: refused, and what is hidden behind is not answered', async (_, text) => {
    const statuses = statusesOf(await exchange(validator.url, text));
    expect(statuses.length).toBeGreaterThan(0);
    expect(statuses.filter((status) => status < 400 || status >= 500)).toEqual([]);
  });

  it.each([
    ['with a length', 'content-length: 500', '{"a"'],
    ['in chunks', 'transfer-encoding: chunked', '5\r\n{"a"'],
  ])('bodies %s that break off are no fault of the server, whatever they are', async (_, length, body) => {
    for (const type of ['content-type: application/json\r\n', 'content-type: text/plain\r\n', '']) {
      for (const target of ['POST /v1/peers', 'PUT /v1/uploads/a', 'POST /v1/uploads/a', 'DELETE /v1/peers']) {
        for (const sent of ['', body]) {
          const text = `${target} HTTP/1.1\r\nhost: a\r\n${type}${length}\r\n\r\n${sent}`;
          const ended = await dial(validator.url);
          ended.socket.end(text);
          const broken = await dial(validator.url);
          broken.socket.write(text);
          await sleep(10);
          broken.socket.resetAndDestroy();
          await within(ended.closed, PATIENCE_MS);
        }
      }
    }
    await sleep(100);
    await expectServed();
  });

  it.each([
    ['one header of 64 KiB', `GET /v1/clock HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(65_536)}\r\n\r\n`],
    ['a path of 64 KiB', `GET /${'a'.repeat(65_536)} HTTP/1.1\r\nhost: a\r\n\r\n`],
    ['ten thousand headers', `GET /v1/clock HTTP/1.1\r\nhost: a\r\n${'a: b\r\n'.repeat(10_000)}\r\n`],
  ])('%s: refused', async (_, text) => {
    expect(statusesOf(await exchange(validator.url, text))).toEqual([431]);
  });
});

describe('those who say that they are elsewhere', () => {
  it.each([
    '/v1/run',
    '/v1/nothing',
    '/docs',
    '/openapi.json',
    '/',
    `/v1/blobs/${'a'.repeat(64)}`,
    '/v1/checkpoints/latest',
  ])('no answer to %s is made of the host that is named, nor of who is said to forward it', async (path) => {
    const heard = await exchange(
      validator.url,
      `GET ${path} HTTP/1.1\r\nhost: evil.example\r\nx-forwarded-host: evil.example\r\nx-forwarded-proto: gopher\r\n` +
        'x-original-url: /v1/evil.example\r\nx-rewrite-url: /v1/evil.example\r\nforwarded: host=evil.example\r\n' +
        'accept: text/html\r\nconnection: close\r\n\r\n',
      3_000,
    );
    expect(heard).toMatch(/^HTTP\/1\.1 [24]\d\d /);
    expect(heard).not.toMatch(/evil\.example|gopher/);
  });
});

describe('those who look for a way out of the folder', () => {
  it.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/%2e%2e%2fsecret.txt',
    '/..%2fsecret.txt',
    '/..%5csecret.txt',
    '/..\\secret.txt',
    '/%252e%252e/secret.txt',
    '/%c0%ae%c0%ae/secret.txt',
    '/assets/../../secret.txt',
    '/assets/..;/..;/secret.txt',
    '/assets//../../secret.txt',
    '//secret.txt',
    '/.%00./secret.txt',
    '/index.html%00.txt',
    '/%2fetc/passwd',
    '//etc/passwd',
    '/file:///etc/passwd',
    'http://evil.example/../secret.txt',
    'http://evil.example/%2e%2e/secret.txt',
    'http://a@b:c/secret.txt',
    'file:///etc/passwd',
    '/v1/blobs/..%2f..%2fvalidator.key',
    '/v1/checkpoints/latest/..%2f..%2f..%2fvalidator.key',
    '/\u{ff}\u{fe}/../secret.txt',
    '*',
  ])('%s', async (path) => {
    for (const accept of ['*/*', 'text/html']) {
      const heard = await exchange(
        validator.url,
        `GET ${path} HTTP/1.1\r\nhost: a\r\naccept: ${accept}\r\nconnection: close\r\n\r\n`,
      );
      expect(heard).toMatch(/^HTTP\/1\.1 [24]\d\d /);
      expect(heard).not.toContain(SECRET);
      expect(heard).not.toContain('root:');
      // A page's path that is no file gets the app, and nothing else gets anything.
      if (heard.startsWith('HTTP/1.1 2')) expect(heard).toMatch(/the app$/);
    }
  });
});

describe('expressions on what strangers send', () => {
  const named = (file: string) => ({
    size: 10,
    name: 'a',
    headers: {},
    stream: () => Promise.resolve(undefined),
    file,
  });
  const model = TEST_MODEL;
  const rangeOf = (range: string): void => {
    void rangedResponse(named(''), new Request('http://a/', { headers: { range } })).catch(() => undefined);
  };
  const address = (text: string): void => {
    try {
      decodeAddress(text);
    } catch {
      // Refused, which is not what is measured.
    }
  };
  const delegation = (hotkey: string, issuedAt: string) => ({
    run: '',
    hotkey,
    sessionKey: '',
    scopes: ['contribute' as const],
    issuedAt,
    expiresAt: '',
  });

  /** What reads a text, and texts that grow which would hurt it most were it to go back and forth. */
  const readers: Record<string, readonly [(text: string) => unknown, (n: number) => string]> = {
    'a hotkey of right letters': [(text) => HotkeySchema.safeParse(text), (n) => '1'.repeat(n)],
    'an address that ends wrongly': [(text) => AddressSchema.safeParse(text), (n) => `${'z'.repeat(n)}0`],
    'a hash': [(text) => Sha256Schema.safeParse(text), (n) => 'a'.repeat(n)],
    'a seed': [(text) => Hex32Schema.safeParse(text), (n) => '0'.repeat(n)],
    'a signature': [(text) => SignatureSchema.safeParse(text), (n) => `${'a'.repeat(n)}g`],
    'a public key': [(text) => PublicKeySchema.safeParse(text), (n) => 'a'.repeat(n)],
    'a run': [(text) => RunIdSchema.safeParse(text), (n) => 'a'.repeat(n)],
    'an instant of a long fraction': [
      (text) => InstantSchema.safeParse(text),
      (n) => `2026-01-01T00:00:00.${'0'.repeat(n)}`,
    ],
    'a block’s hash': [(text) => BlockHashSchema.safeParse(text), (n) => `0x${'a'.repeat(n)}`],
    'an endpoint': [(text) => ChainEndpointSchema.safeParse(text), (n) => `wss://${'a'.repeat(n)}#`],
    'an endpoint of slashes': [(text) => ChainEndpointSchema.safeParse(text), (n) => `wss://a${'/'.repeat(n)}#`],
    'a record of conduct': [(text) => ConductSchema.shape.deliveries.safeParse(text), (n) => '01'.repeat(n)],
    'a type of a problem': [problemKey, (n) => '/problems/'.repeat(n / 10)],
    'a type of a problem of slashes': [problemKey, (n) => `${'/'.repeat(n)}\n`],
    'a range of digits': [rangeOf, (n) => `bytes=${'1'.repeat(n)}-x`],
    'a range of spaces': [rangeOf, (n) => `bytes=${' '.repeat(n)}-`],
    'a tensor’s name': [
      (text) => {
        try {
          planStateDict(model, new Map(planned).set(text, [1]));
        } catch {
          // Refused, which is not what is measured.
        }
      },
      (n) => 'rotary_emb.inv_freq.'.repeat(n / 20),
    ],
    'words of letters': [words, (n) => 'a'.repeat(n)],
    'words of spaces': [words, (n) => `${' '.repeat(n)}a`],
    'words of marks': [words, (n) => "'r".repeat(n / 2)],
    'a file of tokens': [parseTokens, (n) => '1 '.repeat(n / 2)],
    'a delegation’s text': [
      (text) => isRemarkOf(new Uint8Array(4), delegationText(delegation(text, text)), `0x${'ab'.repeat(32)}`),
      (n) => '|'.repeat(n),
    ],
    'a payload of a remark': [
      (text) =>
        JoinRequestSchema.safeParse({ kind: 'wallet', proof: { form: 'remark', payload: text, signature: text } }),
      (n) => `${'ab'.repeat(n / 2)}x`,
    ],
  };
  const planned = new Map(parameterLayout(model).parameters.map(({ name, shape }) => [name, shape]));
  const SHORT = 4_000;
  const FACTOR = 16;

  /** The quickest of a few tries, in ms: what else the machine does only adds to it. */
  function quickest(read: (text: string) => unknown, text: string, tries: number): number {
    let best = Infinity;
    for (let i = 0; i < tries; i++) {
      const start = performance.now();
      read(text);
      best = Math.min(best, performance.now() - start);
    }
    return best;
  }

  it.each(Object.keys(readers))('%s takes time in proportion to its length', (name) => {
    const [read, textOf] = readers[name]!;
    const [short, long] = [textOf(SHORT), textOf(SHORT * FACTOR)];
    quickest(read, short, 20);
    // What takes the square of its length takes sixteen times sixteen as long; half of that is far from either. What is
    // too quick has nothing to compare, and a machine that is busy is asked again.
    let ratio = Infinity;
    for (let attempt = 0; attempt < 5 && ratio >= (FACTOR * FACTOR) / 2; attempt++) {
      ratio = Math.min(ratio, quickest(read, long, 5) / Math.max(0.2, quickest(read, short, 5)));
    }
    expect(ratio).toBeLessThan((FACTOR * FACTOR) / 2);
  });

  it('an address has a length before it has a number: base58 takes the square of it', () => {
    expect(quickest(address, '1'.repeat(50), 5)).toBeLessThan(50);
    expect(HotkeySchema.safeParse('1'.repeat(51)).success).toBe(false);
    expect(AddressSchema.safeParse('1'.repeat(51)).success).toBe(false);
  });
});
