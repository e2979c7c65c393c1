/**
 * Storage of one pallet at one block. Items come and go between runtimes: whether one is there is asked of the metadata,
 * never of a version number.
 */
import type { ApiDecoration } from '@polkadot/api/types';
import type { Codec } from '@polkadot/types/types';
import { fromOption } from './decode.ts';

/** The library's state at a block. */
export type ChainState = ApiDecoration<'promise'>;

export interface Storage {
  has(item: string): boolean;
  /** Null where the runtime has no such item, or it is an empty option. */
  read(item: string, ...keys: unknown[]): Promise<Codec | null>;
  /** One answer a key. */
  readMany(item: string, keys: readonly unknown[]): Promise<readonly (Codec | null)[]>;
  /** Everything under the first keys of a map, with the keys that are left. */
  entries(
    item: string,
    ...keys: unknown[]
  ): Promise<readonly { readonly keys: readonly Codec[]; readonly value: Codec }[]>;
  /** Items that were asked for and are not there, by their name in the metadata. */
  missing(): readonly string[];
}

export function storageOf({ query }: ChainState, pallet: string): Storage {
  const items = query[pallet];
  const missing = new Set<string>();

  function find(item: string): NonNullable<typeof items>[string] | undefined {
    const found = items?.[item];
    if (!found) missing.add(`${pallet}.${item}`);
    return found;
  }

  return {
    has: (item) => items?.[item] !== undefined,
    async read(item, ...keys) {
      const found = find(item);
      return found ? fromOption(await found(...keys)) : null;
    },
    async readMany(item, keys) {
      const found = find(item);
      if (!found) return keys.map(() => null);
      return keys.length === 0 ? [] : (await found.multi([...keys])).map(fromOption);
    },
    async entries(item, ...keys) {
      const found = find(item);
      if (!found) return [];
      return (await found.entries(...keys)).map(([key, value]) => ({ keys: key.args.slice(keys.length), value }));
    },
    missing: () => [...missing].sort(),
  };
}
