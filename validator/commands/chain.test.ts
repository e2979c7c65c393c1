/** The chain's commands on the emulator, with the weights of a run that has really been judged. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startEmulatorNode, type TestNode } from '../../chain/testing/nodes.ts';
import { prepareSubnet, type TestSubnet } from '../../chain/testing/subnet.ts';
import type { WeightsPlan } from '../../chain/types.ts';
import {
  FakeClock,
  contributionOf,
  createTestRun,
  deliver,
  joinRequest,
  noiseGradient,
  openTestRun,
  sharedEngine,
  silentLog,
  testPeer,
} from '../adapters/testing/test-run.ts';
import { createValidator } from '../serve.ts';
import { chainCommitCommand, chainCommitmentsCommand } from './chain-commitments.ts';
import { chainStatusCommand } from './chain-status.ts';
import { chainWeightsCommand } from './chain-weights.ts';
import { explain } from './failures.ts';

const REGISTERED = testPeer('registered');
const STRANGER = testPeer('stranger');
/** The worst of a run gets no weight. */
const NOISE = testPeer('noise');
const CLI = fileURLToPath(new URL('../../bin/gauntlet.js', import.meta.url));

async function judgedRun(dir: string): Promise<void> {
  const clock = new FakeClock();
  await createTestRun(dir);
  const run = await openTestRun(dir, clock);
  clock.moveTo(run.rounds.clock().putOpensAt);
  for (const peer of [REGISTERED, STRANGER, NOISE]) {
    await run.rounds.join(await joinRequest(run.rounds.clock().run, peer));
    const change = peer === NOISE ? { gradient: noiseGradient('noise') } : {};
    await deliver(run, peer, await contributionOf(run, peer, change));
  }
  await run.rounds.closeWindow();
  await run.close();
}

describe('gauntlet chain', { timeout: 30_000 }, () => {
  let folder: string;
  let node: TestNode;
  let subnet: TestSubnet;
  let options: { data: string; endpoint: string[]; netuid: number };
  let keyFile: string;
  let printed: string[];
  const output = (): string => printed.join('\n');

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chain-commands-'));
    const data = join(folder, 'run');
    keyFile = join(folder, 'hotkey');
    await writeFile(keyFile, '//validator', { mode: 0o600 });
    await judgedRun(data);
    node = await startEmulatorNode();
    subnet = await prepareSubnet(node, 1);
    await subnet.send(subnet.coldkey, 'subtensorModule.burnedRegister', subnet.netuid, REGISTERED.hotkey);
    options = { data, endpoint: [node.endpoint], netuid: subnet.netuid };
  }, 60_000);
  afterAll(async () => {
    await subnet.close();
    await node.close();
    await rm(folder, { recursive: true });
  });
  beforeEach(() => {
    printed = [];
    for (const stream of ['log', 'error'] as const) {
      vi.spyOn(console, stream).mockImplementation((line: string) => void printed.push(line));
    }
  });
  afterEach(() => void vi.restoreAllMocks());

  it('status: what the chain says of the subnet', async () => {
    await chainStatusCommand(options);
    expect(output()).toMatch(/runtime 233\n.*\n.*, 3 of 256 neurons\n.* 10 blocks; the next in \d+ blocks/);
    for (const hotkey of [subnet.validator.address, REGISTERED.hotkey]) expect(output()).toContain(hotkey);
    printed = [];
    await chainStatusCommand({ ...options, json: true });
    expect(JSON.parse(output())).toMatchObject({ specVersion: 233, subnet: { netuid: subnet.netuid, tempo: 10 } });
  });

  it('weights: what would be sent, and who is left out', async () => {
    const before = await subnet.api.query.subtensorModule!.weights!(subnet.netuid, 0);
    await chainWeightsCommand({ ...options, dryRun: true, hotkey: subnet.validator.address });
    expect(output()).toMatch(new RegExp(`${REGISTERED.hotkey} .* 100\\.000 %  65535`));
    expect(output()).toMatch(new RegExp(`${STRANGER.hotkey} .*not registered`));
    const after = await subnet.api.query.subtensorModule!.weights!(subnet.netuid, 0);
    expect(after.toHex()).toBe(before.toHex());
  });

  it('weights: the same of a folder and of the validator that serves it', async () => {
    const clock = new FakeClock();
    const served = { dataDir: options.data, port: 0, host: '127.0.0.1', log: silentLog, clock };
    const validator = await createValidator({ ...served, createJudgeEngine: sharedEngine });
    const plan = { ...options, dryRun: true, json: true, hotkey: subnet.validator.address };
    try {
      await chainWeightsCommand(plan);
      await chainWeightsCommand({ ...plan, data: '/nowhere', url: validator.url });
    } finally {
      await validator.close();
    }
    expect(JSON.parse(printed[0]!)).toMatchObject({ unregistered: [STRANGER.hotkey] });
    expect(printed[1]).toBe(printed[0]);
  });

  it('weights: sent, and read back from the chain', async () => {
    await chainWeightsCommand({ ...options, keyFile, json: true });
    const plan = JSON.parse(printed[0]!) as WeightsPlan;
    expect(printed[1]).toMatch(/^set in block \d+/);
    const row = (await subnet.api.query.subtensorModule!.weights!(subnet.netuid, 0)).toJSON();
    expect(row).toEqual(plan.entries.map(({ uid, value }) => [uid, value]));
    expect(plan.entries.map(({ uid }) => uid)).toContain(2);
  });

  it('commit and commitments: a text for a hotkey', async () => {
    await chainCommitCommand({ ...options, keyFile, text: 'https://validator.example' });
    await chainCommitmentsCommand(options);
    expect(printed[1]).toMatch(`${subnet.validator.address}  block `);
    expect(printed[1]).toContain('https://validator.example');
  });

  it.each([
    ['no chain', { endpoint: undefined }, /hangs on no chain/],
    ['no subnet', { netuid: undefined }, /--netuid/],
    ['no socket', { endpoint: ['http://node'] }, /ws:\/\//],
    ['an unknown subnet', { netuid: 999 }, /999/],
    ['no run', { endpoint: undefined, data: '/nowhere' }, /holds no run/],
  ])('says in a sentence that there is %s', async (_what, change, words) => {
    const failure: unknown = await chainStatusCommand({ ...options, ...change } as typeof options).catch(
      (error: unknown) => error,
    );
    expect(explain(failure)).toMatch(words);
  });

  it('neither sends without a key nor takes one from the command line', async () => {
    await expect(chainWeightsCommand(options)).rejects.toThrow('--key-file');
    const { status, stderr } = spawnSync(
      process.execPath,
      [CLI, 'chain', 'weights', '--key-file', '//validator', '--endpoint', node.endpoint, '--netuid', '1'],
      { encoding: 'utf8' },
    );
    expect([status, stderr.trim().split('\n')]).toEqual([2, [expect.stringContaining('cannot be read')]]);
  });
});
