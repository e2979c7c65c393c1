/** Serves the built app: isolated, so that WASM threads work, and with nothing from elsewhere. */
import { resolve } from 'node:path';
import { serveStatic } from '@hono/node-server/serve-static';
import type { Context, Env, Hono } from 'hono';

const PAGE_POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self' blob:",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
];

export interface StaticOptions {
  /** The folder that `vite build` wrote. */
  readonly dir: string;
  /** What the page may connect to besides its own origin: other validators, a blob store. */
  readonly connectSources?: readonly string[];
}

/** Files that Vite names by their content never change. */
const isHashed = (path: string): boolean => /[/\\]assets[/\\]/.test(path);

/** Answers what no route before has answered; a page's path that is no file gets the app, which has its own routes. */
export function mountStatic(app: Hono<Env>, { dir, connectSources = [] }: StaticOptions): void {
  const root = resolve(dir);
  const policy = [...PAGE_POLICY, ['connect-src', "'self'", ...connectSources].join(' ')].join('; ');
  const setHeaders = (path: string, c: Context): void => {
    c.header('content-security-policy', policy);
    c.header('cross-origin-opener-policy', 'same-origin');
    c.header('cross-origin-embedder-policy', 'require-corp');
    c.header('cross-origin-resource-policy', 'same-origin');
    c.header('cache-control', isHashed(path) ? 'public, max-age=31536000, immutable' : 'no-cache');
  };
  // The build leaves a .gz beside each large file: the runtimes are tens of megabytes.
  app.get('/*', serveStatic({ root, onFound: setHeaders, precompressed: true }));
  const page = serveStatic({ root, path: 'index.html', onFound: setHeaders });
  app.get('/*', async (c, next) => {
    const { path } = c.req;
    const isPage =
      (c.req.header('accept') ?? '').includes('text/html') && !path.startsWith('/v1/') && !path.includes('.');
    return isPage ? page(c, next) : next();
  });
}
