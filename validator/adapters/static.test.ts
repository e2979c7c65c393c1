import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mountStatic } from './static.ts';

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'static-'));
  const page = (policy: string, body: string): string =>
    `<meta charset="utf-8" /><meta http-equiv="Content-Security-Policy" content="${policy}" />${body}`;
  await writeFile(
    join(dir, 'index.html'),
    page("script-src 'self' 'sha256-app'; connect-src https:; object-src 'none'", 'the app'),
  );
  await writeFile(join(dir, 'embed.html'), page("script-src 'self' 'sha256-widget'", 'the widget'));
  await mkdir(join(dir, 'assets'));
  await writeFile(join(dir, 'assets/index-12345678.js'), 'script');
});

afterAll(() => rm(dir, { recursive: true, force: true }));

async function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  const app = new Hono();
  mountStatic(app, { dir, connectSources: ['https://other.example'] });
  return app.request(path, { headers });
}

describe('the built app', () => {
  it('is isolated and may not be framed, wherever its address leads', async () => {
    for (const path of ['/index.html', '/', '/some/page']) {
      const { headers } = await get(path, { accept: 'text/html' });
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('content-security-policy')).toContain("connect-src 'self' https://other.example");
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
      expect(headers.get('cross-origin-embedder-policy')).toBe('require-corp');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    }
  });

  it('has one page that any site may frame', async () => {
    const response = await get('/embed.html');
    expect(await response.text()).toContain('the widget');
    expect(response.headers.get('content-security-policy')).toContain('frame-ancestors *');
    expect(response.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
  });

  it('has the policy that the build wrote into each page, with this server’s hosts', async () => {
    const policyOf = async (path: string): Promise<string> =>
      (await get(path, { accept: 'text/html' })).headers.get('content-security-policy')!;
    const app = await policyOf('/run');
    expect(app).toContain(
      "script-src 'self' 'sha256-app'; object-src 'none'; connect-src 'self' https://other.example;",
    );
    expect(app).not.toContain('connect-src https:');
    expect(await policyOf('/assets/index-12345678.js')).toBe(app);
    expect(await policyOf('/embed.html')).toContain("'sha256-widget'");
  });

  it('executes nothing where the page is not one that a build made', async () => {
    const raw = await mkdtemp(join(tmpdir(), 'static-'));
    await writeFile(join(raw, 'index.html'), '<script>alert(1)</script>');
    const app = new Hono();
    mountStatic(app, { dir: raw });
    expect((await app.request('/index.html')).headers.get('content-security-policy')).toContain("default-src 'none'");
    await rm(raw, { recursive: true });
  });

  it('is not the answer to what asks for no page', async () => {
    expect((await get('/v1/nothing', { accept: 'text/html' })).status).toBe(404);
    expect((await get('/picture.png')).status).toBe(404);
  });
});
