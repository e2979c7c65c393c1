/** What the emulator does beyond the suite that a real runtime runs too (chain/chain.test.ts). */
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import type { ApiOptions } from '@polkadot/api/types';
import { afterEach, describe, expect, it } from 'vitest';
import { startEmulator, type Emulator, type EmulatorOptions } from './emulator.ts';

const RECONNECT_MS = 20;

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const started = async (options?: EmulatorOptions): Promise<{ emulator: Emulator; api: ApiPromise }> => {
  const emulator = await startEmulator(options);
  const provider = new WsProvider(emulator.endpoint, RECONNECT_MS) as NonNullable<ApiOptions['provider']>;
  const api = await ApiPromise.create({ provider, noInitWarn: true });
  cleanups.push(
    () => emulator.close(),
    () => api.disconnect(),
  );
  return { emulator, api };
};

const pair = (uri: string, type: 'sr25519' | 'ed25519' | 'ecdsa' = 'sr25519') => new Keyring({ type }).addFromUri(uri);

const free = async (api: ApiPromise, address: string): Promise<bigint> => {
  const account = (await api.query.system!.account!(address)).toJSON() as { data: { free: number | string } };
  return BigInt(account.data.free);
};

const until = async (condition: () => Promise<boolean>): Promise<void> => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe('transactions', () => {
  it.each(['sr25519', 'ed25519', 'ecdsa'] as const)(
    'takes %s signatures, and none that is not the signer’s',
    async (type) => {
      const { emulator, api } = await started();
      const sender = pair('//sender', type);
      emulator.call(pair('//Alice').address, 'balances.transferKeepAlive', sender.address, 10_000_000n);
      const transfer = api.tx.balances!.transferKeepAlive!(pair('//Bob').address, 1_000_000n);
      await transfer.signAndSend(sender, { nonce: -1 });
      await until(async () => (await free(api, sender.address)) === 9_000_000n);
      const forged = await api.tx.balances!.transferKeepAlive!(sender.address, 5n).signAsync(sender, { nonce: -1 });
      const bytes = forged.toU8a();
      // The last byte is of the amount: what was signed is another call.
      bytes[bytes.length - 1]! ^= 4;
      await expect(api.rpc.author.submitExtrinsic(api.createType('Extrinsic', bytes))).rejects.toThrow('bad signature');
    },
  );

  it('refuses an old nonce, another chain’s transaction and one of an era long past', async () => {
    const { emulator, api } = await started();
    const bob = pair('//Bob');
    const remark = () => api.tx.system!.remark!('0x00');
    await remark().signAndSend(bob, { nonce: -1 });
    await until(() => Promise.resolve(emulator.head().number === 1));
    await expect(remark().signAndSend(bob, { nonce: 0 })).rejects.toThrow(
      '1010: Invalid Transaction: Transaction is outdated',
    );
    const foreign = { nonce: 1, genesisHash: `0x${'12'.repeat(32)}` };
    await expect(remark().signAndSend(bob, foreign)).rejects.toThrow('bad signature');
    const short = await remark().signAsync(bob, { nonce: 1, era: 4 });
    emulator.jump(20);
    await expect(short.send()).rejects.toThrow(/1010/);
  });

  it('keeps a transaction with a later nonce until its turn', async () => {
    const { api } = await started();
    const [alice, bob] = [pair('//Alice'), pair('//Bob')];
    const send = (amount: bigint, nonce: number) =>
      api.tx.balances!.transferKeepAlive!(bob.address, amount).signAndSend(alice, { nonce });
    const before = await free(api, bob.address);
    await send(10_000n, 1);
    expect(await free(api, bob.address)).toBe(before);
    await send(7n, 0);
    await until(async () => (await free(api, bob.address)) === before + 10_007n);
  });

  it('leaves nothing of a call that failed but the nonce', async () => {
    const { emulator, api } = await started();
    const [alice, bob] = [pair('//Alice'), pair('//Bob')];
    const call = api.tx.sudo!.sudo!(api.tx.adminUtils!.sudoSetTempo!(9, 1));
    await call.signAndSend(bob, { nonce: -1 });
    await until(async () => (await api.rpc.system.accountNextIndex(bob.address)).toNumber() === 1);
    const tempo = await api.query.subtensorModule!.tempo!(9);
    expect(tempo.toString()).toBe('99');
    expect(() => emulator.call(alice.address, 'subtensorModule.registerNetwork', alice.address)).toThrow(
      'SubtensorModule.NetworkTxRateLimitExceeded',
    );
    expect(await free(api, alice.address)).toBe(1_000_000_000_000_000n);
  });
});

describe('blocks', () => {
  it('finalises some blocks behind, and has told only the last head after a jump', async () => {
    const { emulator, api } = await started({ blocks: 'manual', finalityLag: 2 });
    const heads: number[] = [];
    const stop = await api.rpc.chain.subscribeFinalizedHeads((header) => void heads.push(header.number.toNumber()));
    emulator.newBlock();
    emulator.newBlock();
    emulator.newBlock();
    emulator.jump(10);
    await until(() => Promise.resolve(heads.includes(11)));
    stop();
    expect(heads).toEqual([0, 1, 11]);
    const final = await api.rpc.chain.getFinalizedHead();
    expect(final.toHex()).toBe((await api.rpc.chain.getBlockHash(11)).toHex());
    const header = await api.rpc.chain.getHeader(final);
    expect(header.hash.toHex()).toBe(final.toHex());
  });

  it('makes blocks by the clock until it is stalled', async () => {
    const { emulator } = await started({ blocks: { everyMs: 5 } });
    await until(() => Promise.resolve(emulator.head().number >= 2));
    emulator.stall();
    const { number } = emulator.head();
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(emulator.head().number).toBe(number);
    emulator.resume();
    await until(() => Promise.resolve(emulator.head().number > number));
  });

  it('is the same chain on the same port after a restart', async () => {
    const { emulator, api } = await started();
    emulator.set('subtensorModule.incentive', [1], [1, 2, 3]);
    const reconnected = new Promise<void>((resolve) => api.once('connected', resolve));
    await emulator.restart();
    await reconnected;
    expect((await api.query.subtensorModule!.incentive!(1)).toJSON()).toEqual([1, 2, 3]);
  });
});

describe('the epoch', () => {
  it('turns the validators’ weights, by their stake, into incentive and emission', async () => {
    const { emulator, api } = await started({ blocks: 'manual' });
    const owner = pair('//Alice').address;
    const [first, second, miner, other] = ['//v1', '//v2', '//m1', '//m2'].map((uri) => pair(uri).address);
    emulator.call(null, 'adminUtils.sudoSetNetworkRateLimit', 0);
    emulator.call(owner, 'subtensorModule.registerNetwork', first);
    emulator.call(null, 'adminUtils.sudoSetTempo', 1, 10);
    emulator.call(null, 'adminUtils.sudoSetWeightsSetRateLimit', 1, 0);
    for (const hotkey of [second, miner, other]) emulator.call(owner, 'subtensorModule.burnedRegister', 1, hotkey);
    // Three quarters of the stake, and one.
    emulator.set('subtensorModule.totalHotkeyAlpha', [first, 1], 3_000_000_000_000_000n);
    emulator.set('subtensorModule.totalHotkeyAlpha', [second, 1], 1_000_000_000_000_000n);
    emulator.jump(11);
    emulator.call(first!, 'subtensorModule.setWeights', 1, [2, 3], [1, 1], 0);
    emulator.call(second!, 'subtensorModule.setWeights', 1, [2], [1], 0);
    emulator.jump(11);
    const vector = async (item: string) => (await api.query.subtensorModule![item]!(1)).toJSON() as number[];
    // 3/4 · 1/2 + 1/4 · 1 = 5/8 for the miner that both vote for.
    expect(await vector('incentive')).toEqual([0, 0, 40959, 24575]);
    const [ownerAlpha, , minerAlpha, otherAlpha] = await vector('emission');
    expect(minerAlpha! / otherAlpha!).toBeCloseTo(5 / 3, 6);
    expect(minerAlpha! + otherAlpha!).toBeCloseTo((11 * 0.82e9) / 2, -7);
    expect(ownerAlpha!).toBeCloseTo((11 * 0.82e9 * 3) / 8, -7);
  });
});
