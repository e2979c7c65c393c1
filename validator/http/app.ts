/**
 * The validator's HTTP API over web-standard requests: the same app answers in Node, in a test without a socket, and
 * in a tab.
 */
import { OpenAPIHono } from '@hono/zod-openapi';
import { bodyLimit } from 'hono/body-limit';
import { cors } from 'hono/cors';
import type { Context } from 'hono';
import { matchedRoutes } from 'hono/route';
import { ProblemError } from '../../core/protocol/problem.ts';
import { PROTOCOL_HEADER, SPOKEN } from '../../core/protocol/versions.ts';
import { blobPath, blobResponse, type BlobReader } from './blobs.ts';
import { DOCS_CSS, docsHtml } from './docs.ts';
import { createEventStreams, type EventStreams } from './event-stream.ts';
import type { Caller } from './caller.ts';
import { refuseForeigners } from './foreigners.ts';
import { createKeptAnswers, type Answer } from './kept-answers.ts';
import { noLimits, retryHeaders, type Limits } from './limits.ts';
import { createModelFiles, modelFilePath } from './model-files.ts';
import { asProblem, malformed, pathOf, problemResponse, problemText } from './problems.ts';
import { unsatisfiedRange } from './ranged.ts';
import * as routes from './routes.ts';
import type { ValidatorService } from './validator-service.ts';

const HEARTBEAT_MS = 15_000;
/** What each takes of memory is in docs/measurements/load.md; all of them together have to fit. */
const MAX_LISTENERS = 12_000;
/** Thirty people behind one address, with a few tabs each. */
const MAX_LISTENERS_OF_ADDRESS = 200;
const API_POLICY = "default-src 'none'; frame-ancestors 'none'";
const NOT_READY = 'No windows go on at the moment; the operator is told why.';
const OPERATORS_ONLY =
  'Ask from the machine itself and not through a proxy, or send the operator’s token as "Authorization: Bearer …".';
const DOCS_POLICY = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'";

export interface HttpOptions {
  readonly service: ValidatorService;
  readonly blobs: BlobReader;
  /** Origins that pages may call from besides the server's own; '*' is any. */
  readonly corsOrigins: '*' | readonly string[];
  /** Exposition text of /metrics, for the operator; without it there is no such route. */
  readonly metrics?: { readonly contentType: string; render(): Promise<string> };
  /** Whether the operator is asking, who alone learns of the process; by default nobody is. */
  readonly isOperator?: (c: Context) => boolean;
  /** Who is calling, where there is anybody else. */
  readonly callerOf?: (c: Context) => Caller;
  readonly limits?: Limits;
  /** An error that was not foreseen. */
  readonly onError: (error: unknown, path: string) => void;
  /** Called for each request, when its answer begins: a stream may go on for long. */
  readonly onAnswer?: (answer: Answered) => void;
}

export interface Answered {
  /** The pattern of ours that the path met, `page` for what is no route, so that strangers cannot make names. */
  readonly route: string;
  readonly status: number;
  readonly ms: number;
}

export interface HttpApp {
  readonly app: OpenAPIHono;
  /** Who listens to events now. */
  readonly listeners: number;
  /** Ends all event streams. */
  close(): void;
}

export function createApp(options: HttpOptions): HttpApp {
  const { service } = options;
  const { protocol } = service.manifest().manifest;
  const app = new OpenAPIHono({
    defaultHook: (result) => {
      if (!result.success) throw malformed(result.error.issues, result.target === 'json' ? 'body' : result.target);
    },
  });
  const streams = createEventStreams({
    subscribe: (listener) => service.subscribe(listener),
    greeting: () => ({ type: 'clock', clock: service.clock() }),
    maxClients: MAX_LISTENERS,
    maxOfAddress: MAX_LISTENERS_OF_ADDRESS,
    heartbeatMs: HEARTBEAT_MS,
  });

  const { onAnswer } = options;
  if (onAnswer) {
    app.use(async (c, next) => {
      const began = performance.now();
      await next();
      onAnswer({ route: routeOf(c), status: c.res.status, ms: performance.now() - began });
    });
  }
  app.use(async (c, next) => {
    await next();
    const headers = c.res.headers;
    headers.set(PROTOCOL_HEADER, String(protocol));
    headers.set('x-content-type-options', 'nosniff');
    headers.set('referrer-policy', 'no-referrer');
    if (!headers.has('content-security-policy')) headers.set('content-security-policy', API_POLICY);
    if (!headers.has('cross-origin-resource-policy')) {
      headers.set('cross-origin-resource-policy', options.corsOrigins.length === 0 ? 'same-origin' : 'cross-origin');
    }
    if (pathOf(c).startsWith('/v1/') && !headers.has('cache-control')) headers.set('cache-control', 'no-store');
  });
  if (options.corsOrigins.length > 0) {
    app.use(
      cors({
        origin: options.corsOrigins === '*' ? '*' : [...options.corsOrigins],
        allowMethods: ['GET', 'HEAD', 'POST', 'PUT'],
        allowHeaders: ['content-type', 'range', 'if-none-match', 'if-range', PROTOCOL_HEADER],
        exposeHeaders: [
          ...['etag', 'content-range', 'content-length', 'accept-ranges'],
          ...['retry-after', 'ratelimit', 'ratelimit-policy', PROTOCOL_HEADER],
        ],
        maxAge: 86_400,
      }),
    );
  }
  (options.limits ?? noLimits).mount(app);
  // Before anything of the request is read, let alone done.
  app.on(['POST', 'PUT'], '/v1/*', refuseForeigners(protocol));
  const jsonLimit = bodyLimit({
    maxSize: routes.MAX_JSON_BYTES,
    onError: () => {
      throw new ProblemError('too-large', `A JSON body has at most ${routes.MAX_JSON_BYTES} bytes.`);
    },
  });
  app.on('POST', '/v1/*', async (c, next) => {
    try {
      // What handlers throw does not come back through here: these are errors of reading. It is read once, and kept.
      return await jsonLimit(c, async () => {
        await c.req.arrayBuffer();
        await next();
      });
    } catch (cause) {
      if (cause instanceof ProblemError) throw cause;
      throw new ProblemError('malformed-request', 'The connection broke within the body; send it again.', { cause });
    }
  });

  app.onError((error, c) => {
    const problem = asProblem(error);
    if (problem.key === 'internal') options.onError(error, pathOf(c));
    const response = problemResponse(problem, pathOf(c));
    const range = unsatisfiedRange(error);
    if (range !== undefined) response.headers.set('content-range', range);
    if (problem.key === 'operators-only') response.headers.set('www-authenticate', 'Bearer');
    for (const [header, value] of Object.entries(retryHeaders(error))) response.headers.set(header, value);
    return response;
  });
  app.notFound((c) =>
    problemResponse(new ProblemError('unknown-route', 'There is nothing here; /docs lists what there is.'), pathOf(c)),
  );

  mountApi(app, options);
  mountPlain(app, options, streams);
  refuseOtherMethods(app);
  return {
    app,
    get listeners() {
      return streams.clients;
    },
    close: () => {
      streams.close();
    },
  };
}

const routeOf = (c: Context): string => matchedRoutes(c).find(({ path }) => !path.includes('*'))?.path ?? 'page';

function mountApi(app: OpenAPIHono, options: HttpOptions): void {
  const { service, callerOf, isOperator, limits = noLimits } = options;
  const answers = createKeptAnswers(() => service.clock().window);
  const kept = <T>(c: Context, key: string, make: () => Promise<T>): Promise<Answer<T>> => {
    // Beside what CORS may have put there.
    c.header('vary', 'accept-encoding', { append: true });
    return answers.respond(c.req.raw, key, make);
  };
  app.openapi(routes.runRoute, (c) => c.json(service.manifest(), 200));
  app.openapi(routes.clockRoute, (c) => c.json(service.clock(), 200));
  app.openapi(routes.checkpointRoute, async (c) => c.json(await service.checkpoint(), 200));
  app.openapi(routes.joinRoute, async (c) => {
    const request = c.req.valid('json');
    const caller = callerOf?.(c);
    const address = caller?.local ? undefined : caller?.address;
    const join = (): ReturnType<typeof service.join> => service.join(request, address);
    return c.json(await limits.forKey(c, 'peer', request.delegation.hotkey, join), 200);
  });
  app.openapi(routes.revokeRoute, async (c) => {
    const { hotkey } = c.req.valid('param');
    const request = c.req.valid('json');
    return c.json(await limits.forKey(c, 'peer', hotkey, () => service.revoke(hotkey, request)), 200);
  });
  app.openapi(routes.chainRoute, (c) => c.json(service.chain(), 200));
  app.openapi(routes.chainRecordsRoute, async (c) =>
    c.json(await service.chainRecords(c.req.valid('param').hotkey, c.req.valid('query').limit), 200),
  );
  app.openapi(routes.peersRoute, (c) => kept(c, 'peers', async () => (await service.leaderboard()).peers));
  app.openapi(routes.peerRoute, async (c) => c.json(await service.peer(c.req.valid('param').hotkey), 200));
  app.openapi(routes.leaderboardRoute, (c) => kept(c, 'leaderboard', () => service.leaderboard()));
  app.openapi(routes.windowsRoute, (c) => {
    const { from, limit } = c.req.valid('query');
    return kept(c, `windows ${from} ${limit}`, () => service.windows(from, limit));
  });
  app.openapi(routes.bookRoute, async (c) => c.json(await service.book(c.req.valid('param').window), 200));
  app.openapi(routes.windowRoute, async (c) => c.json(await service.window(c.req.valid('param').window), 200));
  app.openapi(routes.refusalsRoute, async (c) => c.json(await service.refusals(c.req.valid('param').window), 200));
  app.openapi(routes.samplesRoute, async (c) => c.json(await service.samples(), 200));
  app.openapi(routes.ticketRoute, async (c) => {
    const { window } = c.req.valid('param');
    const request = c.req.valid('json');
    return c.json(await limits.forKey(c, 'peer', request.ticket.hotkey, () => service.ticket(window, request)), 200);
  });
  app.openapi(routes.uploadRoute, async (c) => {
    const length = c.req.header('content-length');
    const declared = length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
    const { ticket } = c.req.valid('param');
    const receive = (): ReturnType<typeof service.receive> => service.receive(ticket, declared, c.req.raw.body);
    return c.json(await limits.forKey(c, 'ticket', ticket, receive), 200);
  });
  app.openapi(routes.arrivedRoute, async (c) => {
    const { ticket } = c.req.valid('param');
    return c.json(await limits.forKey(c, 'ticket', ticket, () => service.arrived(ticket)), 200);
  });
  app.openapi(routes.healthRoute, (c) => c.json({ status: 'ok' as const }, 200));
  app.openapi(routes.readyRoute, (c) => {
    const why = service.unready();
    if (why !== undefined) throw new ProblemError('not-ready', isOperator?.(c) ? why : NOT_READY);
    return c.json({ status: 'ready' as const }, 200);
  });
}

/** The routes that do not answer JSON. */
function mountPlain(
  app: OpenAPIHono,
  { service, blobs, metrics, isOperator, callerOf }: HttpOptions,
  streams: EventStreams,
): void {
  const modelFiles = createModelFiles(service, blobs);
  app.get('/v1/blobs/:sha256', (c) => blobResponse(blobs, c.req.param('sha256'), c.req.raw));
  app.get('/v1/checkpoints/latest/:file', (c) => modelFiles.respond(c.req.param('file'), c.req.raw));
  app.get('/v1/events', (c) => {
    // A HEAD would leave a stream that nobody reads.
    if (c.req.method === 'HEAD')
      return new Response(null, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } });
    const caller = callerOf?.(c);
    return streams.open(caller?.local ? undefined : caller?.address);
  });
  if (metrics) {
    app.get('/metrics', async (c) => {
      if (!isOperator?.(c)) throw new ProblemError('operators-only', OPERATORS_ONLY);
      return new Response(await metrics.render(), {
        headers: { 'content-type': metrics.contentType, 'cache-control': 'no-store' },
      });
    });
  }
  const document = openApiDocument(app, service.manifest().manifest.protocol);
  app.get('/openapi.json', (c) => c.json(document));
  const page = docsHtml(document);
  app.get('/docs', (c) => c.html(page, 200, { 'content-security-policy': DOCS_POLICY }));
  app.get('/docs.css', (c) => c.body(DOCS_CSS, 200, { 'content-type': 'text/css; charset=utf-8' }));
}

type Document = ReturnType<OpenAPIHono['getOpenAPI31Document']>;
type PathItem = NonNullable<Document['paths']>[string];

function openApiDocument(app: OpenAPIHono, protocol: number): Document {
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Gauntlet validator',
      version: String(protocol),
      description: `Refusals are RFC 9457 problem documents with a stable type. The version is the run’s protocol, which every answer names in its header ${PROTOCOL_HEADER}; a POST or PUT names there those that the client speaks, as in 1..2.`,
    },
    'x-gauntlet-protocol': { run: protocol, spoken: SPOKEN },
  });
  const paths = Object.fromEntries(
    Object.entries(document.paths ?? {}).map(([path, item]) => [
      path,
      path.startsWith('/v1/') ? withCommonAnswers(path, item) : item,
    ]),
  );
  return {
    ...document,
    paths: {
      ...paths,
      '/v1/blobs/{sha256}': withCommonAnswers('', blobPath),
      '/v1/checkpoints/latest/{file}': withCommonAnswers('', modelFilePath),
      '/v1/events': {
        get: {
          summary: 'Server-sent events: clock, window, leaderboard; the data is an Event',
          responses: {
            200: { description: 'A stream', content: { 'text/event-stream': {} } },
            429: { description: problemText('too-many-requests') },
          },
        },
      },
    },
  };
}

/** Answers that are kept, and that a client may have. */
const KEPT = ['/v1/peers', '/v1/leaderboard', '/v1/windows'];

/** What any route of the API may answer besides: whoever asks too often is refused. */
function withCommonAnswers(path: string, item: object): PathItem {
  const tooMany = { 429: { description: problemText('too-many-requests') } };
  const unchanged = { 304: { description: 'The client has it' } };
  return Object.fromEntries(
    Object.entries(item as Record<string, { responses?: object }>).map(([method, operation]) => [
      method,
      {
        ...operation,
        responses: {
          ...tooMany,
          ...(method === 'get' && KEPT.includes(path) ? unchanged : {}),
          ...operation.responses,
        },
      },
    ]),
  );
}

/** A path that exists under another method says so, instead of not being found. */
function refuseOtherMethods(app: OpenAPIHono): void {
  const byPath = new Map<string, Set<string>>();
  for (const { path, method } of app.routes) {
    if (method === 'ALL' || path.includes('*')) continue;
    const methods = byPath.get(path) ?? new Set();
    byPath.set(path, methods.add(method));
    if (method === 'GET') methods.add('HEAD');
  }
  for (const [path, methods] of byPath) {
    const allowed = [...methods].join(', ');
    app.all(path, (c) => {
      const response = problemResponse(
        new ProblemError('method-not-allowed', `This route takes ${allowed}.`),
        pathOf(c),
      );
      response.headers.set('allow', allowed);
      return response;
    });
  }
}
