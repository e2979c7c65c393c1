/**
 * Real processes with real secrets at the most talkative level, through what goes well and what fails: nothing of what they
 * print or answer holds one of them.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parameterLayout } from '../core/model/layout.ts';
import type { ClockState, Ticket } from '../core/protocol/api.ts';
import type { SignedManifest } from '../core/protocol/manifest.ts';
import { createScheme } from '../core/scheme/create-scheme.ts';
import { maxContributionBytes } from '../core/wire/contribution.ts';
import { placesOf } from '../validator/adapters/places.ts';
import {
  findSharedPlaces,
  placesAt,
  startObjectStore,
  startPostgres,
  type ObjectStoreServer,
  type PostgresServer,
} from '../validator/adapters/testing/servers.ts';
import { joinRequest, testPeer, ticketRequest, writeTestRun } from '../validator/adapters/testing/test-run.ts';
import { startGauntlet, type GauntletProcess } from './testing/gauntlet-process.ts';

const available = findSharedPlaces();

const secret = (): string => randomBytes(18).toString('base64url');
const MNEMONIC = 'bottom drive obey lake curtain smoke basket hold race lonely fit walk';

/** A secret as it might be written somewhere. */
function forms(value: string | Buffer): string[] {
  const bytes = Buffer.from(value);
  // Base64 of what stands in the middle of something else begins at any of three places.
  const shifted = [0, 1, 2].map((shift) =>
    bytes.subarray(shift, shift + 3 * Math.floor((bytes.length - shift) / 3)).toString('base64'),
  );
  const texts = typeof value === 'string' ? [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)] : [];
  return [
    ...new Set([...texts, bytes.toString('hex'), bytes.toString('latin1'), ...shifted, bytes.toString('base64url')]),
  ];
}

describe.skipIf(!available)('secrets', () => {
  const passwords = { right: `${secret()}/@:%`, wrong: secret() };
  let postgres: PostgresServer;
  let store: ObjectStoreServer;
  let folder: string;
  const processes: GauntletProcess[] = [];
  beforeAll(async () => {
    [postgres, store, folder] = await Promise.all([
      startPostgres(passwords.right),
      startObjectStore(),
      mkdtemp(join(tmpdir(), 'secrets-')),
    ]);
  }, 120_000);
  afterAll(async () => {
    await Promise.all(processes.map((each) => each.kill()));
    await Promise.all([postgres.stop(), store.stop(), rm(folder, { recursive: true, force: true })]);
  }, 60_000);

  it('are in no line of a log, no error and no answer', async () => {
    const [token, wrongToken, wrongKey] = [secret(), secret(), secret()];
    const tokenFile = join(folder, 'token');
    const chainKey = join(folder, 'chain-key');
    await writeFile(tokenFile, token);
    await writeFile(chainKey, MNEMONIC, { mode: 0o600 });
    const environment = {
      ...(await placesAt('secrets', postgres, store)),
      GAUNTLET_OPERATOR_TOKEN_FILE: tokenFile,
      GAUNTLET_LOG: 'trace',
    };
    const data = join(folder, 'run');
    await writeTestRun(data, undefined, undefined, placesOf(environment));
    const start = (args: string[], change: Record<string, string> = {}): GauntletProcess => {
      const started = startGauntlet(args, { ...environment, ...change });
      processes.push(started);
      return started;
    };
    const crowdless = ['--data', data, '--peers', '0', '--attackers', '0', '--port', '0'];
    const validator = start(['start', ...crowdless]);
    const [, url] = await validator.said(/Open (http:\S+)/);
    const weights = ['chain', 'weights', '--endpoint', 'ws://127.0.0.1:9', '--netuid', '1', '--data', data];
    const failing = [
      start(['start', ...crowdless], {
        DATABASE_URL: environment.DATABASE_URL.replace(/:[^:@/]+@/, `:${passwords.wrong}@`),
      }),
      start(['start', ...crowdless], { AWS_SECRET_ACCESS_KEY: wrongKey }),
      start(['start', ...crowdless], { DATABASE_URL: `mysql://test:${passwords.wrong}@localhost/a` }),
      start([...weights, '--key-file', chainKey]),
      start([...weights, '--key-file', MNEMONIC]),
    ];
    let answers = '';
    const ask = async (path: string, init: RequestInit = {}): Promise<{ status: number; text: string }> => {
      // On a connection of its own: a busy machine may be late to notice that one was closed.
      const headers = { ...(init.headers as Record<string, string>), connection: 'close' };
      const response = await fetch(url! + path, { ...init, headers }).catch((cause: unknown) => {
        throw new Error(`no answer from a process that said ${validator.output().slice(-4_000)}`, { cause });
      });
      const text = await response.text();
      // A problem names the address that it is about, which whoever asked has.
      answers += `${JSON.stringify([...response.headers])}\n${text.replaceAll(path, '')}\n`;
      return { status: response.status, text };
    };
    const post = (path: string, body: unknown) =>
      ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

    // What goes well.
    const clock = async (): Promise<ClockState> => JSON.parse((await ask('/v1/clock')).text) as ClockState;
    const peer = testPeer('alice');
    const now = { issuedAt: new Date().toISOString(), expiresAt: new Date(Date.now() + 3_600_000).toISOString() };
    expect((await post('/v1/peers', await joinRequest((await clock()).run, peer, now))).status).toBe(200);
    const { manifest } = JSON.parse((await ask('/v1/run')).text) as SignedManifest;
    const { bodyBytes } = createScheme(manifest.scheme, parameterLayout(manifest.model));
    const bytes = new Uint8Array(maxContributionBytes(bodyBytes) - 100);
    const permits: string[] = [];
    const ticket = async (): Promise<Ticket | undefined> => {
      const state = await clock();
      const { status, text } = await post(`/v1/windows/${state.window}/contributions`, await ticketRequest(state, peer, bytes)); // prettier-ignore
      if (status !== 200) return undefined;
      const given = JSON.parse(text) as Ticket;
      permits.push(given.url.split('/').at(-1)!, new URL(given.store!.url).searchParams.get('X-Amz-Signature')!);
      // The peer is told, and nobody else.
      answers = answers.replaceAll(text, '');
      return given;
    };
    const given: Ticket[] = [];
    await expect.poll(async () => given.push(...[await ticket()].filter((one) => one !== undefined)), { timeout: 60_000 }).toBeGreaterThan(0); // prettier-ignore
    await fetch(given[0]!.store!.url, { method: 'PUT', headers: given[0]!.store!.headers, body: bytes });
    // Bytes that are no contribution, of which the peer hears in the put phase.
    expect((await post(given[0]!.url, {})).status).toBeGreaterThanOrEqual(400);

    // Strangers and operators.
    const authorised = (bearer: string) => ask('/metrics', { headers: { authorization: `Bearer ${bearer}` } });
    expect((await ask('/metrics')).status).toBe(401);
    expect((await authorised(wrongToken)).status).toBe(401);
    expect((await authorised(token)).status).toBe(200);

    // What fails: whoever has not the right secrets, while database and store are there to say so.
    expect(await Promise.all(failing.map((each) => each.exited()))).not.toContain(0);
    // The store is gone, then the database, which comes back.
    await store.kill();
    expect((await post(given[0]!.url, {})).status).toBeGreaterThanOrEqual(400);
    await ask(`/v1/blobs/${'ab'.repeat(32)}`);
    await postgres.kill();
    expect((await ask('/v1/leaderboard')).status).toBe(500);
    await post('/v1/peers', await joinRequest((await clock()).run, testPeer('bob'), now));
    await validator.said(/"level":50.*a request failed/);
    await postgres.start();
    await expect.poll(async () => (await ask('/v1/leaderboard')).status, { timeout: 30_000 }).toBe(200);
    expect(await validator.interrupt()).toBe(0);

    const outputs = [validator, ...failing].map((each) => each.output());
    expect(outputs[0]!.split('\n').filter((line) => line.startsWith('{')).length).toBeGreaterThan(5);
    expect(outputs[1]).toMatch(/^gauntlet: .*password authentication failed.*Put the right user and password/m);
    expect(outputs[2]).toMatch(/answered 403|cannot be reached/);
    expect(permits.length).toBeGreaterThanOrEqual(2);
    const secrets = {
      'the database’s password': passwords.right,
      'a wrong password': passwords.wrong,
      'the store’s secret': environment.AWS_SECRET_ACCESS_KEY,
      'a wrong secret of the store': wrongKey,
      'the operator’s token': token,
      'a wrong token': wrongToken,
      'the validator’s key': await readFile(join(data, 'validator.key')),
      'the chain key': MNEMONIC,
      ...Object.fromEntries(permits.map((permit, i) => [`permit ${i}`, permit])),
    };
    for (const [name, value] of Object.entries(secrets)) {
      for (const form of forms(value)) {
        for (const [i, text] of [...outputs, answers].entries()) expect([name, i, text.includes(form)]).toEqual([name, i, false]); // prettier-ignore
      }
    }
  }, 240_000);
});
