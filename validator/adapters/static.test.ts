import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mountStatic } from './static.ts';

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'static-'));
  await writeFile(join(dir, 'index.html'), 'the app');
  await writeFile(join(dir, 'embed.html'), 'the widget');
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
      expect(headers.get('cross-origin-embedder-policy')).toBe('require-corp');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    }
  });

  it('has one page that any site may frame', async () => {
    const response = await get('/embed.html');
    expect(await response.text()).toBe('the widget');
    expect(response.headers.get('content-security-policy')).toContain('frame-ancestors *');
    expect(response.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
  });

  it('is not the answer to what asks for no page', async () => {
    expect((await get('/v1/nothing', { accept: 'text/html' })).status).toBe(404);
    expect((await get('/picture.png')).status).toBe(404);
  });
});
