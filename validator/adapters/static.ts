/** Serves the built app: isolated, so that WASM threads work, and with nothing from elsewhere. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { serveStatic } from '@hono/node-server/serve-static';
import type { Env, Hono, MiddlewareHandler } from 'hono';

export interface StaticOptions {
  /** The folder that `vite build` wrote. */
  readonly dir: string;
  /** What the page may connect to besides its own origin: other validators, a blob store. */
  readonly connectSources?: readonly string[];
}

const APP = 'index.html';
const WIDGET = 'embed.html';

/** What the build wrote into its pages (vite.policy.ts). */
const POLICY = /<meta http-equiv="Content-Security-Policy" content="(?<policy>[^"]+)"/;
/** For a page that no build has sealed: it may show itself, and execute nothing. */
const NO_POLICY = "default-src 'none'";

/** Files that Vite names by their content never change. */
const isHashed = (path: string): boolean => /\/assets\//.test(path);

const isWidget = (path: string): boolean => path.endsWith(`/${WIDGET}`);

/** The page's own policy as a header, with this server's hosts in place of the build's. */
async function policyOf(page: string, connectSources: readonly string[]): Promise<string> {
  const html = await readFile(page, 'utf8').catch(() => '');
  const policy = POLICY.exec(html)?.groups?.['policy'] ?? NO_POLICY;
  const kept = policy.split('; ').filter((directive) => !directive.startsWith('connect-src '));
  return [...kept, ['connect-src', "'self'", ...connectSources].join(' ')].join('; ');
}

/** The widget for other sites is the one page that may be framed, and by isolated pages too. */
function setHeaders(headers: Headers, path: string, policy: string): void {
  const widget = isWidget(path);
  headers.set('content-security-policy', `${policy}; frame-ancestors ${widget ? '*' : "'none'"}`);
  headers.set('cross-origin-opener-policy', 'same-origin');
  headers.set('cross-origin-embedder-policy', 'require-corp');
  headers.set('cross-origin-resource-policy', widget ? 'cross-origin' : 'same-origin');
  // A script without a known hash is not executed, however it comes into the page.
  headers.set('integrity-policy', 'blocked-destinations=(script)');
  headers.set('cache-control', isHashed(path) ? 'public, max-age=31536000, immutable' : 'no-cache');
}

/** Answers what no route before has answered; a page's path that is no file gets the app, which has its own routes. */
export function mountStatic(app: Hono<Env>, { dir, connectSources = [] }: StaticOptions): void {
  const root = resolve(dir);
  const withHeaders =
    (serve: MiddlewareHandler<Env>, path?: string): MiddlewareHandler<Env> =>
    async (c, next) => {
      const response = await serve(c, next);
      // On the answer itself: what its `onFound` sets comes after the answer was made.
      if (response instanceof Response) {
        const served = path ?? c.req.path;
        // Each time: a build replaces its pages under a running server, and the policy goes with the page.
        const policy = await policyOf(join(root, isWidget(served) ? WIDGET : APP), connectSources);
        setHeaders(response.headers, served, policy);
      }
      return response;
    };
  // The build leaves a .gz beside each large file: the runtimes are tens of megabytes.
  app.get('/*', withHeaders(serveStatic({ root, precompressed: true })));
  const page = withHeaders(serveStatic({ root, path: APP, precompressed: true }), `/${APP}`);
  app.get('/*', async (c, next) => {
    const { path } = c.req;
    const isPage =
      (c.req.header('accept') ?? '').includes('text/html') && !path.startsWith('/v1/') && !path.includes('.');
    return isPage ? page(c, next) : next();
  });
}
