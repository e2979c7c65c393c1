/** The types of a real Subtensor runtime, from its metadata: storage keys and values, events, errors. */
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { bytesToHex } from '@noble/hashes/utils.js';
import { Metadata, TypeRegistry } from '@polkadot/types';
import { expandMetadata } from '@polkadot/types/metadata/decorate';
import { blake2AsHex, cryptoWaitReady } from '@polkadot/util-crypto';

export const toHex = (bytes: Uint8Array): string => `0x${bytesToHex(bytes)}`;

/** Runtime APIs that `state_call` answers; the version names no others, so nobody asks for them. */
const RUNTIME_APIS: Readonly<Record<string, number>> = {
  Metadata: 2,
  AccountNonceApi: 1,
  TransactionPaymentApi: 4,
};

/** One item of storage under one key, with the types that the metadata gives it. */
export interface StorageSlot {
  readonly key: string;
  readonly type: string;
  /** SCALE of what an absent value reads as. */
  readonly fallback: Uint8Array;
}

export class Runtime {
  readonly registry = new TypeRegistry();
  readonly metadata: string;
  /** As state_getRuntimeVersion tells it. */
  readonly version: Record<string, unknown>;
  readonly tx;
  readonly consts;
  readonly #query;
  readonly #slots = new Map<string, StorageSlot>();

  constructor(scale: Uint8Array) {
    this.metadata = toHex(scale);
    const metadata = new Metadata(this.registry, this.metadata as `0x${string}`);
    // Two of Subtensor's signed extensions are unknown to the library; they carry no data.
    this.registry.setMetadata(metadata, undefined, undefined, true);
    const { consts, query, tx } = expandMetadata(this.registry, metadata);
    this.tx = tx;
    this.consts = consts;
    this.#query = query;
    this.version = {
      ...(consts.system!.version!.toJSON() as Record<string, unknown>),
      apis: Object.entries(RUNTIME_APIS).map(([name, version]) => [blake2AsHex(name, 64), version]),
    };
  }

  /** @param keys of the map, none for a plain item. @throws Error for an item that the runtime lacks */
  slot(pallet: string, item: string, keys: readonly unknown[] = []): StorageSlot {
    const id = `${pallet}.${item}(${keys.map(String).join()})`;
    const known = this.#slots.get(id);
    if (known !== undefined) return known;
    const entry = this.#query[pallet]?.[item];
    if (entry === undefined) throw new Error(`this runtime has no storage item ${pallet}.${item}`);
    const key = this.registry.createType('StorageKey', [entry, keys]);
    const slot = { key: key.toHex(), type: key.outputType, fallback: entry.meta.fallback.toU8a(true) };
    this.#slots.set(id, slot);
    return slot;
  }

  /** SCALE of an event of a block: `[pallet, variant, …fields]`. */
  encodeEvent(pallet: string, name: string, fields: readonly unknown[]): Uint8Array {
    const { index, variant } = this.#variant(pallet, 'events', name);
    const encoded = variant.fields.map((field, i) =>
      this.registry.createType(this.registry.createLookupType(field.type), fields[i]).toU8a(),
    );
    return Uint8Array.from([index, variant.index.toNumber(), ...encoded.flatMap((bytes) => [...bytes])]);
  }

  /** A DispatchError, as JSON, for an error of a pallet. */
  moduleError(pallet: string, name: string): unknown {
    const { index, variant } = this.#variant(pallet, 'errors', name);
    return { Module: { index, error: [variant.index.toNumber(), 0, 0, 0] } };
  }

  #variant(pallet: string, kind: 'events' | 'errors', name: string) {
    const found = this.registry.metadata.pallets.find((candidate) => candidate.name.toString() === pallet);
    const variant = found?.[kind].isSome
      ? this.registry.lookup
          .getSiType(found[kind].unwrap().type)
          .def.asVariant.variants.find((candidate) => candidate.name.toString() === name)
      : undefined;
    if (found === undefined || variant === undefined) throw new Error(`this runtime has no ${pallet}.${name}`);
    return { index: found.index.toNumber(), variant };
  }
}

let loaded: Promise<Runtime> | undefined;

/** Decoding the metadata takes longest of all, and its types never change: emulators share them. */
export const loadRuntime = (): Promise<Runtime> =>
  (loaded ??= (async () => {
    const [packed] = await Promise.all([
      readFile(new URL('metadata-233.scale.gz', import.meta.url)),
      cryptoWaitReady(),
    ]);
    return new Runtime(gunzipSync(packed));
  })());
