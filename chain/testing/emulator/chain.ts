/** Blocks: what is in the pool is executed, the result is stored, and finality follows some blocks behind. */
import type { GenericCall } from '@polkadot/types';
import { blake2AsHex } from '@polkadot/util-crypto';
import { execute } from './calls.ts';
import { Refusal, type Context } from './dispatch.ts';
import { stepSubnets } from './epoch.ts';
import { RpcError, checkExtrinsic, nonceOf, raiseNonce, type Ledger, type SignedTransaction } from './extrinsics.ts';
import { toHex, type Runtime } from './runtime.ts';
import { Storage } from './storage.ts';
import { PALLET, TAO, setBalance } from './subnets.ts';

export interface Block {
  readonly number: number;
  readonly hash: string;
  /** As JSON-RPC tells it. */
  readonly header: Readonly<Record<string, unknown>>;
  readonly extrinsics: readonly string[];
}

/** What is told to those who watch a transaction; as JSON of TransactionStatus. */
export type Watcher = (status: unknown) => void;

interface Pending extends SignedTransaction {
  readonly watch: Watcher | null;
}

const DISPATCH_INFO = { weight: { refTime: 0, proofSize: 0 }, class: 'Normal', paysFee: 'No' };
const ENDOWMENT = 1_000_000n * TAO;

export class Chain implements Ledger {
  readonly storage: Storage;
  readonly blocks: Block[] = [];
  /** The newest finalised block's number. */
  finalized = 0;
  /** Told of each block, with the storage keys that it wrote. */
  readonly onHead = new Set<(block: Block, written: readonly string[]) => void>();
  readonly onFinalized = new Set<(block: Block) => void>();
  readonly #byHash = new Map<string, Block>();
  readonly #lag: number;
  #pool: Pending[] = [];
  readonly #forced: ((context: Context) => void)[] = [];
  #awaitingFinality: { transaction: Pending; block: Block }[] = [];
  #time: number;

  /** @param accounts SS58 addresses with balance from the start; the first has the sudo key */
  constructor(runtime: Runtime, accounts: readonly string[], finalityLag: number) {
    this.storage = new Storage(runtime);
    this.#lag = finalityLag;
    this.#time = 0;
    for (const account of accounts) setBalance(this.storage, account, ENDOWMENT);
    this.storage.set('sudo', 'key', [], accounts[0]);
    this.storage.set(PALLET, 'networksAdded', [0], true);
    this.storage.set(PALLET, 'totalNetworks', [], 1);
    this.#seal([], '0x'.padEnd(66, '0'));
  }

  get head(): number {
    return this.blocks.length - 1;
  }

  get genesisHash(): string {
    return this.blocks[0]!.hash;
  }

  hashOf(block: number): string | null {
    return this.blocks[block]?.hash ?? null;
  }

  blockByHash(hash: string): Block | null {
    return this.#byHash.get(hash) ?? null;
  }

  /** The nonce of an account's next transaction, those in the pool counted. */
  nextNonce(who: string): number {
    let nonce = nonceOf(this.storage, who);
    while (this.#pool.some((pending) => pending.who === who && pending.nonce === nonce)) nonce++;
    return nonce;
  }

  /** @returns the transaction's hash @throws RpcError when the pool refuses it */
  submit(hex: string, watch: Watcher | null): string {
    const transaction = checkExtrinsic(this, hex);
    const rival = this.#pool.find(({ who, nonce }) => who === transaction.who && nonce === transaction.nonce);
    if (rival?.hash === transaction.hash) throw new RpcError(1013, 'Transaction Already Imported');
    if (rival !== undefined) throw new RpcError(1014, 'Priority is too low');
    const ready = transaction.nonce === this.nextNonce(transaction.who);
    this.#pool.push({ ...transaction, watch });
    watch?.(ready ? 'ready' : 'future');
    return transaction.hash;
  }

  /** Executes a call as an origin (null: root) at the next block's start, signed by nobody. @throws Error if refused */
  forceCall(origin: string | null, call: GenericCall): Block {
    const refusals: Error[] = [];
    this.#forced.push((context) => {
      try {
        this.storage.transact(() => execute({ ...context, origin }, call));
      } catch (error) {
        refusals.push(error as Error);
      }
    });
    const block = this.newBlock();
    if (refusals[0] !== undefined) throw refusals[0];
    return block;
  }

  /** Writes storage in a new block, as a test that needs a state and not the way there. */
  forceStorage(pallet: string, item: string, keys: readonly unknown[], value: unknown): Block {
    this.#forced.push(() => this.storage.set(pallet, item, keys, value));
    return this.newBlock();
  }

  pending(): string[] {
    return this.#pool.map(({ hex }) => hex);
  }

  /** Makes one block of what the pool holds and finalises what is due. */
  newBlock(options: { quiet?: boolean } = {}): Block {
    const { storage } = this;
    const parent = this.blocks.at(-1)!;
    storage.forgetJournal();
    storage.block = parent.number + 1;
    this.#time = Math.max(Date.now(), this.#time + 1);
    const events: Uint8Array[] = [];
    const inherent = this.#inherent();
    stepSubnets(storage, this.#subnets());
    storage.set('timestamp', 'now', [], this.#time);
    const context = this.#context(events, 0);
    context.event('System', 'ExtrinsicSuccess', DISPATCH_INFO);
    this.#forced.splice(0).forEach((write) => write(context));
    const included = this.#takeReady();
    included.forEach((transaction, i) => this.#apply(transaction, i + 1, events));
    storage.setRaw(storage.runtime.slot('system', 'events').key, this.#encodeEvents(events));
    storage.set('system', 'number', [], storage.block);
    storage.set('system', 'parentHash', [], parent.hash);
    storage.set('system', 'blockHash', [parent.number], parent.hash);
    const block = this.#seal([inherent, ...included.map(({ hex }) => hex)], parent.hash);
    if (options.quiet !== true) for (const tell of this.onHead) tell(block, storage.written());
    for (const transaction of included) {
      transaction.watch?.({ inBlock: block.hash });
      this.#awaitingFinality.push({ transaction, block });
    }
    this.#finalize(block.number - this.#lag, options.quiet === true);
    return block;
  }

  /** Pending blocks become final; of several at once only the last is told, as nodes do. */
  #finalize(number: number, quiet: boolean): void {
    if (number <= this.finalized) return;
    this.finalized = number;
    if (!quiet) for (const tell of this.onFinalized) tell(this.blocks[number]!);
    const due = this.#awaitingFinality.filter(({ block }) => block.number <= number);
    this.#awaitingFinality = this.#awaitingFinality.filter(({ block }) => block.number > number);
    for (const { transaction, block } of due) transaction.watch?.({ finalized: block.hash });
  }

  /** Ready transactions in the order of their arrival and nonces; what has become invalid is dropped. */
  #takeReady(): Pending[] {
    const taken: Pending[] = [];
    const next = new Map<string, number>();
    for (let found = true; found;) {
      found = false;
      for (const transaction of this.#pool) {
        const due = next.get(transaction.who) ?? nonceOf(this.storage, transaction.who);
        if (taken.includes(transaction) || transaction.nonce !== due) continue;
        taken.push(transaction);
        next.set(transaction.who, due + 1);
        found = true;
      }
    }
    this.#pool = this.#pool.filter((transaction) => !taken.includes(transaction));
    return taken.filter((transaction) => {
      try {
        checkExtrinsic(this, transaction.hex);
        return true;
      } catch (error) {
        if (!(error instanceof RpcError)) throw error;
        transaction.watch?.('invalid');
        return false;
      }
    });
  }

  #apply(transaction: Pending, index: number, events: Uint8Array[]): void {
    const { storage } = this;
    raiseNonce(storage, transaction.who);
    const context = { ...this.#context(events, index), origin: transaction.who };
    const before = events.length;
    try {
      storage.transact(() => execute(context, transaction.call));
      context.event('System', 'ExtrinsicSuccess', DISPATCH_INFO);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      events.length = before;
      context.event('System', 'ExtrinsicFailed', error.dispatchError(storage), DISPATCH_INFO);
    }
  }

  #context(events: Uint8Array[], extrinsic: number): Context {
    const { registry } = this.storage.runtime;
    const phase = registry.createType('Phase', { ApplyExtrinsic: extrinsic }).toU8a();
    return {
      storage: this.storage,
      block: this.storage.block,
      origin: null,
      event: (pallet, name, ...fields) => {
        const event = this.storage.runtime.encodeEvent(pallet, name, fields);
        // Followed by no topics.
        events.push(Uint8Array.from([...phase, ...event, 0]));
      },
    };
  }

  #encodeEvents(events: readonly Uint8Array[]): string {
    const count = this.storage.runtime.registry.createType('Compact<u32>', events.length).toU8a();
    return toHex(Uint8Array.from([...count, ...events.flatMap((event) => [...event])]));
  }

  #inherent(): string {
    const { registry, tx } = this.storage.runtime;
    const call = tx.timestamp!.set!(this.#time);
    return registry.createType('Extrinsic', call, { version: 4 }).toHex();
  }

  #subnets(): number[] {
    const count = this.storage.number(PALLET, 'totalNetworks');
    return Array.from({ length: count - 1 }, (_, i) => i + 1);
  }

  /** The state root is no trie's: it commits to what this block wrote. */
  #seal(extrinsics: readonly string[], parentHash: string): Block {
    const { storage } = this;
    const written = storage.written().map((key) => [key, storage.raw(key)]);
    const header = {
      parentHash,
      number: `0x${storage.block.toString(16)}`,
      stateRoot: blake2AsHex(JSON.stringify(written)),
      extrinsicsRoot: blake2AsHex(JSON.stringify(extrinsics)),
      digest: { logs: [] },
    };
    const hash = storage.runtime.registry.createType('Header', header).hash.toHex();
    const block = { number: storage.block, hash, header, extrinsics };
    this.blocks.push(block);
    this.#byHash.set(hash, block);
    return block;
  }
}
