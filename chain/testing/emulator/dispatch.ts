/** What a call may do: read and write storage, report events, be refused with the runtime's own error. */
import type { GenericCall } from '@polkadot/types';
import type { Codec } from '@polkadot/types/types';
import type { Storage } from './storage.ts';

/** A DispatchError: an error of a pallet, or one of those that belong to none. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly pallet: string | null;
  readonly reason: string;

  constructor(pallet: string | null, reason: string) {
    super(pallet === null ? reason : `${pallet}.${reason}`);
    this.pallet = pallet;
    this.reason = reason;
  }

  /** As JSON of the type DispatchError. */
  dispatchError(storage: Storage): unknown {
    return this.pallet === null ? { [this.reason]: null } : storage.runtime.moduleError(this.pallet, this.reason);
  }
}

export interface Context {
  readonly storage: Storage;
  readonly block: number;
  /** SS58 address of the signer; null for root. */
  readonly origin: string | null;
  event(pallet: string, name: string, ...fields: unknown[]): void;
}

/** A call's arguments by their names in the metadata. */
export class Args {
  readonly #values: ReadonlyMap<string, Codec>;

  constructor(call: GenericCall) {
    this.#values = new Map(call.argsEntries);
  }

  get(name: string): Codec {
    const value = this.#values.get(name);
    if (value === undefined) throw new Error(`this call has no argument ${name}`);
    return value;
  }

  at(index: number): Codec {
    return [...this.#values.values()][index]!;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  number(name: string): number {
    return Number(this.get(name).toString());
  }

  big(name: string): bigint {
    return BigInt(this.get(name).toString());
  }

  /** SS58 address of an AccountId or a MultiAddress. */
  account(name: string): string {
    return this.get(name).toString();
  }

  numbers(name: string): number[] {
    return [...(this.get(name) as Codec & Iterable<Codec>)].map((value) => Number(value.toString()));
  }

  call(name: string): GenericCall {
    return this.get(name) as unknown as GenericCall;
  }
}

export type Call = (context: Context, args: Args) => void;

export const signer = ({ origin }: Context): string => {
  if (origin === null) throw new Refusal(null, 'BadOrigin');
  return origin;
};

export const requireRoot = ({ origin }: Context): void => {
  if (origin !== null) throw new Refusal(null, 'BadOrigin');
};
