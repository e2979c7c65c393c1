import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClockSchema, EventSchema, PeerSchema, SignedReceiptSchema } from '../../core/protocol/api.ts';
import { SignedBookSchema } from '../../core/protocol/book.ts';
import { SignedManifestSchema } from '../../core/protocol/manifest.ts';
import { PROBLEMS, ProblemSchema, type ProblemKey } from '../../core/protocol/problem.ts';
import {
  contributionOf,
  createTestRun,
  FakeClock,
  joinRequest,
  openTestRun,
  START,
  testPeer,
  ticketRequest,
  type OpenTestRun,
  type TestPeer,
} from '../adapters/testing/test-run.ts';
import { createApp, type HttpApp } from './app.ts';
import type { Caller } from './caller.ts';
import { createLimits, DEFAULT_RATES } from './limits.ts';
import { memoryRates } from './rate-limit.ts';

/** Where they differ from the usual ones, few enough to be met. */
const RATES = {
  joins: { burst: 3, perMinute: 1 },
  reads: { burst: 40, perMinute: 60 },
  peer: { burst: 6, perMinute: 6 },
  ticket: { burst: 20, perMinute: 60 },
};

const alice = testPeer('alice');
const bob = testPeer('bob');

let dir: string;
let clock: FakeClock;
let run: OpenTestRun;
let http: HttpApp;
let caller: Caller;
let operator: boolean;
const unforeseen: unknown[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'http-'));
  clock = new FakeClock();
  await createTestRun(dir);
  run = await openTestRun(dir, clock);
  caller = { address: '192.0.2.1', local: false };
  operator = false;
  unforeseen.length = 0;
  http = createApp({
    service: run.rounds,
    blobs: run.folder.blobs,
    corsOrigins: ['https://app.example'],
    metrics: { contentType: 'text/plain', render: () => Promise.resolve('metric 1\n') },
    isOperator: () => operator,
    callerOf: () => caller,
    limits: createLimits({
      callerOf: () => caller,
      rates: { ...DEFAULT_RATES, ...RATES },
      own: memoryRates(clock.now),
      shared: memoryRates(clock.now),
    }),
    onError: (error) => unforeseen.push(error),
  });
});
afterEach(async () => {
  http.close();
  await run.close();
  await rm(dir, { recursive: true });
  expect(unforeseen).toEqual([]);
});

const get = async (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  http.app.request(path, { headers });
const post = async (path: string, body: unknown): Promise<Response> =>
  http.app.request(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const put = async (
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
  length: number | null = bytes.length,
): Promise<Response> =>
  http.app.request(path, {
    method: 'PUT',
    headers: length === null ? {} : { 'content-length': String(length) },
    body: new Blob([bytes]).stream(),
    duplex: 'half',
  } as RequestInit);

async function expectProblem(response: Response, key: ProblemKey, detail?: RegExp): Promise<void> {
  const problem = ProblemSchema.parse(await response.json());
  expect(problem.type, problem.detail).toBe(`/problems/${key}`);
  expect(response.status).toBe(PROBLEMS[key].status);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(problem).toMatchObject({ status: response.status, title: PROBLEMS[key].title });
  expect(problem.detail).toMatch(detail ?? /\w{3}.*[.?]$/);
}

async function joinRun(peer: TestPeer): Promise<void> {
  expect((await post('/v1/peers', await joinRequest(run.rounds.clock().run, peer))).status).toBe(200);
}

async function ticketFor(peer: TestPeer, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const state = run.rounds.clock();
  const response = await post(`/v1/windows/${state.window}/contributions`, await ticketRequest(state, peer, bytes));
  expect(response.status).toBe(200);
  return ((await response.json()) as { url: string }).url;
}

const toPut = (): void => {
  clock.moveTo(run.rounds.clock().putOpensAt);
};

/** All that a refused request must leave as it was; refusals are counted, and that is all. */
async function books(): Promise<unknown> {
  const files = await readdir(join(dir, 'uploads'), { recursive: true, withFileTypes: true });
  const peers = await run.folder.store.peers();
  return {
    files: files.filter((entry) => entry.isFile()).map(({ name }) => name),
    peers: peers.map(({ rejected, ...peer }) => (expect(rejected).toBeGreaterThanOrEqual(0), peer)),
    contributions: await run.folder.store.contributions(run.rounds.clock().window),
    open: await run.folder.store.openWindow(),
  };
}

describe('versions', () => {
  const spoken = (range: string): RequestInit => ({ method: 'POST', headers: { 'gauntlet-protocol': range } });
  const cors = { origin: 'https://app.example' };

  it('every answer names the run’s protocol, and pages of other origins may read it', async () => {
    for (const path of ['/v1/run', '/v1/nothing', '/v1/windows/99', '/healthz', '/openapi.json']) {
      const response = await get(path, cors);
      expect(response.headers.get('gauntlet-protocol'), path).toBe('1');
      expect(response.headers.get('access-control-expose-headers')).toContain('gauntlet-protocol');
    }
    const asked = { ...cors, 'access-control-request-method': 'POST' };
    const preflight = await http.app.request('/v1/peers', { method: 'OPTIONS', headers: asked });
    expect(preflight.headers.get('access-control-allow-headers')).toContain('gauntlet-protocol');
    const document: unknown = await (await get('/openapi.json')).json();
    expect(document).toMatchObject({
      info: { version: '1' },
      'x-gauntlet-protocol': { run: 1, spoken: { oldest: 1, newest: 1 } },
    });
  });

  it('who does not speak the run’s protocol changes nothing, and learns what to do', async () => {
    await joinRun(bob);
    const before = await books();
    const request = JSON.stringify(await joinRequest(run.rounds.clock().run, alice));
    const join = (range: string): Response | Promise<Response> =>
      http.app.request('/v1/peers', { ...spoken(range), body: request });
    await expectProblem(await join('2'), 'unsupported-protocol', /protocol 1, and the client speaks 2: use an? older/);
    await expectProblem(await join('0'), 'unsupported-protocol', /newer version/);
    caller = { address: '192.0.2.2', local: false };
    await expectProblem(await join('1..'), 'malformed-request', /such as 1\.\.2/);
    const upload = await http.app.request('/v1/uploads/any', { ...spoken('2..3'), method: 'PUT', body: 'bytes' });
    await expectProblem(upload, 'unsupported-protocol');
    expect(await books()).toEqual(before);
    expect((await get('/v1/run', { 'gauntlet-protocol': '2' })).status).toBe(200);
  });

  it('who speaks it among others is welcome, and who says nothing speaks the first', async () => {
    const request = JSON.stringify(await joinRequest(run.rounds.clock().run, alice));
    const headers = { 'content-type': 'application/json', 'gauntlet-protocol': '0..2' };
    expect((await http.app.request('/v1/peers', { method: 'POST', headers, body: request })).status).toBe(200);
    expect((await post('/v1/peers', await joinRequest(run.rounds.clock().run, bob))).status).toBe(200);
  });
});

describe('the API', () => {
  it('answers what its schemas say', async () => {
    SignedManifestSchema.parse(await (await get('/v1/run')).json());
    ClockSchema.parse(await (await get('/v1/clock')).json());
    await joinRun(alice);
    PeerSchema.parse(await (await get(`/v1/peers/${alice.hotkey}`)).json());
    expect(await (await get('/v1/leaderboard')).json()).toMatchObject({
      window: 0,
      peers: [{ hotkey: alice.hotkey, uid: 0 }],
    });
    await run.rounds.closeWindow();
    expect(await (await get('/v1/windows?from=1&limit=10')).json()).toMatchObject([{ window: 1, participants: 0 }]);
    expect(await (await get('/v1/windows/1')).json()).toMatchObject({ window: 1, phase: 'publish' });
    const { book } = SignedBookSchema.parse(await (await get('/v1/windows/1/book')).json());
    expect(book).toMatchObject({ window: 1, previous: null, record: { window: 1 } });
    expect((await get('/v1/windows/2/book')).status).toBe(404);
    expect(await (await get('/v1/windows/1/refusals')).json()).toEqual([]);
    await expectProblem(await get('/v1/windows/3/refusals'), 'unknown-window');
    expect(await (await get('/v1/checkpoints/latest')).json()).toMatchObject({ window: 1, steps: [{ window: 1 }] });
  });

  it('takes an upload and gives a receipt, again for the same bytes', async () => {
    await joinRun(alice);
    const bytes = await contributionOf(run, alice);
    const url = await ticketFor(alice, bytes);
    toPut();
    const first = await put(url, bytes);
    expect(first.status).toBe(200);
    const signed = SignedReceiptSchema.parse(await first.json());
    expect(signed.receipt.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(await (await put(url, bytes)).json()).toEqual(signed);
    await expectProblem(await get(`/v1/blobs/${signed.receipt.sha256}`), 'unknown-blob');
  });

  it('is documented by a valid OpenAPI 3.1 document', async () => {
    const document = (await (await get('/openapi.json')).json()) as {
      openapi: string;
      paths: Record<string, Record<string, { responses?: object; summary?: string }>>;
      components: { schemas: Record<string, unknown> };
    };
    expect(document.openapi).toBe('3.1.0');
    const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
    expect(operations.length).toBeGreaterThanOrEqual(15);
    for (const { responses, summary } of operations) {
      expect(summary).toBeTruthy();
      expect(Object.keys(responses ?? {}).length).toBeGreaterThan(0);
    }
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
      (match) => match[1]!,
    );
    expect(references).toEqual(expect.arrayContaining(['Clock', 'Peer', 'SignedReceipt', 'Problem']));
    for (const name of references) expect(document.components.schemas).toHaveProperty(name);
    const page = await get('/docs');
    expect(page.headers.get('content-security-policy')).toMatch(/style-src 'self'/);
    const html = await page.text();
    expect(html).toContain('/v1/windows/{window}/contributions');
    expect(html).not.toMatch(/<script|style=/);
  });

  it('has health, readiness and metrics', async () => {
    expect((await get('/healthz')).status).toBe(200);
    await expectProblem(await get('/readyz'), 'not-ready');
    run.rounds.start();
    expect((await get('/readyz')).status).toBe(200);
    await run.rounds.stop();
    operator = true;
    expect(await (await get('/metrics')).text()).toBe('metric 1\n');
  });

  it('tells strangers nothing of the process', async () => {
    const refused = await get('/metrics');
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    await expectProblem(refused, 'operators-only');
    await expectProblem(await get('/readyz'), 'not-ready', /the operator is told why/);
    operator = true;
    await expectProblem(await get('/readyz'), 'not-ready', /not running windows/);
  });

  it('lets pages of the configured origins in, and no others', async () => {
    const preflight = await http.app.request('/v1/peers', {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://app.example');
    const other = await get('/v1/clock', { origin: 'https://evil.example' });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
    expect(other.headers.get('x-content-type-options')).toBe('nosniff');
    expect(other.headers.get('content-security-policy')).toMatch(/default-src 'none'/);
  });
});

describe('blobs', () => {
  let sha256: string;
  const bytes = Uint8Array.from({ length: 1_000 }, (_, i) => i & 255);
  beforeEach(async () => {
    ({ sha256 } = await run.folder.blobs.put(bytes));
  });

  it('come whole, immutable, and by HEAD', async () => {
    const whole = await get(`/v1/blobs/${sha256}`);
    expect(new Uint8Array(await whole.arrayBuffer())).toEqual(bytes);
    expect(whole.headers.get('cache-control')).toMatch(/immutable/);
    const etag = whole.headers.get('etag')!;
    expect((await get(`/v1/blobs/${sha256}`, { 'if-none-match': etag })).status).toBe(304);
    const head = await http.app.request(`/v1/blobs/${sha256}`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '1000', '']);
  });

  it.each([
    ['bytes=0-0', 0, 1],
    ['bytes=100-199', 100, 200],
    ['bytes=900-', 900, 1_000],
    ['bytes=-10', 990, 1_000],
    ['bytes=990-5000', 990, 1_000],
    ['bytes=-5000', 0, 1_000],
  ])('come by range %s', async (range, start, end) => {
    const part = await get(`/v1/blobs/${sha256}`, { range });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/1000`);
    expect(new Uint8Array(await part.arrayBuffer())).toEqual(bytes.slice(start, end));
  });

  it.each(['bytes=1000-', 'bytes=5000-6000', 'bytes=-0'])('refuse range %s', async (range) => {
    const response = await get(`/v1/blobs/${sha256}`, { range });
    expect(response.headers.get('content-range')).toBe('bytes */1000');
    await expectProblem(response, 'range-not-satisfiable');
  });

  it.each(['bytes=5-2', 'bytes=-', 'lines=1-2', 'bytes=0-1,5-6'])(
    'ignore what is no single range: %s',
    async (range) => {
      expect((await get(`/v1/blobs/${sha256}`, { range })).status).toBe(200);
    },
  );

  it.each(['..%2f..%2frun.sqlite', '%2e%2e%2fvalidator.key', 'AB'.repeat(32), 'ab'.repeat(32), '0', '%00', '%zz'])(
    'know no path but a hash: %s',
    async (name) => {
      await expectProblem(await get(`/v1/blobs/${name}`), 'unknown-blob');
    },
  );
});

describe('a refusal', () => {
  let before: unknown;

  const unchanged = async (): Promise<void> => {
    expect(await books()).toEqual(before);
  };

  describe('of a request', () => {
    beforeEach(async () => {
      await joinRun(alice);
      before = await books();
    });
    afterEach(unchanged);

    it.each([
      ['{"delegation":', /not JSON/],
      ['[]', /body/],
      ['{}', /kind/],
      ['{"kind":"guest","signature":"00","delegation":null}', /delegation.*signature/],
    ])('malformed JSON %s', async (body, detail) => {
      await expectProblem(await post('/v1/peers', body), 'malformed-request', detail);
    });

    it('a body that is too large', async () => {
      await expectProblem(await post('/v1/peers', ' '.repeat(65_537)), 'too-large');
    });

    it('of a join that is not in order', async () => {
      const { run: id } = run.rounds.clock();
      const at = (ms: number): string => new Date(START + ms).toISOString();
      const day = 86_400_000;
      const cases: [Parameters<typeof joinRequest>[2], ProblemKey][] = [
        [{ run: '00'.repeat(16) }, 'wrong-run'],
        [{ hotkey: alice.hotkey }, 'wrong-signature'],
        [{ hotkey: `${bob.hotkey.slice(0, -1)}1` }, 'wrong-address'],
        [{ issuedAt: at(6 * 60_000) }, 'delegation-not-yet-valid'],
        [{ issuedAt: at(-day), expiresAt: at(-1) }, 'delegation-expired'],
        [{ expiresAt: at(91 * day) }, 'delegation-too-long'],
        [{ expiresAt: at(-1), issuedAt: at(0) }, 'delegation-expired'],
      ];
      for (const [i, [change, key]] of cases.entries()) {
        caller = { address: `192.0.2.${i + 10}`, local: false };
        await expectProblem(await post('/v1/peers', await joinRequest(id, bob, change)), key);
      }
    });

    it('of a ticket that is not in order', async () => {
      const bytes = new Uint8Array(run.rounds.context.scheme.bodyBytes + 200);
      const state = run.rounds.clock();
      const ask = async (change: Parameters<typeof ticketRequest>[3], peer = alice, window = 1): Promise<Response> =>
        post(`/v1/windows/${window}/contributions`, await ticketRequest(state, peer, bytes, change));
      await expectProblem(await ask({}, bob), 'unknown-hotkey');
      await expectProblem(await ask({ hotkey: alice.hotkey }, bob), 'wrong-signature');
      await expectProblem(await ask({ run: '00'.repeat(16) }), 'wrong-run');
      await expectProblem(await ask({ window: 2 }), 'wrong-window');
      await expectProblem(await ask({ window: 2 }, alice, 2), 'unknown-window');
      await expectProblem(await ask({ bytes: 2 ** 30 }), 'too-large');
      await expectProblem(await ask({ bytes: 1 }), 'malformed-contribution');
      await expectProblem(await ask({ bytes: -1 }), 'malformed-request', /ticket\.bytes/);
      clock.moveTo(state.putClosesAt);
      await expectProblem(await ask({}), 'too-late');
    });

    it.each([
      ['/v1/windows/0', 'unknown-window'],
      ['/v1/windows/99', 'unknown-window'],
      ['/v1/windows/-1', 'malformed-request'],
      ['/v1/windows/1e9999', 'malformed-request'],
      ['/v1/windows/..%2f..%2fetc%2fpasswd', 'malformed-request'],
      ['/v1/windows?limit=1001', 'malformed-request'],
      ['/v1/peers/..%2f..%2frun.sqlite', 'malformed-request'],
      [`/v1/peers/${bob.hotkey}`, 'unknown-hotkey'],
      ['/v1/nothing', 'unknown-route'],
      ['/..%2f..%2fetc%2fpasswd', 'unknown-route'],
    ] as const)('%s: %s', async (path, key) => {
      await expectProblem(await get(path), key);
    });

    it('another method, with those allowed', async () => {
      const response = await http.app.request('/v1/clock', { method: 'DELETE' });
      expect(response.headers.get('allow')).toBe('GET, HEAD');
      await expectProblem(response, 'method-not-allowed');
    });
  });

  it('too many joins from one address, with the time to come again', async () => {
    for (let i = 0; i < 3; i++) await joinRun(alice);
    const request = await joinRequest(run.rounds.clock().run, bob);
    const refused = await post('/v1/peers', request);
    expect(Object.fromEntries(refused.headers)).toMatchObject({
      'retry-after': '60',
      ratelimit: '"joins";r=0;t=180',
      'ratelimit-policy': '"joins";q=3;w=180',
    });
    await expectProblem(refused, 'too-many-requests', /from this address: try again in 60 s/);
    clock.time += 59_000;
    await expectProblem(await post('/v1/peers', request), 'too-many-requests', /in 1 s/);
    clock.time += 1_000;
    expect((await post('/v1/peers', request)).status).toBe(200);
    await expectProblem(await post('/v1/peers', request), 'too-many-requests');
    caller = { address: '192.0.2.2', local: false };
    expect((await post('/v1/peers', request)).headers.get('ratelimit')).toBe('"joins";r=2;t=60');
  });

  it('too many readings from one address, before anything is read', async () => {
    for (let i = 0; i < 40; i++) expect((await get(i % 2 === 0 ? '/v1/leaderboard' : '/v1/windows')).status).toBe(200);
    for (const path of ['/v1/leaderboard', '/v1/peers/nobody', '/v1/nowhere']) {
      const refused = await get(path);
      expect(refused.headers.get('retry-after')).toBe('1');
      await expectProblem(refused, 'too-many-requests');
    }
    // What costs nothing goes on, and so does what is counted by itself.
    expect((await get('/v1/clock')).status).toBe(200);
    await expectProblem(await get('/v1/windows/7/book'), 'unknown-window');
    await expectProblem(await get(`/v1/blobs/${'a'.repeat(64)}`), 'unknown-blob');
    caller = { ...caller, local: true };
    expect((await get('/v1/leaderboard')).status).toBe(200);
  });

  it('too much of one peer, whatever its address; others cannot use up what is its own', async () => {
    await joinRun(alice);
    const bytes = await contributionOf(run, alice);
    const right = await ticketRequest(run.rounds.clock(), alice, bytes);
    const foreign = { ...right, signature: 'ab'.repeat(64) };
    const ask = async (body: unknown, last: number): Promise<Response> => {
      caller = { address: `192.0.2.${last}`, local: false };
      return post('/v1/windows/1/contributions', body);
    };
    for (let i = 0; i < 20; i++) {
      await expectProblem(await ask(foreign, i), 'wrong-signature');
      await expectProblem(await ask({ ...right, ticket: { ...right.ticket, window: 2 } }, i), 'wrong-window');
    }
    for (let i = 0; i < 5; i++) expect((await ask(right, i)).status).toBe(200);
    await expectProblem(await ask(right, 99), 'too-many-requests', /of this peer/);
    for (let i = 0; i < 20; i++) await expectProblem(await put(`/v1/uploads/${i}`, bytes), 'unknown-ticket');
  });

  it('more news at once than are for one address', async () => {
    const open: ReadableStreamDefaultReader[] = [];
    for (let i = 0; i < 200; i++) open.push((await get('/v1/events')).body!.getReader());
    await expectProblem(await get('/v1/events'), 'too-many-requests', /listeners/);
    await open[0]!.cancel();
    open.push((await get('/v1/events')).body!.getReader());
    await expectProblem(await get('/v1/events'), 'too-many-requests', /listeners/);
    caller = { address: '192.0.2.2', local: false };
    open.push((await get('/v1/events')).body!.getReader());
    for (const reader of open) await reader.cancel();
  });

  describe('of an upload', () => {
    beforeEach(async () => {
      await joinRun(alice);
      await joinRun(bob);
      before = await books();
    });
    afterEach(unchanged);

    /** Uploads alice's bytes as they are, in the put phase. */
    const upload = async (bytes: Uint8Array<ArrayBuffer>, length?: number | null): Promise<Response> => {
      const url = await ticketFor(alice, bytes);
      toPut();
      return put(url, bytes, length);
    };

    const rejected = async (): Promise<number> => (await run.rounds.peer(alice.hotkey)).contributions.rejected;

    it('early and late', async () => {
      const bytes = await contributionOf(run, alice);
      const url = await ticketFor(alice, bytes);
      await expectProblem(await put(url, bytes), 'too-early');
      clock.moveTo(run.rounds.clock().putClosesAt);
      await expectProblem(await put(url, bytes), 'too-late');
      expect(await rejected()).toBe(2);
      const { verdicts } = await run.rounds.peer(alice.hotkey);
      expect(verdicts.map(({ check, pass }) => [check, pass])).toEqual([
        ['in-time', false],
        ['in-time', false],
      ]);
    });

    it('whose last byte comes late', async () => {
      const bytes = await contributionOf(run, alice);
      const url = await ticketFor(alice, bytes);
      toPut();
      let sent = 0;
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (sent > 0) clock.moveTo(run.rounds.clock().putClosesAt);
          const part = bytes.subarray(sent, sent + 200);
          sent += part.length;
          if (part.length > 0) controller.enqueue(part);
          else controller.close();
        },
      });
      const headers = { 'content-length': String(bytes.length) };
      await expectProblem(
        await http.app.request(url, { method: 'PUT', headers, body, duplex: 'half' } as RequestInit),
        'too-late',
      );
    });

    it('truncated, oversized, and without a length', async () => {
      const bytes = await contributionOf(run, alice);
      const url = await ticketFor(alice, bytes);
      toPut();
      await expectProblem(await put(url, bytes.slice(0, -1)), 'truncated-upload');
      await expectProblem(await put(url, bytes.slice(0, -1), bytes.length), 'truncated-upload');
      const longer = new Uint8Array(bytes.length + 1);
      longer.set(bytes);
      await expectProblem(await put(url, longer), 'too-large');
      await expectProblem(await put(url, longer, bytes.length), 'too-large');
      await expectProblem(await put(url, bytes, null), 'length-required');
      expect(await rejected()).toBe(4);
    });

    it('without or with another ticket', async () => {
      const bytes = await contributionOf(run, alice);
      toPut();
      await expectProblem(await put('/v1/uploads/nothing', bytes), 'unknown-ticket');
      await expectProblem(await put('/v1/uploads/..%2f..%2frun.sqlite', bytes), 'unknown-ticket');
      const other = bytes.slice();
      other[20]! ^= 1;
      await expectProblem(await put(await ticketFor(alice, bytes), other), 'wrong-hash');
    });

    it('with a wrong signature', async () => {
      const bytes = await contributionOf(run, alice);
      bytes[bytes.length - 1]! ^= 1;
      await expectProblem(await upload(bytes), 'wrong-signature');
      await expectProblem(await upload(await contributionOf(run, { ...alice, signer: bob.signer })), 'wrong-signature');
    });

    it('replayed: of another peer, or of another window', async () => {
      await expectProblem(await upload(await contributionOf(run, { ...bob, signer: alice.signer })), 'wrong-signature');
      await expectProblem(await upload(await contributionOf(run, alice, { header: { window: 7 } })), 'wrong-window');
    });

    it('of another run, or trained from another model', async () => {
      await expectProblem(
        await upload(await contributionOf(run, alice, { header: { run: '00'.repeat(16) } })),
        'wrong-run',
      );
      await expectProblem(
        await upload(await contributionOf(run, alice, { header: { root: '00'.repeat(32) } })),
        'wrong-model',
      );
    });

    it('with a header that claims too much', async () => {
      await expectProblem(
        await upload(await contributionOf(run, alice, { header: { pagesTrained: 5 } })),
        'malformed-contribution',
      );
      await expectProblem(
        await upload(await contributionOf(run, alice, { header: { syncSample: [1] } })),
        'malformed-contribution',
      );
    });

    it('with an index out of range', async () => {
      // The first index follows the quantiser: 2 + 256 values of 4 bytes. 4095 lies outside a chunk of 256.
      const body = (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => {
        bytes[1_032] = 255;
        bytes[1_033]! |= 15;
        return bytes;
      };
      await expectProblem(await upload(await contributionOf(run, alice, { body })), 'index-out-of-range');
    });

    it('with a value that is not finite', async () => {
      const body = (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => {
        new DataView(bytes.buffer).setFloat32(0, NaN, true);
        return bytes;
      };
      await expectProblem(await upload(await contributionOf(run, alice, { body })), 'not-finite');
    });
  });

  it('of a second, other contribution in a window', async () => {
    await joinRun(alice);
    const bytes = await contributionOf(run, alice);
    const other = await contributionOf(run, alice, { header: { trainLoss: 1 } });
    const url = await ticketFor(alice, bytes);
    toPut();
    expect((await put(url, bytes)).status).toBe(200);
    before = await books();
    const state = run.rounds.clock();
    await expectProblem(
      await post('/v1/windows/1/contributions', await ticketRequest(state, alice, other)),
      'already-delivered',
    );
    await unchanged();
  });
});

describe('what is the same for everybody', () => {
  it('is packed, named and not sent again, for pages of other origins, too', async () => {
    await joinRun(alice);
    const browser = { origin: 'https://app.example', 'accept-encoding': 'gzip, br' };
    for (const path of ['/v1/leaderboard', '/v1/peers', '/v1/windows?from=1&limit=10']) {
      const plain = await get(path);
      expect(plain.headers.get('content-encoding')).toBeNull();
      const packed = await get(path, browser);
      expect(packed.headers.get('content-encoding')).toBe('gzip');
      expect(packed.headers.get('vary')).toMatch(/origin/i);
      expect(packed.headers.get('vary')).toMatch(/accept-encoding/i);
      expect(packed.headers.get('cache-control')).toBe('no-cache');
      expect(JSON.parse(gunzipSync(await packed.arrayBuffer()).toString())).toEqual(await plain.json());
      const again = await get(path, { ...browser, 'if-none-match': packed.headers.get('etag')! });
      expect([again.status, await again.text()]).toEqual([304, '']);
    }
  });

  it('is as new as the newest window', async () => {
    const path = '/v1/windows?from=1&limit=10';
    expect(await (await get(path)).json()).toEqual([]);
    expect(await (await get('/v1/leaderboard')).json()).toMatchObject({ window: 0 });
    await run.rounds.closeWindow();
    expect(await (await get(path)).json()).toMatchObject([{ window: 1 }]);
    expect(await (await get('/v1/leaderboard')).json()).toMatchObject({ window: 1 });
  });
});

describe('events', () => {
  async function readEvents(response: Response, count: number): Promise<string[]> {
    const reader = response.body!.getReader();
    const decoder = new TextDecoder();
    let text = '';
    while (text.split('\n\n').filter((block) => block.startsWith('event:')).length < count) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value);
    }
    await reader.cancel();
    return text.split('\n\n').filter((block) => block.startsWith('event:'));
  }

  it('tell the clock at once, and every change of phase, window and leaderboard', async () => {
    const response = await get('/v1/events');
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const reading = readEvents(response, 6);
    await run.rounds.closeWindow();
    const blocks = await reading;
    const names = blocks.map((block) => /^event: (.*)$/m.exec(block)![1]);
    expect(names).toEqual(['clock', 'clock', 'clock', 'window', 'leaderboard', 'clock']);
    for (const block of blocks) EventSchema.parse(JSON.parse(/^data: (.*)$/m.exec(block)![1]!));
  });

  it('let a client go that does not read', async () => {
    const response = await get('/v1/events');
    for (let window = 0; window < 20; window++) await run.rounds.closeWindow();
    const blocks = await readEvents(response, Infinity);
    expect(blocks.length).toBeLessThanOrEqual(64);
    expect(blocks.length).toBeGreaterThan(50);
  });
});
