/** Who is calling and who is the operator, on a real socket. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Hono } from 'hono';
import { afterEach, describe, expect, it } from 'vitest';
import type { Caller } from '../http/caller.ts';
import { createCallers, createOperatorCheck, parseNetworks, readToken } from './callers.ts';
import { listen, type RunningServer } from './node-server.ts';

let server: RunningServer | undefined;
afterEach(() => server?.close());

interface Asked extends Caller {
  readonly operator: boolean;
}

async function serve(proxies: string, token?: string, host = '127.0.0.1'): Promise<void> {
  const networks = parseNetworks(proxies);
  const callerOf = createCallers(networks);
  const isOperator = createOperatorCheck(callerOf, { token, proxied: networks.length > 0 });
  const app = new Hono();
  app.get('/', (c) => c.json({ ...callerOf(c), operator: isOperator(c) }));
  server = await listen(app, { port: 0, host });
}

/** With any header: `fetch` sets some of them itself. */
const ask = (headers: Record<string, string | string[]> = {}): Promise<Asked> =>
  new Promise((resolve, reject) => {
    request(server!.url, { headers, agent: false }, (response) => {
      let text = '';
      response.on('data', (part: Buffer) => (text += part.toString()));
      response.on('end', () => resolve(JSON.parse(text) as Asked));
    })
      .on('error', reject)
      .end();
  });

describe('callers', () => {
  it('are who the socket says, whatever a stranger writes', async () => {
    await serve('10.0.0.0/8');
    const forged = { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9', 'x-real-ip': '203.0.113.9' };
    expect(await ask(forged)).toMatchObject({ address: '127.0.0.1', local: false });
  });

  it.each([
    ['the only hop', '203.0.113.9', '203.0.113.9'],
    ['the rightmost that is no proxy of ours', '198.51.100.1, 203.0.113.9', '203.0.113.9'],
    ['one before several of ours', '198.51.100.1, 203.0.113.9, 10.1.2.3,10.9.9.9', '203.0.113.9'],
    ['the proxy, when what it says is no address', '203.0.113.9, unknown', '127.0.0.1'],
    ['the proxy, when it says nothing', '', '127.0.0.1'],
    ['the first of ours, when nobody else is there', '10.1.2.3', '10.1.2.3'],
    ['none with a port or a name', '203.0.113.9:80', '127.0.0.1'],
    ['none in another notation', '0x7f.1', '127.0.0.1'],
    ['an IPv4 address in IPv6', '::ffff:203.0.113.9', '203.0.113.9'],
    ['an IPv6 network of 64 bits', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['the same of another address in it', '2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['an address with a zone', 'fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('behind proxies are %s', async (_, header, address) => {
    await serve('127.0.0.1, ::1, 10.0.0.0/8');
    expect(await ask({ 'x-forwarded-for': header })).toMatchObject({ address, local: false });
  });

  it('of several headers are in one row, and the last is next to us', async () => {
    await serve('127.0.0.1');
    expect(await ask({ 'x-forwarded-for': ['203.0.113.1', '203.0.113.2'] })).toMatchObject({ address: '203.0.113.2' });
  });

  it('whatever the header, are an address, and soon', async () => {
    await serve('127.0.0.1');
    const hop = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.constantFrom('127.0.0.1', '::', '%', '1'.repeat(4_000)));
    await fc.assert(
      fc.asyncProperty(fc.array(hop, { maxLength: 30 }), async (hops) => {
        const header = hops.join(',').replaceAll(/[^\x20-\x7e]/g, '');
        const { address } = await ask({ 'x-forwarded-for': header });
        expect(address).toMatch(/^(\d+\.\d+\.\d+\.\d+|[0-9a-f:]+::\/64)$/);
      }),
      { numRuns: 60 },
    );
  });

  it('a list of proxies that is none is refused', () => {
    for (const text of ['10.0.0.0/33', 'proxy.example', '10.0.0.0/8;10.0.0.1', '::1/129', '/8']) {
      expect(() => parseNetworks(text)).toThrow(/is no address and no network/);
    }
    expect(parseNetworks('')).toEqual([]);
  });
});

describe('the operator', () => {
  it('is on this machine, and is no proxy and no page of another site', async () => {
    await serve('');
    expect(await ask()).toMatchObject({ local: true, operator: true });
    expect(await ask({ 'sec-fetch-site': 'same-origin' })).toMatchObject({ operator: true });
    for (const headers of [
      { 'x-forwarded-for': '127.0.0.1' },
      { forwarded: 'for=127.0.0.1' },
      { via: '1.1 proxy' },
      { 'x-real-ip': '127.0.0.1' },
      { 'x-forwarded-proto': 'https' },
      { host: 'evil.example' },
      { host: 'localhost.evil.example' },
      { host: '127.0.0.1.evil.example:80' },
    ]) {
      expect([headers, await ask(headers)]).toMatchObject([headers, { local: false, operator: false }]);
    }
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { origin: 'null' }]) {
      expect([headers, await ask(headers as Record<string, string>)]).toMatchObject([headers, { operator: false }]);
    }
  });

  it('is nobody on this machine where proxies are named: all that they forward comes from there', async () => {
    await serve('127.0.0.1');
    expect(await ask()).toMatchObject({ local: true, operator: false });
  });

  it('has the token where there is one, from anywhere, and nobody else does', async () => {
    const token = 'a token of sixteen or more'.replaceAll(' ', '-');
    await serve('127.0.0.1', token);
    expect(await ask({ authorization: `Bearer ${token}`, 'x-forwarded-for': '203.0.113.9' })).toMatchObject({
      operator: true,
    });
    for (const authorization of [`Bearer ${token}x`, `Bearer ${token.slice(1)}`, `Basic ${token}`, token, 'Bearer ']) {
      expect([authorization, await ask({ authorization })]).toMatchObject([authorization, { operator: false }]);
    }
    await server!.close();
    await serve('', token);
    expect(await ask()).toMatchObject({ local: true, operator: false });
  });

  it('has a token that is worth the name', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'token-'));
    try {
      const path = join(dir, 'token');
      await writeFile(path, `${'s'.repeat(16)}\n`);
      expect(await readToken(path)).toBe('s'.repeat(16));
      for (const text of ['', 'short', `${'s'.repeat(20)}\n${'s'.repeat(20)}`, `${'s'.repeat(20)} x`]) {
        await writeFile(path, text);
        await expect(readToken(path)).rejects.toThrow(/operator’s token is one line/);
      }
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
