/** The JSON-RPC methods of a Substrate node that a wallet or an indexer uses. */
import type { Block, Chain } from './chain.ts';
import { RpcError, nonceOf } from './extrinsics.ts';
import { toHex } from './runtime.ts';

/** Sends one notification of a subscription. */
export type Notify = (result: unknown) => void;

interface Subscription {
  /** Name of the notification's method. */
  readonly notification: string;
  readonly unsubscribe: string;
  /** @returns ends it */
  readonly start: (params: readonly unknown[], notify: Notify) => () => void;
}

const listen = <T>(listeners: Set<T>, listener: T): (() => void) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};

export interface Rpc {
  readonly methods: Readonly<Record<string, (params: readonly unknown[]) => unknown>>;
  readonly subscriptions: Readonly<Record<string, Subscription>>;
}

const MAX_KEYS = 1000;
const METADATA_VERSION = 14;

export const createRpc = (chain: Chain, afterSubmit: () => void): Rpc => {
  const { runtime } = chain.storage;

  const blockAt = (hash: unknown): Block => {
    if (typeof hash !== 'string') return chain.blocks.at(-1)!;
    const block = chain.blockByHash(hash);
    if (block === null) throw new RpcError(-32000, `Client error: UnknownBlock: State already discarded for ${hash}`);
    return block;
  };

  const hashes = (number: unknown): unknown => {
    if (Array.isArray(number)) return number.map(hashes);
    if (number === undefined || number === null) return chain.blocks.at(-1)!.hash;
    return chain.hashOf(Number(number));
  };

  const read = (key: unknown, at: unknown): string | null => chain.storage.raw(String(key), blockAt(at).number);

  const keysPaged = ([prefix, count, after, at]: readonly unknown[]): string[] => {
    if (Number(count) > MAX_KEYS)
      throw new RpcError(-32602, `count exceeds maximum value. value: ${String(count)}, max: ${MAX_KEYS}`);
    const keys = chain.storage.keys(String(prefix), blockAt(at).number);
    const from = typeof after === 'string' ? keys.findIndex((key) => key > after) : 0;
    return from < 0 ? [] : keys.slice(from, from + Number(count));
  };

  const encode = (type: string, value: unknown): string => toHex(runtime.registry.createType(type, value).toU8a());

  const runtimeApi: Readonly<Record<string, (data: string) => string>> = {
    Metadata_metadata_versions: () => encode('Vec<u32>', [METADATA_VERSION]),
    Metadata_metadata_at_version: (data) =>
      data === encode('u32', METADATA_VERSION)
        ? encode('Option<Bytes>', runtime.metadata)
        : encode('Option<Bytes>', null),
    AccountNonceApi_account_nonce: (data) => {
      const who = runtime.registry.createType('AccountId', data).toString();
      return encode('u32', nonceOf(chain.storage, who));
    },
    TransactionPaymentApi_query_info: () =>
      encode('RuntimeDispatchInfo', { weight: { refTime: 0, proofSize: 0 }, class: 'Normal', partialFee: 0 }),
  };

  const stateCall = ([method, data]: readonly unknown[]): string => {
    const run = runtimeApi[String(method)];
    if (run === undefined) {
      throw new RpcError(-32603, 'Client error: Execution failed', `Exported method ${String(method)} is not found`);
    }
    return run(String(data));
  };

  const followHeads =
    (finalized: boolean): Subscription['start'] =>
    (_params, notify) => {
      notify(chain.blocks[finalized ? chain.finalized : chain.head]!.header);
      const tell = (block: Block): void => notify(block.header);
      return finalized ? listen(chain.onFinalized, tell) : listen(chain.onHead, tell);
    };

  const changes = (keys: readonly string[], block: Block): unknown => ({
    block: block.hash,
    changes: keys.map((key) => [key, chain.storage.raw(key, block.number)]),
  });

  const subscriptions: Record<string, Subscription> = {
    chain_subscribeNewHeads: {
      notification: 'chain_newHead',
      unsubscribe: 'chain_unsubscribeNewHeads',
      start: followHeads(false),
    },
    chain_subscribeAllHeads: {
      notification: 'chain_allHead',
      unsubscribe: 'chain_unsubscribeAllHeads',
      start: followHeads(false),
    },
    chain_subscribeFinalizedHeads: {
      notification: 'chain_finalizedHead',
      unsubscribe: 'chain_unsubscribeFinalizedHeads',
      start: followHeads(true),
    },
    state_subscribeRuntimeVersion: {
      notification: 'state_runtimeVersion',
      unsubscribe: 'state_unsubscribeRuntimeVersion',
      start: (_params, notify) => {
        notify(runtime.version);
        return () => undefined;
      },
    },
    state_subscribeStorage: {
      notification: 'state_storage',
      unsubscribe: 'state_unsubscribeStorage',
      start: ([keys], notify) => {
        const wanted = keys as string[];
        notify(changes(wanted, blockAt(null)));
        return listen(chain.onHead, (block, written) => {
          const touched = wanted.filter((key) => written.includes(key));
          if (touched.length > 0) notify(changes(touched, block));
        });
      },
    },
    author_submitAndWatchExtrinsic: {
      notification: 'author_extrinsicUpdate',
      unsubscribe: 'author_unwatchExtrinsic',
      start: ([hex], notify) => {
        chain.submit(String(hex), notify);
        afterSubmit();
        return () => undefined;
      },
    },
  };

  const methods: Record<string, (params: readonly unknown[]) => unknown> = {
    system_chain: () => 'Subtensor emulator',
    system_name: () => 'subtensor-emulator',
    system_version: () => '0.0.0',
    system_chainType: () => 'Development',
    system_properties: () => ({ ss58Format: 42, tokenDecimals: 9, tokenSymbol: 'TAO' }),
    system_health: () => ({ peers: 0, isSyncing: false, shouldHavePeers: false }),
    system_accountNextIndex: ([who]) => chain.nextNonce(String(who)),
    state_getMetadata: () => runtime.metadata,
    state_getRuntimeVersion: () => runtime.version,
    state_getStorage: ([key, at]) => read(key, at),
    state_getStorageAt: ([key, at]) => read(key, at),
    state_queryStorageAt: ([keys, at]) => [changes(keys as string[], blockAt(at))],
    state_getKeysPaged: keysPaged,
    state_getKeysPagedAt: keysPaged,
    state_call: stateCall,
    chain_getBlockHash: ([number]) => hashes(number),
    chain_getHeader: ([hash]) => blockAt(hash).header,
    chain_getBlock: ([hash]) => {
      const { header, extrinsics } = blockAt(hash);
      return { block: { header, extrinsics }, justifications: null };
    },
    chain_getFinalizedHead: () => chain.hashOf(chain.finalized),
    author_pendingExtrinsics: () => chain.pending(),
    author_submitExtrinsic: ([hex]) => {
      const hash = chain.submit(String(hex), null);
      afterSubmit();
      return hash;
    },
    rpc_methods: () => ({
      methods: [
        ...Object.keys(methods),
        ...Object.entries(subscriptions).flatMap(([name, { unsubscribe }]) => [name, unsubscribe]),
      ],
    }),
  };
  return { methods, subscriptions };
};
