/** A chain's storage: every key's values by block, read and written in the runtime's types. */
import { hexToBytes } from '@noble/hashes/utils.js';
import type { Codec } from '@polkadot/types/types';
import { toHex, type Runtime } from './runtime.ts';

interface Version {
  readonly block: number;
  /** SCALE in hex; null where the key was removed. */
  readonly value: string | null;
}

export class Storage {
  readonly runtime: Runtime;
  /** The block that writes belong to. */
  block = 0;
  readonly #versions = new Map<string, Version[]>();
  #journal: { key: string; replaced: Version | undefined }[] = [];

  constructor(runtime: Runtime) {
    this.runtime = runtime;
  }

  /** SCALE in hex as it was after a block, null where there is nothing. */
  raw(key: string, block = this.block): string | null {
    return this.#versions.get(key)?.findLast((version) => version.block <= block)?.value ?? null;
  }

  setRaw(key: string, value: string | null): void {
    const versions = this.#versions.get(key) ?? [];
    const replaced = versions.at(-1)?.block === this.block ? versions.pop() : undefined;
    versions.push({ block: this.block, value });
    this.#versions.set(key, versions);
    this.#journal.push({ key, replaced });
  }

  /** Keys that begin with a prefix and have a value after a block, ascending. */
  keys(prefix: string, block = this.block): string[] {
    return [...this.#versions.keys()].filter((key) => key.startsWith(prefix) && this.raw(key, block) !== null).sort();
  }

  /** Keys written since `forgetJournal`. */
  written(): string[] {
    return [...new Set(this.#journal.map(({ key }) => key))];
  }

  forgetJournal(): void {
    this.#journal = [];
  }

  /** All of it or, when it throws, none. */
  transact(body: () => void): void {
    const mark = this.#journal.length;
    try {
      body();
    } catch (error) {
      for (const { key, replaced } of this.#journal.splice(mark).reverse()) {
        const versions = this.#versions.get(key)!;
        versions.pop();
        if (replaced !== undefined) versions.push(replaced);
      }
      throw error;
    }
  }

  has(pallet: string, item: string, ...keys: unknown[]): boolean {
    return this.raw(this.runtime.slot(pallet, item, keys).key) !== null;
  }

  /** The value, or what the runtime reads in its absence. */
  get(pallet: string, item: string, ...keys: unknown[]): Codec {
    const slot = this.runtime.slot(pallet, item, keys);
    const raw = this.raw(slot.key);
    // Bytes, since the library reads a number's hex as big-endian.
    return this.runtime.registry.createType(slot.type, raw === null ? slot.fallback : hexToBytes(raw.slice(2)));
  }

  big(pallet: string, item: string, ...keys: unknown[]): bigint {
    return BigInt(this.get(pallet, item, ...keys).toString());
  }

  number(pallet: string, item: string, ...keys: unknown[]): number {
    return Number(this.big(pallet, item, ...keys));
  }

  text(pallet: string, item: string, ...keys: unknown[]): string {
    return this.get(pallet, item, ...keys).toString();
  }

  flag(pallet: string, item: string, ...keys: unknown[]): boolean {
    return this.get(pallet, item, ...keys).toJSON() === true;
  }

  /** A vector of integers or booleans (as 0 and 1). */
  vector(pallet: string, item: string, ...keys: unknown[]): number[] {
    const codec = this.get(pallet, item, ...keys) as Codec & Iterable<Codec>;
    return [...codec].map((element) => Number(element.toJSON()));
  }

  list(pallet: string, item: string, ...keys: unknown[]): unknown[] {
    return this.get(pallet, item, ...keys).toJSON() as unknown[];
  }

  set(pallet: string, item: string, keys: readonly unknown[], value: unknown): void {
    const slot = this.runtime.slot(pallet, item, keys);
    this.setRaw(slot.key, toHex(this.runtime.registry.createType(slot.type, value).toU8a()));
  }

  remove(pallet: string, item: string, ...keys: unknown[]): void {
    this.setRaw(this.runtime.slot(pallet, item, keys).key, null);
  }
}
