/** A contributor in a run whose clock is a chain: production validator, the emulator of a node, real time. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startEmulator, type Emulator } from '../chain/testing/emulator/emulator.ts';
import type { ContributorEvent } from '../client/events.ts';
import { createTestRun, sharedEngine, silentLog } from '../validator/adapters/testing/test-run.ts';
import { createValidator, type Validator } from '../validator/serve.ts';
import { createCrowd, type SimulatedPeer } from './peers.ts';

const BLOCK_MS = 250;
const TRAIN_BLOCKS = 12;
const PUT_BLOCKS = 6;

let dir: string;
let emulator: Emulator;
let validator: Validator;
let peer: SimulatedPeer;
let done: Promise<void>;
let events: ContributorEvent[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gauntlet-chain-run-'));
  emulator = await startEmulator({ blocks: { everyMs: BLOCK_MS } });
  events = [];
});
afterEach(async () => {
  peer.contributor.stop();
  await done;
  await validator.close();
  await emulator.close();
  await rm(dir, { recursive: true, force: true });
});

/** @param blockSeconds as the manifest plans it */
async function start(blockSeconds: number): Promise<void> {
  const data = join(dir, 'run');
  await createTestRun(data, undefined, {
    genesisHash: emulator.genesisHash,
    endpoints: [emulator.endpoint],
    netuid: 1,
    trainBlocks: TRAIN_BLOCKS,
    putBlocks: PUT_BLOCKS,
    blockSeconds,
  });
  validator = await createValidator({
    dataDir: data,
    port: 0,
    host: '127.0.0.1',
    log: silentLog,
    createJudgeEngine: sharedEngine,
  });
  const folder = join(dir, 'peers');
  const onEvent = (_: unknown, event: ContributorEvent): void => void events.push(event);
  [peer] = (await createCrowd({ validatorUrl: validator.url, folder, honest: 1, attackers: 0, onEvent })) as [
    SimulatedPeer,
  ];
  done = peer.contributor.run();
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
const published = (windows: number): Promise<void> => until(() => validator.service.clock().window > windows);
const delivered = (window: number): boolean =>
  events.some((event) => event.type === 'receipt' && event.receipt.receipt.window === window);

test('delivers in every window although blocks come three times as fast as foretold', { timeout: 60_000 }, async () => {
  await start((3 * BLOCK_MS) / 1_000);
  await published(2);
  expect([1, 2].map(delivered)).toEqual([true, true]);
  const [first, second] = await Promise.all([1, 2].map((window) => validator.service.window(window)));
  expect([first!.participants, second!.participants]).toEqual([1, 1]);
  expect(second!.beacon.block!.number - first!.beacon.block!.number).toBeGreaterThanOrEqual(TRAIN_BLOCKS + PUT_BLOCKS);
});

test('delivers after a chain that stood still for longer than a put phase', { timeout: 60_000 }, async () => {
  await start(BLOCK_MS / 1_000);
  await until(() => validator.service.clock().blocks !== null);
  const { blocks } = validator.service.clock();
  await until(() => validator.service.clock().blocks!.head! >= blocks!.putOpens - 2);
  emulator.stall();
  await new Promise((resolve) => setTimeout(resolve, (PUT_BLOCKS + 6) * BLOCK_MS));
  expect(validator.service.clock()).toMatchObject({ window: 1, phase: 'train' });
  emulator.resume();
  await published(1);
  expect(delivered(1)).toBe(true);
});
