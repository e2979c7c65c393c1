/** A Bittensor chain over JSON-RPC: `SubtensorChain` on `@polkadot/api`. Loads the chain library: import it when used. */
import type { ApiPromise } from '@polkadot/api';
import { commitmentInfo, readCommitment, readCommitments } from './commitments.ts';
import { fromOption, toItems, toNumber } from './decode.ts';
import { ChainError } from './errors.ts';
import { openLink } from './link.ts';
import { readMetagraph, readWeights, subtensor } from './metagraph.ts';
import type { ChainState } from './storage.ts';
import { callOf, submit } from './transactions.ts';
import type { BlockHead, Metagraph, SubtensorChain } from './types.ts';
import { planOf, sendPlan } from './weights.ts';

const TIMEOUT_MS = 20_000;
/** Ten blocks: a node that is still there and has lost the network. */
const SILENCE_MS = 120_000;
/** Signing takes a person's time; inclusion and finality some blocks. */
const TRANSACTION_TIMEOUT_MS = 300_000;

export interface ConnectOptions {
  /** `ws://` or `wss://` URLs, in the order in which they are tried. */
  readonly endpoints: readonly string[];
  /** The chain that is wanted; whichever the first endpoint serves when left out. */
  readonly genesisHash?: string | undefined;
  /** What a request, and a connection, may take. */
  readonly timeoutMs?: number;
  /** An endpoint without a new finalised block for this long is given up. */
  readonly silenceMs?: number;
}

/** What a block's default owner is: an account of zero bytes. */
const NOBODY = '5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM';

/** @throws ChainError `unreachable` or `wrong-chain` when no endpoint will do */
export async function connectChain(options: ConnectOptions): Promise<SubtensorChain> {
  const link = await openLink({
    endpoints: options.endpoints,
    genesisHash: options.genesisHash,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    silenceMs: options.silenceMs ?? SILENCE_MS,
  });

  async function headOf(api: ApiPromise): Promise<BlockHead> {
    const hash = await api.rpc.chain.getFinalizedHead();
    const { number } = await api.rpc.chain.getHeader(hash);
    return { number: number.toNumber(), hash: hash.toHex() };
  }

  /** Everything that `read` asks for is of one finalised block. */
  const reading = <T>(read: (state: ChainState, block: BlockHead) => Promise<T>): Promise<T> =>
    link.use(async (api) => {
      const block = await headOf(api);
      return read(await api.at(block.hash), block);
    });

  const metagraph = (netuid: number): Promise<Metagraph> =>
    reading((state, block) => readMetagraph(state, block, netuid));

  return {
    genesisHash: link.genesisHash,
    status: () => link.status(),
    onStatus: (listener) => link.onStatus(listener),
    head: () => link.use(headOf),
    followHeads(listener) {
      let stopped = false;
      const stop = link.onHead(listener);
      const newest = link.newest();
      // Later, as every other head comes.
      if (newest) queueMicrotask(() => !stopped && link.newest() === newest && listener(newest));
      return () => {
        stopped = true;
        stop();
      };
    },
    blockHash: (number) =>
      link.use(async (api) => {
        const newest = await headOf(api);
        if (number > newest.number) {
          throw new ChainError(
            'invalid',
            `Block ${number} is not final yet: the newest that is final is ${newest.number}.`,
            'Ask for an earlier block, or wait.',
          );
        }
        return (await api.rpc.chain.getBlockHash(number)).toHex();
      }),
    registration: (netuid, hotkey) =>
      reading(async (state) => {
        const storage = subtensor(state);
        const uid = await storage.read('uids', netuid, hotkey);
        if (!uid) return null;
        const registeredAt = await storage.read('blockAtRegistration', netuid, uid);
        return {
          uid: toNumber(uid, 'uid'),
          registeredAt: registeredAt && toNumber(registeredAt, 'registration block'),
        };
      }),
    ownerOf: (hotkey) =>
      reading(async (state) => {
        const owner = (await subtensor(state).read('owner', hotkey))?.toString();
        return owner === undefined || owner === NOBODY ? null : owner;
      }),
    hotkeysOf: (coldkey) =>
      reading(async (state) => {
        const owned = await subtensor(state).read('ownedHotkeys', coldkey);
        return owned ? toItems(owned, 'owned hotkeys').map((each) => (fromOption(each) ?? each).toString()) : [];
      }),
    metagraph,
    weights: (netuid) => reading((state) => readWeights(state, netuid)),
    commitment: (netuid, hotkey) => reading((state) => readCommitment(state, netuid, hotkey)),
    commitments: (netuid) => reading((state) => readCommitments(state, netuid)),
    async commit(netuid, text, signer) {
      const info = commitmentInfo(text);
      return link.use(
        (api) => submit(api, callOf(api, 'commitments', 'setCommitment', netuid, info), signer),
        TRANSACTION_TIMEOUT_MS,
      );
    },
    planWeights: async (netuid, hotkey, weights) => planOf(await metagraph(netuid), hotkey, weights),
    async sendWeights(netuid, plan, signer) {
      const now = await metagraph(netuid);
      return link.use((api) => sendPlan(api, now, plan, signer), TRANSACTION_TIMEOUT_MS);
    },
    close: () => link.close(),
  };
}
