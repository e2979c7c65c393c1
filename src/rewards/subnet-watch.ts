/** Follows one subnet until it is left: the connection, its newest figures, and what they were since. */
import { createStore, type StoreApi } from 'zustand/vanilla';
import { minerRanks } from '../../chain/economics.ts';
import type { ChainStatus, Metagraph, SubtensorChain, WeightRow } from '../../chain/types.ts';

/** The figures of a neuron that are worth a curve. */
export interface Sample {
  readonly block: number;
  readonly at: string;
  readonly alphaPrice: number | null;
  /** By hotkey: a uid changes hands. */
  readonly neurons: ReadonlyMap<string, NeuronSample>;
}

export interface NeuronSample {
  readonly uid: number;
  readonly incentive: number;
  readonly emission: number;
  readonly rank: number | null;
}

export type ConnectionState = ChainStatus | { readonly kind: 'loading' };

export interface SubnetState {
  readonly connection: ConnectionState;
  readonly metagraph: Metagraph | undefined;
  readonly weights: readonly WeightRow[] | undefined;
  /** Why the newest reading failed; undefined once one succeeds. */
  readonly failure: Error | undefined;
  /** One a reading, oldest first. */
  readonly samples: readonly Sample[];
}

export const NOT_YET: SubnetState = {
  connection: { kind: 'loading' },
  metagraph: undefined,
  weights: undefined,
  failure: undefined,
  samples: [],
};

export interface SubnetWatch {
  readonly store: StoreApi<SubnetState>;
  stop(): void;
}

/** A subnet's figures change by the block at most, and a metagraph is a large answer. */
export const READ_EVERY_MS = 12_000;
/** An hour of them. */
const MAX_SAMPLES = 300;
/** Between attempts to connect at all; a connection once made is kept by the chain's adapter. */
const RETRY_MS = [2_000, 5_000, 15_000, 30_000];

function sampleOf({ block, at, subnet, neurons }: Metagraph): Sample {
  const ranks = minerRanks(neurons);
  return {
    block: block.number,
    at,
    alphaPrice: subnet.alphaPrice,
    neurons: new Map(
      neurons.map(({ hotkey, uid, incentive, emission }) => [
        hotkey,
        { uid, incentive, emission, rank: ranks.get(uid) ?? null },
      ]),
    ),
  };
}

/** What changes when any validator's weights do: somebody set some, or an epoch revealed what was committed. */
function weightsKey({ subnet, neurons }: Metagraph): string {
  return [subnet.nextEpochAt, ...neurons.map(({ lastUpdate }) => lastUpdate)].join();
}

/** @param connect resolves with a connected chain; called again while it fails */
export function watchSubnet(netuid: number, connect: () => Promise<SubtensorChain>): SubnetWatch {
  const store = createStore<SubnetState>(() => NOT_YET);
  const ending = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let chain: SubtensorChain | undefined;
  /** Of the newest reading begun; one that a cut connection left hanging is not waited for. */
  let reading = 0;
  let readAtMs = -Infinity;
  let knownWeights = '';

  const failed = (error: unknown): void => {
    store.setState({ failure: error instanceof Error ? error : new Error(String(error)) });
  };

  async function read(source: SubtensorChain): Promise<void> {
    const own = ++reading;
    const overtaken = (): boolean => ending.signal.aborted || own !== reading;
    readAtMs = Date.now();
    try {
      const metagraph = await source.metagraph(netuid);
      if (overtaken()) return;
      const samples = [
        ...store.getState().samples.filter(({ block }) => block < metagraph.block.number),
        sampleOf(metagraph),
      ];
      store.setState({ metagraph, failure: undefined, samples: samples.slice(-MAX_SAMPLES) });
      const key = weightsKey(metagraph);
      if (key === knownWeights) return;
      const weights = await source.weights(netuid);
      if (overtaken()) return;
      knownWeights = key;
      store.setState({ weights });
    } catch (error) {
      if (!overtaken()) failed(error);
    }
  }

  function scheduleRead(source: SubtensorChain): void {
    if (timer !== undefined) return;
    const wait = Math.max(0, readAtMs + READ_EVERY_MS - Date.now());
    timer = setTimeout(() => {
      timer = undefined;
      void read(source);
    }, wait);
  }

  async function start(attempt: number): Promise<void> {
    let opened: SubtensorChain;
    try {
      opened = await connect();
    } catch (error) {
      if (ending.signal.aborted) return;
      failed(error);
      timer = setTimeout(
        () => {
          timer = undefined;
          void start(attempt + 1);
        },
        RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)],
      );
      return;
    }
    if (ending.signal.aborted) {
      void opened.close();
      return;
    }
    chain = opened;
    store.setState({ connection: opened.status() });
    const stopStatus = opened.onStatus((connection) => {
      const { connection: before } = store.getState();
      store.setState({ connection });
      // What was asked before the cut may never be answered.
      if (connection.kind === 'connected' && before.kind !== 'connected') void read(opened);
    });
    const stopHeads = opened.followHeads(() => scheduleRead(opened));
    ending.signal.addEventListener('abort', () => {
      stopStatus();
      stopHeads();
    });
    if (reading === 0) void read(opened);
  }

  void start(0);
  return {
    store,
    stop() {
      ending.abort();
      clearTimeout(timer);
      void chain?.close();
    },
  };
}
