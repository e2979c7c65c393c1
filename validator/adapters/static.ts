/** Serves the built app: isolated, so that WASM threads work, and with nothing from elsewhere. */
import { resolve } from 'node:path';
import { serveStatic } from '@hono/node-server/serve-static';
import type { Env, Hono, MiddlewareHandler } from 'hono';

const PAGE_POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self' blob:",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
];

export interface StaticOptions {
  /** The folder that `vite build` wrote. */
  readonly dir: string;
  /** What the page may connect to besides its own origin: other validators, a blob store. */
  readonly connectSources?: readonly string[];
}

/** The widget for other sites: the one page that may be framed, and by isolated pages too. */
const isWidget = (path: string): boolean => /\/embed\.html$/.test(path);

/** Files that Vite names by their content never change. */
const isHashed = (path: string): boolean => /\/assets\//.test(path);

function setHeaders(headers: Headers, path: string, policy: string): void {
  const widget = isWidget(path);
  headers.set('content-security-policy', `${policy}; frame-ancestors ${widget ? '*' : "'none'"}`);
  headers.set('cross-origin-opener-policy', 'same-origin');
  headers.set('cross-origin-embedder-policy', 'require-corp');
  headers.set('cross-origin-resource-policy', widget ? 'cross-origin' : 'same-origin');
  headers.set('cache-control', isHashed(path) ? 'public, max-age=31536000, immutable' : 'no-cache');
}

/** Answers what no route before has answered; a page's path that is no file gets the app, which has its own routes. */
export function mountStatic(app: Hono<Env>, { dir, connectSources = [] }: StaticOptions): void {
  const root = resolve(dir);
  const policy = [...PAGE_POLICY, ['connect-src', "'self'", ...connectSources].join(' ')].join('; ');
  const withHeaders =
    (serve: MiddlewareHandler<Env>, path?: string): MiddlewareHandler<Env> =>
    async (c, next) => {
      const response = await serve(c, next);
      // On the answer itself: what its `onFound` sets comes after the answer was made.
      if (response instanceof Response) setHeaders(response.headers, path ?? c.req.path, policy);
      return response;
    };
  // The build leaves a .gz beside each large file: the runtimes are tens of megabytes.
  app.get('/*', withHeaders(serveStatic({ root, precompressed: true })));
  const page = withHeaders(serveStatic({ root, path: 'index.html' }), '/index.html');
  app.get('/*', async (c, next) => {
    const { path } = c.req;
    const isPage =
      (c.req.header('accept') ?? '').includes('text/html') && !path.startsWith('/v1/') && !path.includes('.');
    return isPage ? page(c, next) : next();
  });
}
