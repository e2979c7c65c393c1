/** Keeps what the chain says of every neuron of the run's subnet, one reading an epoch. */
import { minerRanks } from '../../../chain/economics.ts';
import type { Metagraph, SubtensorChain } from '../../../chain/types.ts';
import type { Leaderboard } from '../../../core/protocol/api.ts';
import type { ChainRecord } from '../../../core/protocol/chain.ts';
import type { Log } from '../../rounds/ports.ts';
import type { RunStore } from '../../rounds/store.ts';

/** Readings kept of a hotkey: at a tempo of 360 blocks 25 days. */
const KEPT_RECORDS = 500;

export interface RecorderOptions {
  readonly chain: SubtensorChain;
  readonly netuid: number;
  readonly store: Pick<RunStore, 'addChainRecords'>;
  readonly leaderboard: () => Promise<Leaderboard>;
  readonly log: Log;
}

/** The readings of a metagraph, beside the run's own weights. */
export function recordsOf(
  metagraph: Metagraph,
  weights: ReadonlyMap<string, number>,
): { readonly hotkey: string; readonly record: ChainRecord }[] {
  const ranks = minerRanks(metagraph.neurons);
  return metagraph.neurons.map(({ uid, hotkey, incentive, emission, stake }) => ({
    hotkey,
    record: {
      block: metagraph.block.number,
      at: metagraph.at,
      uid,
      incentive,
      emission,
      stake,
      rank: ranks.get(uid) ?? null,
      alphaPrice: metagraph.subnet.alphaPrice,
      gauntletWeight: weights.get(hotkey) ?? null,
    },
  }));
}

/** Reads at once, and after each epoch. @returns stops it, and resolves when a reading that is under way has ended */
export function startRecorder({ chain, netuid, store, leaderboard, log }: RecorderOptions): () => Promise<void> {
  let dueAt = 0;
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    try {
      const metagraph = await chain.metagraph(netuid);
      const { peers } = await leaderboard();
      const weights = new Map(peers.map(({ hotkey, weight }) => [hotkey, weight]));
      await store.addChainRecords(recordsOf(metagraph, weights), KEPT_RECORDS);
      dueAt = metagraph.subnet.nextEpochAt + 1;
    } catch (error) {
      // The next head tries again.
      log.warn({ err: error }, 'the metagraph could not be recorded');
    }
  }

  const stop = chain.followHeads(({ number }) => {
    if (number < dueAt || reading) return;
    reading = read().finally(() => (reading = undefined));
  });
  return async () => {
    stop();
    await reading;
  };
}
