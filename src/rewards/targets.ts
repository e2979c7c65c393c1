/** Which subnet of which chain is meant, by the run or by a link. */
import { BLOCK_SECONDS } from '../../chain/economics.ts';
import { NETWORKS, type ChainNetwork } from '../../chain/networks.ts';
import type { RunChain } from '../../core/protocol/manifest.ts';
import type { SubnetPlace } from './place.ts';
import type { SubnetTarget } from './use-subnet-watch.ts';

const PRESETS = new Map<string, ChainNetwork>(Object.entries(NETWORKS));

export function targetOfRun({ endpoints, netuid, genesisHash, blockSeconds }: RunChain): SubnetTarget {
  const preset = [...PRESETS].find(([, known]) => known.genesisHash === genesisHash)?.[0];
  return { network: preset ?? new URL(endpoints[0]!).host, netuid, endpoints, genesisHash, blockSeconds };
}

export function targetOfPlace({ network, netuid }: SubnetPlace): SubnetTarget {
  const preset = PRESETS.get(network);
  return {
    network: preset ? network : new URL(network).host,
    netuid,
    endpoints: preset?.endpoints ?? [network],
    genesisHash: preset?.genesisHash,
    blockSeconds: BLOCK_SECONDS,
  };
}
