/** A validator behind a proxy, as it is put together: who is counted, who is let in. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createValidator, type Validator, type ValidatorOptions } from '../serve.ts';
import { createTestRun, FakeClock, joinRequest, sharedEngine, silentLog, testPeer } from './testing/test-run.ts';

const TOKEN = 'a-token-of-the-operator';

let dir: string;
let validator: Validator;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'access-'));
  await createTestRun(join(dir, 'run'));
  await writeFile(join(dir, 'token'), TOKEN);
}, 60_000);
afterEach(async () => {
  await validator.close();
  await rm(dir, { recursive: true });
});

async function open(options: Partial<ValidatorOptions>): Promise<void> {
  validator = await createValidator({
    dataDir: join(dir, 'run'),
    port: 0,
    host: '127.0.0.1',
    log: silentLog,
    clock: new FakeClock(),
    createJudgeEngine: sharedEngine,
    ...options,
  });
}
const get = async (path: string, headers: Record<string, string> = {}): Promise<number> => {
  const response = await fetch(validator.url + path, { headers });
  await response.arrayBuffer();
  return response.status;
};
const enter = async (name: string, from?: string): Promise<number> => {
  const response = await fetch(`${validator.url}/v1/peers`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(from === undefined ? {} : { 'x-forwarded-for': from }) },
    body: JSON.stringify(await joinRequest(validator.run.run, testPeer(name))),
  });
  await response.arrayBuffer();
  return response.status;
};

it('counts those whom a named proxy forwards each by themselves, and lets in whoever has the token', async () => {
  await open({
    trustedProxies: '127.0.0.1',
    operatorTokenFile: join(dir, 'token'),
    joins: { burst: 4, perMinute: 1 },
    guests: { perAddress: 2 },
  });
  const swarm = [];
  for (let i = 0; i < 5; i++) swarm.push(await enter(`swarm ${i}`, `2001:db8::${i}`));
  // Two are as many guests as one network may have, and after four it has asked often enough.
  expect(swarm).toEqual([200, 200, 429, 429, 429]);
  expect(await enter('honest', '192.0.2.1')).toBe(200);
  // The operator's own processes do not come through the proxy.
  for (let i = 0; i < 3; i++) expect(await enter(`local ${i}`)).toBe(200);
  expect(await validator.service.leaderboard()).toMatchObject({ peers: { length: 6 } });

  expect([await get('/metrics'), await get('/readyz')]).toEqual([401, 200]);
  expect(await get('/metrics', { authorization: `Bearer ${TOKEN}`, 'x-forwarded-for': '192.0.2.1' })).toBe(200);
});

it('shows figures on this machine where nothing is said, and to nobody who comes through a proxy', async () => {
  await open({});
  expect([await get('/metrics'), await get('/metrics', { 'x-forwarded-for': '192.0.2.1' })]).toEqual([200, 401]);
});

it('does not start with a token or proxies that are none', async () => {
  await writeFile(join(dir, 'short'), 'short');
  await expect(open({ operatorTokenFile: join(dir, 'short') })).rejects.toThrow(/operator’s token/);
  await expect(open({ trustedProxies: 'everybody' })).rejects.toThrow(/everybody/);
  await open({});
});
