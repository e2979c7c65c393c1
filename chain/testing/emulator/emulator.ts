/**
 * An emulator of a Subtensor node, for tests: Substrate's JSON-RPC on the metadata of a real runtime (233), with real
 * SCALE, hashes, signatures, nonces and mortality, and with the checks and errors of the calls that this project makes.
 * It is no runtime: no other calls, no fees, no state trie, no consensus, a simplified epoch, and what is committed
 * under commit-reveal is never revealed. `chain.test.ts` runs the same suite on it and on a real runtime.
 */
import { Keyring } from '@polkadot/api';
import type { BlockHead } from '../../types.ts';
import { Chain } from './chain.ts';
import { createRpc } from './rpc.ts';
import { loadRuntime } from './runtime.ts';
import { listen } from './server.ts';

export interface EmulatorOptions {
  /** 0, the default, takes any that is free. */
  readonly port?: number;
  /** When blocks are made: one for every transaction (default), on `newBlock` alone, or by the clock. */
  readonly blocks?: 'instant' | 'manual' | { readonly everyMs: number };
  /** Blocks by which finality follows. Default 0. */
  readonly finalityLag?: number;
}

export interface Emulator {
  /** ws:// URL */
  readonly endpoint: string;
  readonly genesisHash: string;
  head(): BlockHead;
  newBlock(): BlockHead;
  /** Makes many blocks of which only the last is told, as after a pause of the network. */
  jump(blocks: number): BlockHead;
  /** No more blocks but by `newBlock` and `jump`, until `resume`. */
  stall(): void;
  resume(): void;
  /**
   * Executes a call as if an account had signed it (null: as root), in a block of its own.
   * @param call such as `subtensorModule.burnedRegister` @throws Error with the runtime's reason
   */
  call(origin: string | null, call: string, ...args: unknown[]): BlockHead;
  /** Writes a storage item such as `subtensorModule.incentive`, in a block of its own. */
  set(item: string, keys: readonly unknown[], value: unknown): BlockHead;
  dropConnections(): void;
  /** Closes the endpoint, and opens it again on the same port; the chain stays. */
  restart(whileClosed?: () => Promise<void> | void): Promise<void>;
  close(): Promise<void>;
}

/** Accounts with a million TAO each; the first has the sudo key. */
const ENDOWED = ['//Alice', '//Bob', '//Charlie', '//Dave', '//Eve', '//Ferdie'];

const split = (name: string): [string, string] => {
  const [pallet, item] = name.split('.');
  if (pallet === undefined || item === undefined) throw new Error(`${name} is not of the form pallet.item`);
  return [pallet, item];
};

export const startEmulator = async (options: EmulatorOptions = {}): Promise<Emulator> => {
  const { blocks = 'instant', finalityLag = 0 } = options;
  const runtime = await loadRuntime();
  const keyring = new Keyring({ type: 'sr25519' });
  const chain = new Chain(
    runtime,
    ENDOWED.map((uri) => keyring.addFromUri(uri).address),
    finalityLag,
  );
  let stalled = false;
  const produce = (): void => {
    if (!stalled) chain.newBlock();
  };
  const timer = typeof blocks === 'object' ? setInterval(produce, blocks.everyMs) : null;
  const rpc = createRpc(chain, () => {
    if (blocks === 'instant') setImmediate(produce);
  });
  let main = await listen(rpc, options.port ?? 0);
  const head = (): BlockHead => {
    const { number, hash } = chain.blocks.at(-1)!;
    return { number, hash };
  };
  return {
    endpoint: main.url,
    genesisHash: chain.genesisHash,
    head,
    newBlock: () => {
      chain.newBlock();
      return head();
    },
    jump: (count) => {
      for (let left = count; left > 0; left--) chain.newBlock({ quiet: left > 1 });
      return head();
    },
    stall: () => (stalled = true),
    resume: () => {
      stalled = false;
      if (blocks === 'instant' && chain.pending().length > 0) produce();
    },
    call: (origin, name, ...args) => {
      const [pallet, method] = split(name);
      const create = runtime.tx[pallet]?.[method];
      if (create === undefined) throw new Error(`this runtime has no call ${name}`);
      chain.forceCall(origin, create(...args));
      return head();
    },
    set: (name, keys, value) => {
      chain.forceStorage(...split(name), keys, value);
      return head();
    },
    dropConnections: () => main.dropConnections(),
    restart: async (whileClosed) => {
      await main.close();
      await whileClosed?.();
      main = await listen(rpc, main.port);
    },
    close: async () => {
      if (timer !== null) clearInterval(timer);
      await main.close();
    },
  };
};
