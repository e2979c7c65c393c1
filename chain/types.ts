/**
 * What this project asks of a Bittensor chain, in its own words. Types only: importing them loads no chain library.
 * Runtimes differ, so whatever one may lack is null, and `missing` names it.
 */

/** A block by number and hash (0x and 64 hex digits). */
export interface BlockHead {
  readonly number: number;
  readonly hash: string;
}

export interface Registration {
  readonly uid: number;
  /** Block of registration; null where the runtime does not say. */
  readonly registeredAt: number | null;
}

/** One neuron of a subnet. Shares are of 1; amounts are in alpha (TAO before subnets had their own token). */
export interface Neuron {
  readonly uid: number;
  readonly hotkey: string;
  readonly coldkey: string | null;
  readonly active: boolean;
  readonly validatorPermit: boolean;
  /** Alpha staked to the hotkey on this subnet; null where the runtime does not say. */
  readonly stake: number | null;
  /** What consensus weighs it by, relative to the subnet's largest: 0 … 1. */
  readonly stakeWeight: number | null;
  readonly incentive: number;
  readonly dividends: number;
  readonly consensus: number | null;
  readonly validatorTrust: number | null;
  /** Alpha of the last epoch, incentive and dividends together. */
  readonly emission: number;
  /** Block of its last weights. */
  readonly lastUpdate: number | null;
  readonly registeredAt: number | null;
}

export interface Subnet {
  readonly netuid: number;
  readonly neurons: number;
  readonly maxNeurons: number | null;
  /** Blocks of an epoch. */
  readonly tempo: number;
  /** The block at which the next epoch runs, as far as known now. */
  readonly nextEpochAt: number;
  /** Blocks after its registration in which a neuron is not replaced. */
  readonly immunityPeriod: number | null;
  /** TAO that a registration burns now. */
  readonly burn: number | null;
  readonly registrationAllowed: boolean | null;
  /** TAO for an alpha, before slippage. */
  readonly alphaPrice: number | null;
  /** Weights have to be committed, and are revealed later. */
  readonly commitReveal: boolean;
  /** Epochs after which committed weights are revealed. */
  readonly revealPeriodEpochs: number | null;
  /** Blocks between two settings of weights by one validator. */
  readonly weightsRateLimit: number | null;
  readonly minAllowedWeights: number | null;
  /** Largest share one uid may get, of 1. */
  readonly maxWeight: number | null;
  readonly weightsVersion: number | null;
}

export interface Metagraph {
  /** Everything is read at this finalised block. */
  readonly block: BlockHead;
  /** When that block was made, ISO 8601. */
  readonly at: string;
  readonly specVersion: number;
  readonly subnet: Subnet;
  /** In the order of their uids. */
  readonly neurons: readonly Neuron[];
  /** What this runtime does not say, by its storage name. */
  readonly missing: readonly string[];
}

/** The weights of one validator: shares of 1 by uid. */
export interface WeightRow {
  readonly validatorUid: number;
  readonly weights: readonly { readonly uid: number; readonly share: number }[];
}

/** What a hotkey has published on the chain, as text: a validator's URL, or a bucket. */
export interface Commitment {
  readonly hotkey: string;
  readonly text: string;
  readonly block: number;
}

export type ChainStatus =
  | { readonly kind: 'connecting'; readonly endpoint: string }
  | { readonly kind: 'connected'; readonly endpoint: string; readonly specVersion: number }
  /** Cut off; another endpoint, or this one again, is tried. */
  | { readonly kind: 'disconnected'; readonly endpoint: string; readonly reason: string };

/** What happened to a transaction that a block has finalised. */
export interface Inclusion {
  readonly block: BlockHead;
  readonly extrinsicHash: string;
}

/** How weights reach this chain, and what stands in the way. */
export interface WeightsPlan {
  /** `commit` where commit-reveal is on. */
  readonly method: 'set' | 'commit';
  /** The validator's own uid. */
  readonly validatorUid: number;
  /** u16 weights that will be sent, by ascending uid. */
  readonly entries: readonly { readonly uid: number; readonly hotkey: string; readonly value: number }[];
  /** Hotkeys with weight that are not registered: theirs is left out. */
  readonly unregistered: readonly string[];
  /** The block from which the rate limit allows it; not later than the present block when it may be now. */
  readonly allowedFrom: number;
  /** Reasons in words why the chain would refuse it now; empty when it would not. */
  readonly obstacles: readonly string[];
}

/** A chain as the rest of this project sees it. All of it is read at finalised blocks. */
export interface SubtensorChain {
  readonly genesisHash: string;
  status(): ChainStatus;
  onStatus(listener: (status: ChainStatus) => void): () => void;
  /** The newest finalised block. @throws ChainError */
  head(): Promise<BlockHead>;
  /**
   * Each finalised head that becomes known, ascending; after a gap (a cut connection, a slow node) only the newest.
   * Survives reconnects and other endpoints. @returns stops it
   */
  followHeads(listener: (head: BlockHead) => void): () => void;
  /** @throws ChainError when the chain has no such finalised block, or is out of reach */
  blockHash(number: number): Promise<string>;
  /** Null for a hotkey that is not registered on the subnet. */
  registration(netuid: number, hotkey: string): Promise<Registration | null>;
  /** The coldkey that owns a hotkey, null when the chain does not know the hotkey. */
  ownerOf(hotkey: string): Promise<string | null>;
  /** Hotkeys that a coldkey owns. */
  hotkeysOf(coldkey: string): Promise<readonly string[]>;
  /** @throws ChainError `no-such-subnet` */
  metagraph(netuid: number): Promise<Metagraph>;
  /** Of every validator that has set any, by uid; those committed and not yet revealed are not in it. */
  weights(netuid: number): Promise<readonly WeightRow[]>;
  commitment(netuid: number, hotkey: string): Promise<Commitment | null>;
  commitments(netuid: number): Promise<readonly Commitment[]>;
  /** Publishes a text of at most 128 bytes for the signer's hotkey; resolves when it is finalised. */
  commit(netuid: number, text: string, signer: ChainSigner): Promise<Inclusion>;
  /** What setting these weights would do. @param weights shares by hotkey, not negative @param hotkey the validator's */
  planWeights(netuid: number, hotkey: string, weights: ReadonlyMap<string, number>): Promise<WeightsPlan>;
  /** Sends a plan; resolves when it is finalised. @throws ChainError with the chain's reason in words */
  sendWeights(netuid: number, plan: WeightsPlan, signer: ChainSigner): Promise<Inclusion>;
  close(): Promise<void>;
}

/** Signs transactions for one account: a key on a server, or a wallet in a tab. */
export interface ChainSigner {
  readonly address: string;
  /** An `@polkadot/keyring` pair, or the `signer` of an injected wallet; handed to the chain library as it is. */
  readonly account: unknown;
  readonly kind: 'pair' | 'injected';
}
