/**
 * The validator's HTTP API over web-standard requests: the same app answers in Node, in a test without a socket, and
 * in a tab.
 */
import { OpenAPIHono } from '@hono/zod-openapi';
import { bodyLimit } from 'hono/body-limit';
import { cors } from 'hono/cors';
import type { Context } from 'hono';
import { PROTOCOL_VERSION } from '../../core/protocol/manifest.ts';
import { ProblemError } from '../../core/protocol/problem.ts';
import { blobPath, blobResponse, type BlobReader } from './blobs.ts';
import { DOCS_CSS, docsHtml } from './docs.ts';
import { createEventStreams, type EventStreams } from './event-stream.ts';
import { createModelFiles, modelFilePath } from './model-files.ts';
import { asProblem, malformed, pathOf, problemResponse, problemText } from './problems.ts';
import { unsatisfiedRange } from './ranged.ts';
import * as routes from './routes.ts';
import type { ValidatorService } from './validator-service.ts';

const HEARTBEAT_MS = 15_000;
const MAX_LISTENERS = 1_000;
const API_POLICY = "default-src 'none'; frame-ancestors 'none'";
const DOCS_POLICY = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'";

export interface HttpOptions {
  readonly service: ValidatorService;
  readonly blobs: BlobReader;
  /** Origins that pages may call from besides the server's own; '*' is any. */
  readonly corsOrigins: '*' | readonly string[];
  /** Exposition text of /metrics; without it there is no such route. */
  readonly metrics?: { readonly contentType: string; render(): Promise<string> };
  /** Who is calling, for the bound on joins. */
  readonly addressOf: (c: Context) => string;
  readonly joins: { allow(address: string): boolean };
  /** An error that was not foreseen. */
  readonly onError: (error: unknown, path: string) => void;
}

export interface HttpApp {
  readonly app: OpenAPIHono;
  /** Ends all event streams. */
  close(): void;
}

export function createApp(options: HttpOptions): HttpApp {
  const { service } = options;
  const app = new OpenAPIHono({
    defaultHook: (result) => {
      if (!result.success) throw malformed(result.error.issues, result.target === 'json' ? 'body' : result.target);
    },
  });
  const streams = createEventStreams({
    subscribe: (listener) => service.subscribe(listener),
    greeting: () => ({ type: 'clock', clock: service.clock() }),
    maxClients: MAX_LISTENERS,
    heartbeatMs: HEARTBEAT_MS,
  });

  app.use(async (c, next) => {
    await next();
    const headers = c.res.headers;
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
        allowHeaders: ['content-type', 'range', 'if-none-match', 'if-range'],
        exposeHeaders: ['etag', 'content-range', 'content-length', 'accept-ranges'],
        maxAge: 86_400,
      }),
    );
  }
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
    close: () => {
      streams.close();
    },
  };
}

function mountApi(app: OpenAPIHono, { service, addressOf, joins }: HttpOptions): void {
  app.openapi(routes.runRoute, (c) => c.json(service.manifest(), 200));
  app.openapi(routes.clockRoute, (c) => c.json(service.clock(), 200));
  app.openapi(routes.checkpointRoute, async (c) => c.json(await service.checkpoint(), 200));
  app.openapi(routes.joinRoute, async (c) => {
    if (!joins.allow(addressOf(c))) {
      throw new ProblemError('too-many-requests', 'Too many peers joined from this address: try again in a minute.');
    }
    return c.json(await service.join(c.req.valid('json')), 200);
  });
  app.openapi(routes.revokeRoute, async (c) =>
    c.json(await service.revoke(c.req.valid('param').hotkey, c.req.valid('json')), 200),
  );
  app.openapi(routes.chainRoute, (c) => c.json(service.chain(), 200));
  app.openapi(routes.chainRecordsRoute, async (c) =>
    c.json(await service.chainRecords(c.req.valid('param').hotkey, c.req.valid('query').limit), 200),
  );
  app.openapi(routes.peersRoute, async (c) => c.json((await service.leaderboard()).peers, 200));
  app.openapi(routes.peerRoute, async (c) => c.json(await service.peer(c.req.valid('param').hotkey), 200));
  app.openapi(routes.leaderboardRoute, async (c) => c.json(await service.leaderboard(), 200));
  app.openapi(routes.windowsRoute, async (c) => {
    const { from, limit } = c.req.valid('query');
    return c.json(await service.windows(from, limit), 200);
  });
  app.openapi(routes.bookRoute, async (c) => c.json(await service.book(c.req.valid('param').window), 200));
  app.openapi(routes.windowRoute, async (c) => c.json(await service.window(c.req.valid('param').window), 200));
  app.openapi(routes.refusalsRoute, async (c) => c.json(await service.refusals(c.req.valid('param').window), 200));
  app.openapi(routes.samplesRoute, async (c) => c.json(await service.samples(), 200));
  app.openapi(routes.ticketRoute, async (c) =>
    c.json(await service.ticket(c.req.valid('param').window, c.req.valid('json')), 200),
  );
  app.openapi(routes.uploadRoute, async (c) => {
    const length = c.req.header('content-length');
    const declared = length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
    return c.json(await service.receive(c.req.valid('param').ticket, declared, c.req.raw.body), 200);
  });
  app.openapi(routes.arrivedRoute, async (c) => c.json(await service.arrived(c.req.valid('param').ticket), 200));
  app.openapi(routes.healthRoute, (c) => c.json({ status: 'ok' as const }, 200));
  app.openapi(routes.readyRoute, (c) => {
    const why = service.unready();
    if (why !== undefined) throw new ProblemError('not-ready', why);
    return c.json({ status: 'ready' as const }, 200);
  });
}

/** The routes that do not answer JSON. */
function mountPlain(app: OpenAPIHono, { service, blobs, metrics }: HttpOptions, streams: EventStreams): void {
  const modelFiles = createModelFiles(service, blobs);
  app.get('/v1/blobs/:sha256', (c) => blobResponse(blobs, c.req.param('sha256'), c.req.raw));
  app.get('/v1/checkpoints/latest/:file', (c) => modelFiles.respond(c.req.param('file'), c.req.raw));
  app.get('/v1/events', (c) => {
    // A HEAD would leave a stream that nobody reads.
    if (c.req.method === 'HEAD')
      return new Response(null, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } });
    return streams.open();
  });
  if (metrics) {
    app.get(
      '/metrics',
      async () => new Response(await metrics.render(), { headers: { 'content-type': metrics.contentType } }),
    );
  }
  const document = openApiDocument(app);
  app.get('/openapi.json', (c) => c.json(document));
  const page = docsHtml(document);
  app.get('/docs', (c) => c.html(page, 200, { 'content-security-policy': DOCS_POLICY }));
  app.get('/docs.css', (c) => c.body(DOCS_CSS, 200, { 'content-type': 'text/css; charset=utf-8' }));
}

type Document = ReturnType<OpenAPIHono['getOpenAPI31Document']>;

function openApiDocument(app: OpenAPIHono): Document {
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Gauntlet validator',
      version: String(PROTOCOL_VERSION),
      description: 'Refusals are RFC 9457 problem documents with a stable type.',
    },
  });
  return {
    ...document,
    paths: {
      ...document.paths,
      '/v1/blobs/{sha256}': blobPath,
      '/v1/checkpoints/latest/{file}': modelFilePath,
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
