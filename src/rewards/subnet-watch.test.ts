import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChainError } from '../../chain/errors.ts';
import type { BlockHead, ChainStatus, Metagraph, SubtensorChain } from '../../chain/types.ts';
import { READ_EVERY_MS, watchSubnet } from './subnet-watch.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A chain whose blocks, connection and answers the test decides; what it reads is compared with what was asked. */
function scriptedChain() {
  const heads = new Set<(head: BlockHead) => void>();
  const statuses = new Set<(status: ChainStatus) => void>();
  const connected: ChainStatus = { kind: 'connected', endpoint: 'ws://a', specVersion: 1 };
  const control = {
    block: 100,
    lastUpdate: 50,
    asked: { metagraph: 0, weights: 0 },
    closed: 0,
    listeners: () => heads.size + statuses.size,
    /** Replaces the answer to the next request for figures. */
    answer: undefined as (() => Promise<Metagraph>) | undefined,
    newBlock() {
      this.block++;
      for (const each of heads) each({ number: this.block, hash: '0x' });
    },
    status: (status: ChainStatus) => {
      for (const each of statuses) each(status);
    },
  };
  const chain: Partial<SubtensorChain> = {
    status: () => connected,
    onStatus(listener) {
      statuses.add(listener);
      return () => statuses.delete(listener);
    },
    followHeads(listener) {
      heads.add(listener);
      return () => heads.delete(listener);
    },
    metagraph() {
      control.asked.metagraph++;
      const { answer } = control;
      control.answer = undefined;
      return answer?.() ?? Promise.resolve(figures(control.block, control.lastUpdate));
    },
    weights() {
      control.asked.weights++;
      return Promise.resolve([]);
    },
    close() {
      control.closed++;
      return Promise.resolve();
    },
  };
  return { chain: chain as SubtensorChain, control, connected };
}

function figures(block: number, lastUpdate: number): Metagraph {
  const neuron = { uid: 0, hotkey: 'h', incentive: block / 1_000, emission: 1, validatorPermit: false, lastUpdate };
  const partial = { block: { number: block, hash: '0x' }, at: '', subnet: { nextEpochAt: 360 }, neurons: [neuron] };
  return partial as unknown as Metagraph;
}

const settle = () => vi.advanceTimersByTimeAsync(0);

describe('watching a subnet', () => {
  it('reads at once, then on new blocks, but not more often than it may', async () => {
    const { chain, control } = scriptedChain();
    const watch = watchSubnet(3, () => Promise.resolve(chain));
    await settle();
    expect(watch.store.getState().metagraph?.block.number).toBe(100);
    for (let i = 0; i < 50; i++) control.newBlock();
    await vi.advanceTimersByTimeAsync(READ_EVERY_MS - 1);
    expect(control.asked.metagraph).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(control.asked.metagraph).toBe(2);
    expect(watch.store.getState().samples.map(({ block, neurons }) => [block, neurons.get('h')?.incentive])).toEqual([
      [100, 0.1],
      [150, 0.15],
    ]);
    await vi.advanceTimersByTimeAsync(10 * READ_EVERY_MS);
    expect(control.asked.metagraph).toBe(2);
    watch.stop();
  });

  it('asks for weights only when some may have changed', async () => {
    const { chain, control } = scriptedChain();
    const watch = watchSubnet(3, () => Promise.resolve(chain));
    await settle();
    control.newBlock();
    await vi.advanceTimersByTimeAsync(READ_EVERY_MS);
    expect(control.asked).toEqual({ metagraph: 2, weights: 1 });
    control.lastUpdate = 101;
    control.newBlock();
    await vi.advanceTimersByTimeAsync(READ_EVERY_MS);
    expect(control.asked).toEqual({ metagraph: 3, weights: 2 });
    watch.stop();
  });

  it('says that it is cut off and keeps the figures, and reads anew when it is back', async () => {
    const { chain, control, connected } = scriptedChain();
    const watch = watchSubnet(3, () => Promise.resolve(chain));
    await settle();
    // The line breaks while an answer is awaited: that answer never comes.
    control.answer = () => new Promise(() => undefined);
    control.newBlock();
    await vi.advanceTimersByTimeAsync(READ_EVERY_MS);
    control.status({ kind: 'disconnected', endpoint: 'ws://a', reason: 'gone' });
    expect(watch.store.getState()).toMatchObject({
      connection: { kind: 'disconnected', reason: 'gone' },
      metagraph: { block: { number: 100 } },
    });
    control.status(connected);
    await settle();
    expect(watch.store.getState().metagraph?.block.number).toBe(101);
    watch.stop();
  });

  it('keeps the last figures beside the reason why there are no newer ones', async () => {
    const { chain, control } = scriptedChain();
    const watch = watchSubnet(3, () => Promise.resolve(chain));
    await settle();
    control.answer = () => Promise.reject(new ChainError('unreachable', 'No answer in time.', 'Wait.'));
    control.newBlock();
    await vi.advanceTimersByTimeAsync(READ_EVERY_MS);
    expect(watch.store.getState()).toMatchObject({
      failure: { message: 'No answer in time.' },
      metagraph: { block: { number: 100 } },
    });
    control.newBlock();
    await vi.advanceTimersByTimeAsync(READ_EVERY_MS);
    expect(watch.store.getState().failure).toBeUndefined();
    watch.stop();
  });

  it('tries again to connect, and says why it could not', async () => {
    const { chain } = scriptedChain();
    let attempts = 0;
    const watch = watchSubnet(3, () => {
      attempts++;
      if (attempts < 3) return Promise.reject(new ChainError('unreachable', 'Nobody answers.', 'Wait.'));
      return Promise.resolve(chain);
    });
    await settle();
    expect(watch.store.getState()).toMatchObject({
      connection: { kind: 'loading' },
      failure: { message: 'Nobody answers.' },
    });
    await vi.advanceTimersByTimeAsync(7_000);
    expect(attempts).toBe(3);
    expect(watch.store.getState()).toMatchObject({ connection: { kind: 'connected' }, failure: undefined });
    watch.stop();
  });

  it('leaves nothing behind', async () => {
    const { chain, control } = scriptedChain();
    const watch = watchSubnet(3, () => Promise.resolve(chain));
    await settle();
    control.newBlock();
    watch.stop();
    expect(control.closed).toBe(1);
    expect(control.listeners()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);

    // Left while it was still connecting.
    const late = watchSubnet(3, () => new Promise((resolve) => setTimeout(() => resolve(chain), 1_000)));
    late.stop();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(control.closed).toBe(2);
    expect(control.listeners()).toBe(0);
  });
});
