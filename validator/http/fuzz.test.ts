/** Requests made of the document that the app serves, and of what strangers make of it. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as z from 'zod';
import { PROBLEMS, problemKey, ProblemSchema } from '../../core/protocol/problem.ts';
import {
  acceptedOf,
  expectUnpolluted,
  FUZZ_TIMEOUT_MS,
  hostileJson,
  hostileText,
  printTally,
  sample,
  tally,
  trap,
} from '../../core/testing/hostile.ts';
import {
  contributionOf,
  createTestRun,
  deliver,
  FakeClock,
  joinRequest,
  openTestRun,
  testPeer,
  ticketRequest,
  type OpenTestRun,
} from '../adapters/testing/test-run.ts';
import { createApp, type HttpApp } from './app.ts';
import * as routes from './routes.ts';

/** The parts of a JSON schema that the document uses. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** What a tiny run can answer, with room: nothing may make it say more. */
const MAX_ANSWER_BYTES = 256 * 1024;
/** Of a problem besides the path, which it names. */
const MAX_PROBLEM_BYTES = 2_048;
/** Whether refused requests left the books alone is looked at so often. */
const BATCH = 100;

const alice = testPeer('alice');
const bob = testPeer('bob');
const carol = testPeer('carol');
let dir: string;
let run: OpenTestRun;
let http: HttpApp;
let document: Document;
/** Values of this very run by the names that fields have: what is right but for one thing goes deepest. */
let known: Readonly<Record<string, readonly unknown[]>>;
/** Bodies that are right in themselves and change nothing that is looked at, by path: a peer that is in, a ticket. */
let wellSigned: Readonly<Record<string, readonly unknown[]>>;
/** Of the right length and of another hash than their ticket's. */
let almost: Uint8Array<ArrayBuffer>;
const unforeseen: unknown[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'fuzz-'));
  const clock = new FakeClock();
  await createTestRun(dir);
  run = await openTestRun(dir, clock);
  const { rounds, folder } = run;
  const id = rounds.clock().run;
  for (const peer of [alice, bob]) await rounds.join(await joinRequest(id, peer));
  const delivered = await contributionOf(run, alice);
  clock.moveTo(rounds.clock().putOpensAt);
  await deliver(run, alice, delivered);
  await rounds.closeWindow();
  const bytes = await contributionOf(run, bob);
  clock.moveTo(rounds.clock().putOpensAt);
  const asked = await ticketRequest(rounds.clock(), bob, bytes);
  const { url } = await rounds.ticket(2, asked);
  const { receipt } = (await rounds.peer(alice.hotkey)).receipts[0]!;
  wellSigned = {
    '/v1/peers': [await joinRequest(id, alice), await joinRequest('00'.repeat(16), carol)],
    '/v1/windows/{window}/contributions': [asked],
  };
  almost = bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte));
  known = {
    run: [id],
    window: [0, 1, 2, 2, 2, 3],
    from: [0, 1],
    hotkey: [alice.hotkey, bob.hotkey, carol.hotkey],
    signer: [alice.hotkey],
    sha256: [receipt.sha256, asked.ticket.sha256, (await rounds.checkpoint()).chunks[0]!.sha256],
    bytes: [bytes.length, 1],
    ticket: [url.split('/').at(-1)],
  };
  http = createApp({
    service: rounds,
    blobs: folder.blobs,
    corsOrigins: [],
    metrics: { contentType: 'text/plain', render: () => Promise.resolve('metric 1\n') },
    onError: (error) => unforeseen.push(error),
  });
  document = (await (await http.app.request('/openapi.json')).json()) as Document;
});

afterAll(async () => {
  http.close();
  await run.close();
  await rm(dir, { recursive: true });
  printTally();
});

/** All that a refused request must leave as it was; refusals are counted, and that is all. */
async function books(): Promise<unknown> {
  const files = await readdir(dir, { recursive: true, withFileTypes: true });
  const peers = await run.folder.store.peers();
  return {
    files: files.filter((entry) => entry.isFile() && !/-(wal|shm)$/.test(entry.name)).map(({ name }) => name),
    peers: peers.map(({ rejected: _, ...peer }) => peer),
    contributions: await run.folder.store.contributions(2),
    open: await run.folder.store.openWindow(),
  };
}

/** Values of a schema; those of this run where a field has its name. */
function valid(schema: Schema, name = ''): fc.Arbitrary<unknown> {
  const values = valuesOf(schema, name);
  const here = known[name];
  return here ? fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...here) }, { weight: 1, arbitrary: values }) : values;
}

function valuesOf(schema: Schema, name: string): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) return valid(document.components.schemas[schema.$ref.split('/').at(-1)!]!, name);
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return fc.oneof(...choices.map((choice) => valid(choice, name)));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'object':
      return fc.record(
        Object.fromEntries(Object.entries(schema.properties ?? {}).map(([key, member]) => [key, valid(member, key)])),
      );
    case 'array':
      return fc.array(valid(schema.items ?? {}), { minLength: schema.minItems ?? 0, maxLength: schema.maxItems ?? 4 });
    case 'integer':
    case 'number':
      return fc.integer({
        min: schema.minimum ?? (schema.exclusiveMinimum === undefined ? -(2 ** 31) : schema.exclusiveMinimum + 1),
        max: Math.min(schema.maximum ?? 2 ** 31, 2 ** 31),
      });
    case 'string':
      if (schema.format === 'date-time') {
        return fc
          .date({ min: new Date('1990-01-01'), max: new Date('2040-01-01'), noInvalidDate: true })
          .map((date) => date.toISOString());
      }
      return schema.pattern === undefined
        ? fc.string({ maxLength: 60 })
        : fc.stringMatching(new RegExp(schema.pattern));
    default:
      return fc.jsonValue();
  }
}

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** The connection breaks after the body's bytes. */
  readonly broken: boolean;
}

/** Any JSON in an address, which has no use for an object's own toString. */
const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** Parts of a path as a client would write them, and as none should. */
function segment(schema: Schema, name: string): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 6, arbitrary: valid(schema, name).map((value) => encodeURIComponent(asText(value))) },
    {
      weight: 2,
      arbitrary: fc.constantFrom('%2e%2e', '..%2f..%2fetc%2fpasswd', '%00', '%', '%ff', '%c0%ae', '%ed%a0%80', '%252e', ';a=b', '..;', '1%0d%0aa:b'), // prettier-ignore
    },
    { weight: 2, arbitrary: hostileText().map((text) => encodeURIComponent(text.toWellFormed())) },
  );
}

const HEADER_VALUES: Readonly<Record<string, readonly string[]>> = {
  range: ['bytes=0-0', 'bytes=-1', 'bytes=5-',
    'bytes=999999999-', 'bytes=-', 'bytes=9-1', 'bytes=0-999999999999999', 'bytes=0-9999999999999999', 'bytes=0-1,3-4', 'bytes=-0', 'bits=0-1', `bytes=${'0'.repeat(4_000)}-1`, 'bytes=1e3-', 'bytes=0-1\t'], // prettier-ignore
  'if-none-match': ['*', '"', 'W/"a"', ','.repeat(4_000), '"a", "b"', ''],
  'if-range': ['"a"', 'W/"a"', 'Thu, 01 Jan 1970 00:00:00 GMT', '*'],
  'content-length': ['0', '1', '-1', '+5', '1e3', '99999999999999999999', '0x10', '1, 2', ''],
  'transfer-encoding': ['chunked', 'identity', 'gzip, chunked'],
  'content-type': ['application/json', 'application/json; charset=utf-16', 'application/problem+json', 'text/plain', 'multipart/form-data; boundary=a', 'multipart/form-data', 'application/x-www-form-urlencoded', 'a', ''], // prettier-ignore
  'content-encoding': ['gzip', 'br'],
  accept: ['text/html', '*/*;q=NaN', 'application/json'.repeat(300)],
  origin: ['null', 'https://evil.example', ''],
  'access-control-request-method': ['DELETE'],
  'x-http-method-override': ['DELETE'],
  'x-forwarded-for': ['127.0.0.1', '"'],
  cookie: ['__proto__=1; constructor=2'],
  expect: ['100-continue'],
};

const hostileHeader = fc.constantFrom(...Object.keys(HEADER_VALUES)).chain((name) =>
  fc
    .oneof(
      { weight: 5, arbitrary: fc.constantFrom(...HEADER_VALUES[name]!) },
      {
        weight: 1,
        arbitrary: fc
          .string({ unit: 'binary-ascii', maxLength: 40 })
          .map((text) => text.replaceAll(/[^\t\x20-\x7e]/g, '')),
      },
    )
    .map((value) => [name, value] as const),
);

function requestsOf(template: string, method: string, operation: Operation): fc.Arbitrary<Sent> {
  const parameters = operation.parameters ?? [];
  const inPath = Object.fromEntries(
    parameters.filter((parameter) => parameter.in === 'path').map(({ name, schema }) => [name, segment(schema, name)]),
  );
  const pair = fc.oneof(
    ...parameters
      .filter((parameter) => parameter.in === 'query')
      .map(({ name, schema }) =>
        fc
          .oneof({ weight: 2, arbitrary: valid(schema, name).map(String) }, { weight: 1, arbitrary: hostileText() })
          .map((value) => [name, value] as const),
      ),
    fc.tuple(trap(), trap()),
  );
  const query: fc.Arbitrary<readonly (readonly [string, string])[]> = fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(pair, { maxLength: 3 }) },
  );
  const content = Object.entries(operation.requestBody?.content ?? {});
  const [type, schema] = content[0] === undefined ? [undefined, {}] : [content[0][0], content[0][1].schema];
  const signed = wellSigned[template] ?? [];
  const body: fc.Arbitrary<string | Uint8Array<ArrayBuffer>> =
    type === 'application/json'
      ? hostileJson(
          fc.oneof(
            { weight: 2, arbitrary: valid(schema) },
            { weight: 3, arbitrary: signed.length > 0 ? fc.constantFrom(...signed) : valid(schema) },
          ),
        )
      : fc.oneof(hostileText(), fc.uint8Array({ maxLength: 200 }), fc.constant(almost));
  return fc
    .record({
      params: fc.record(inPath),
      query,
      headers: fc.oneof(
        { weight: 1, arbitrary: fc.constant([]) },
        { weight: 2, arbitrary: fc.array(hostileHeader, { maxLength: 4 }) },
      ),
      typed: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
      body: fc.option(body, { nil: undefined, freq: 12 }),
      broken: fc.integer({ min: 0, max: 19 }).map((chance) => chance === 0),
      method: fc.oneof(
        { weight: 12, arbitrary: fc.constant(method.toUpperCase()) },
        {
          weight: 1,
          arbitrary: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND'),
        },
      ),
    })
    .map(({ params, query: pairs, headers, typed, body: sent, broken, method: verb }) => {
      const filled = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => params[name]!);
      const search = pairs.map(([key, value]) => `${encodeURIComponent(key.toWellFormed())}=${encodeURIComponent(value.toWellFormed())}`).join('&'); // prettier-ignore
      const declared = type !== undefined && typed ? [['content-type', type] as const] : [];
      const whole = sent === almost ? [['content-length', String(almost.length)] as const] : [];
      const mayHaveBody = verb !== 'GET' && verb !== 'HEAD' && sent !== undefined;
      return {
        method: verb,
        path: search === '' ? filled : `${filled}?${search}`,
        headers: [...declared, ...whole, ...headers],
        ...(mayHaveBody ? { body: sent } : {}),
        broken: mayHaveBody && broken,
      };
    });
}

function send({ method, path, headers, body, broken }: Sent): Promise<Response> {
  const all = new Headers();
  for (const [name, value] of headers) all.append(name, value);
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  const stream =
    bytes &&
    new ReadableStream<Uint8Array>({
      start(controller) {
        if (bytes.length > 0) controller.enqueue(bytes);
        if (!broken) controller.close();
      },
      pull(controller) {
        controller.error(new Error('the connection broke'));
      },
    });
  const init: RequestInit & { duplex: 'half' } = {
    method,
    headers: all,
    duplex: 'half',
    ...(stream ? { body: stream } : {}),
  };
  return Promise.resolve(http.app.request(`http://localhost${path}`, init));
}

/** The documented operations that a path leads to, as whoever reads the document would find them. */
function operationsAt(path: string): Readonly<Record<string, Operation>> | undefined {
  const parts = new URL(`http://localhost${path}`).pathname.split('/');
  const fits = Object.entries(document.paths).filter(([template]) => {
    const wanted = template.split('/');
    return (
      wanted.length === parts.length &&
      wanted.every((part, i) => (part.startsWith('{') ? parts[i] !== '' : part === parts[i]))
    );
  });
  // A name goes before a parameter.
  return fits.sort(([a], [b]) => a.split('{').length - b.split('{').length)[0]?.[1];
}

interface AnyRoute {
  readonly method: string;
  readonly path: string;
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: z.ZodType }>> }>
  >;
}

const isRoute = (value: unknown): value is AnyRoute =>
  typeof value === 'object' && value !== null && 'responses' in value;

const answerSchemas = new Map(
  Object.values<unknown>(routes)
    .filter(isRoute)
    .map((route) => [`${route.method} ${route.path}`, route.responses['200']?.content?.['application/json']?.schema]),
);

async function boundedText(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const parts: Uint8Array[] = [];
  let total = 0;
  // An event stream never ends: its greeting is enough.
  const endless = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    total += value.length;
    expect(total).toBeLessThanOrEqual(MAX_ANSWER_BYTES);
    if (endless) {
      await reader.cancel();
      break;
    }
  }
  return Buffer.concat(parts).toString();
}

function expectDocumentedProblem(text: string, response: Response, sent: Sent, operation: Operation | undefined): void {
  const { status } = response;
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(text.length).toBeLessThanOrEqual(MAX_PROBLEM_BYTES + new URL(`http://localhost${sent.path}`).pathname.length);
  const problem = ProblemSchema.strict().parse(JSON.parse(text));
  const key = problemKey(problem.type);
  expect(key, problem.type).toBeDefined();
  expect(problem).toMatchObject({ status, title: PROBLEMS[key!].title });
  expect(PROBLEMS[key!].status).toBe(status);
  expect(problem.detail).toMatch(/\w{3}/);
  const said = operation?.responses[String(status)]?.description ?? '';
  // A body is read before its route is looked for.
  const general = operation ? [] : ['unknown-route', 'method-not-allowed', 'malformed-request', 'too-large'];
  expect([...said.matchAll(/`\/problems\/([a-z-]+)`/g)].map(([, name]) => name).concat(general)).toContain(key);
}

async function check(template: string, method: string, sent: Sent): Promise<void> {
  const response = await send(sent);
  const what = `${method.toUpperCase()} ${template}`;
  tally(what, response.status < 400);
  const text = await boundedText(response);
  expect(unforeseen.splice(0)).toEqual([]);
  expect(response.status).toBeLessThan(500);
  const verb = sent.method === 'HEAD' ? 'get' : sent.method.toLowerCase();
  const operation = operationsAt(sent.path)?.[verb];
  if (response.status >= 400) {
    if (sent.method === 'HEAD') return;
    expectDocumentedProblem(text, response, sent, operation);
    return;
  }
  expect(Object.keys(operation?.responses ?? {})).toContain(String(response.status));
  const [path] = Object.entries(document.paths).find(([, operations]) => operations[verb] === operation) ?? [''];
  const schema = answerSchemas.get(`${verb} ${path}`);
  if (schema && response.status === 200 && sent.method !== 'HEAD') schema.parse(JSON.parse(text));
}

const OPERATIONS = [
  'GET /v1/run',
  'GET /v1/clock',
  'GET /v1/checkpoints/latest',
  'GET /v1/peers',
  'POST /v1/peers',
  'POST /v1/peers/{hotkey}/revocation',
  'GET /v1/chain',
  'GET /v1/chain/records/{hotkey}',
  'GET /v1/peers/{hotkey}',
  'GET /v1/leaderboard',
  'GET /v1/windows',
  'GET /v1/windows/{window}',
  'GET /v1/windows/{window}/book',
  'GET /v1/windows/{window}/refusals',
  'GET /v1/samples',
  'POST /v1/windows/{window}/contributions',
  'PUT /v1/uploads/{ticket}',
  'POST /v1/uploads/{ticket}',
  'GET /healthz',
  'GET /v1/blobs/{sha256}',
  'GET /v1/checkpoints/latest/{file}',
  'GET /v1/events',
] as const;

/** Bodies are where most can go wrong. */
const runsOf = (operation: Operation): number => (operation.requestBody ? 140 : operation.parameters ? 50 : 15);

describe('the API under hostile requests', () => {
  it('has all its operations below; /readyz says 503 by design while it is not ready', () => {
    const documented = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect([...OPERATIONS, 'GET /readyz'].sort()).toEqual(documented.sort());
  });

  it.each(OPERATIONS)(
    '%s answers or refuses as documented, and a refusal changes nothing',
    async (name) => {
      const [method, path] = name.split(' ') as [string, string];
      const operation = document.paths[path]![method.toLowerCase()]!;
      const before = await books();
      let asked = 0;
      await fc.assert(
        fc.asyncProperty(requestsOf(path, method, operation), async (sent) => {
          await check(path, method, sent);
          if (++asked % BATCH === 0) expect(await books()).toEqual(before);
        }),
        sample(runsOf(operation)),
      );
      expect(await books()).toEqual(before);
      expectUnpolluted();
      const never = [
        '/v1/chain',
        '/v1/chain/records/{hotkey}',
        '/v1/uploads/{ticket}',
        '/v1/peers/{hotkey}/revocation',
      ];
      if (!never.includes(path)) expect(acceptedOf(name)).toBeGreaterThan(0);
    },
    FUZZ_TIMEOUT_MS,
  );

  it('stops reading a body that never ends, with and without a length that lies', async () => {
    const { ticket } = known;
    for (const [method, path, headers] of [
      ['POST', '/v1/peers', {}],
      ['POST', '/v1/peers', { 'transfer-encoding': 'chunked', 'content-length': '5' }],
      ['PUT', `/v1/uploads/${String(ticket![0])}`, {}],
      ['PUT', `/v1/uploads/${String(ticket![0])}`, { 'content-length': String(known['bytes']![0]) }],
      ['PUT', '/v1/uploads/unknown', { 'content-length': '10' }],
      ['DELETE', '/v1/peers', {}],
    ] as const) {
      let pulled = 0;
      const body = new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            pulled += 16_384;
            controller.enqueue(new Uint8Array(16_384).fill(0x20));
          },
        },
        { highWaterMark: 0 },
      );
      const init: RequestInit & { duplex: 'half' } = {
        method,
        body,
        duplex: 'half',
        headers: { 'content-type': 'application/json', ...headers },
      };
      const response = await http.app.request(path, init);
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(response.status).toBeLessThan(500);
      expect(pulled).toBeLessThanOrEqual(routes.MAX_JSON_BYTES + 2 * 16_384);
    }
    expect(unforeseen).toEqual([]);
  });
});
