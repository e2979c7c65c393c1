/** The subnet that a new run hangs on. */
import type { RunChain, RunManifest } from '../../core/protocol/manifest.ts';
import { chainTarget, withChain, type ChainOptions } from './chain-target.ts';
import { UsageError } from './usage-error.ts';

export interface NewChainOptions extends Omit<ChainOptions, 'url'> {
  readonly trainBlocks?: number;
  readonly putBlocks?: number;
  /** Planned time between blocks. */
  readonly blockSeconds?: number;
}

/** Bittensor's. */
const BLOCK_SECONDS = 12;

/**
 * Asks a node which chain it serves and whether the subnet is there.
 *
 * @param window planned lengths of the phases, where blocks are not named
 * @returns undefined for a run of its own
 * @throws UsageError, ChainError
 */
export async function chainOfNewRun(
  options: NewChainOptions,
  window: RunManifest['window'],
): Promise<RunChain | undefined> {
  const { chain, endpoint, netuid, trainBlocks, putBlocks, blockSeconds = BLOCK_SECONDS } = options;
  if (chain === undefined && endpoint === undefined) {
    if ([netuid, trainBlocks, putBlocks, options.blockSeconds].every((option) => option === undefined))
      return undefined;
    throw new UsageError('a subnet belongs to a chain; name it with --chain or --endpoint');
  }
  const target = await chainTarget(options);
  const inBlocks = (seconds: number): number => Math.max(1, Math.round(seconds / blockSeconds));
  return withChain(target, async (connection) => {
    await connection.metagraph(target.netuid);
    return {
      genesisHash: connection.genesisHash,
      endpoints: [...target.endpoints],
      netuid: target.netuid,
      trainBlocks: trainBlocks ?? inBlocks(window.trainSeconds),
      putBlocks: putBlocks ?? inBlocks(window.putSeconds),
      blockSeconds,
    };
  });
}
