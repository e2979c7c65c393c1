/** Public networks by name. Importing this loads no chain library. */

export interface ChainNetwork {
  /** In the order in which they are tried. */
  readonly endpoints: readonly string[];
  /** 0x and 64 hex digits; absent where it differs from node to node. */
  readonly genesisHash?: string;
}

export const NETWORKS = {
  /** Bittensor's main network: TAO has a price there. */
  finney: {
    endpoints: ['wss://entrypoint-finney.opentensor.ai:443', 'wss://lite.chain.opentensor.ai:443'],
    genesisHash: '0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03',
  },
  /** Bittensor's test network: its TAO is worth nothing. */
  test: {
    endpoints: ['wss://test.finney.opentensor.ai:443'],
    genesisHash: '0x8f9cf856bf558a14440e75569c9e58594757048d7b3a84b5d25f6bd978263105',
  },
  /** A node of one's own on this machine. */
  local: { endpoints: ['ws://127.0.0.1:9944'] },
} as const satisfies Record<string, ChainNetwork>;
