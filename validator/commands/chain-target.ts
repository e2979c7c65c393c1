/** Which subnet of which chain a command means, and the connection to it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NETWORKS, type ChainNetwork } from '../../chain/networks.ts';
import type { SubtensorChain } from '../../chain/types.ts';
import { verifyManifest } from '../../core/identity/manifest.ts';
import type { LeaderboardEntry } from '../../core/protocol/api.ts';
import { ChainEndpointSchema, type SignedManifest } from '../../core/protocol/manifest.ts';
import { placesOf } from '../adapters/places.ts';
import { readRunFolder } from '../adapters/run-folder.ts';
import { createAuditSource } from '../audit/source.ts';
import { UsageError } from './usage-error.ts';

export interface ChainOptions {
  /** A preset's name. */
  readonly chain?: string;
  /** WebSockets of nodes, in place of a preset's. */
  readonly endpoint?: readonly string[];
  readonly netuid?: number;
  /** A validator, whose run names a subnet. */
  readonly url?: string;
  /** A run's folder, which names one too. */
  readonly data: string;
}

export interface ChainTarget {
  readonly endpoints: readonly string[];
  /** Undefined where whatever the endpoint serves is meant. */
  readonly genesisHash: string | undefined;
  readonly netuid: number;
}

export interface RunWeights {
  readonly signed: SignedManifest;
  readonly peers: readonly Pick<LeaderboardEntry, 'hotkey' | 'weight'>[];
}

/** The run of a folder, while a validator runs on it or not, with its newest weights. */
async function weightsOfFolder(data: string): Promise<RunWeights> {
  const places = placesOf(process.env);
  if (places.database === undefined && !existsSync(join(data, 'run.sqlite')))
    throw new UsageError(`${data} holds no run; name one with --data or --url`);
  const folder = await readRunFolder(data, places);
  try {
    const signed = await folder.store.run();
    if (!signed) throw new UsageError(`${data} holds no run; name one with --data or --url`);
    const peers = await folder.store.peers();
    return { signed, peers: peers.map(({ hotkey, figures }) => ({ hotkey, weight: figures.weight })) };
  } finally {
    await folder.close();
  }
}

async function weightsOfValidator(url: string): Promise<RunWeights> {
  const source = createAuditSource(url);
  const signed = await source.run();
  verifyManifest(signed);
  return { signed, peers: (await source.leaderboard()).peers };
}

export function runWeights({ url, data }: Pick<ChainOptions, 'url' | 'data'>): Promise<RunWeights> {
  return url === undefined ? weightsOfFolder(data) : weightsOfValidator(url);
}

/** What the options say; a run is asked only for what they leave open. @throws UsageError */
export async function chainTarget(options: ChainOptions, run = () => runWeights(options)): Promise<ChainTarget> {
  const { chain, endpoint, netuid } = options;
  if (chain === undefined && endpoint === undefined) {
    const { signed } = await run();
    const named = signed.manifest.chain;
    if (!named) {
      const how = `--chain ${Object.keys(NETWORKS).join('|')} or --endpoint, and --netuid`;
      throw new UsageError(
        `run ${signed.run} hangs on no chain, so its weights are its own; name a subnet with ${how}`,
      );
    }
    return { endpoints: named.endpoints, genesisHash: named.genesisHash, netuid: netuid ?? named.netuid };
  }
  if (netuid === undefined) throw new UsageError('which subnet is meant? Name it with --netuid');
  const malformed = endpoint?.find((url) => !ChainEndpointSchema.safeParse(url).success);
  if (malformed !== undefined) throw new UsageError(`${malformed} is no endpoint; a ws:// or wss:// URL is wanted`);
  const preset = Object.entries<ChainNetwork>(NETWORKS).find(([name]) => name === chain)?.[1];
  if (chain !== undefined && !preset) {
    throw new UsageError(`there is no chain ${chain}; known are ${Object.keys(NETWORKS).join(', ')}`);
  }
  return { endpoints: endpoint ?? preset!.endpoints, genesisHash: preset?.genesisHash, netuid };
}

/** @throws ChainError */
export async function openChain({
  endpoints,
  genesisHash,
}: Pick<ChainTarget, 'endpoints' | 'genesisHash'>): Promise<SubtensorChain> {
  // The library takes half a second to load, which no other command should wait.
  const { connectChain } = await import('../../chain/connect.ts');
  return connectChain({ endpoints, ...(genesisHash === undefined ? {} : { genesisHash }) });
}

/** Connects for the time of `use`. @throws ChainError */
export async function withChain<T>(target: ChainTarget, use: (chain: SubtensorChain) => Promise<T>): Promise<T> {
  const chain = await openChain(target);
  try {
    return await use(chain);
  } finally {
    await chain.close();
  }
}
