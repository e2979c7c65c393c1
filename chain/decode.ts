/**
 * The untyped border: what the library gives back for storage of a runtime whose types it learns at run time. Whatever
 * is not of the expected form is a ChainError, never a guess.
 */
import type { Codec } from '@polkadot/types/types';
import { ChainError } from './errors.ts';

/** Amounts on the chain are in 1e-9 of a token. */
export const RAO = 1e9;
export const U16_MAX = 65_535;

function unexpected(what: string, value: unknown): ChainError {
  return new ChainError(
    'unsupported',
    `The chain’s ${what} has a form that this app does not know: ${String(value).slice(0, 80)}.`,
    'Its runtime is probably newer than this app: update the app.',
  );
}

/** An integer of any width, as a number: exact up to 2^53, which no block, uid or weight exceeds. */
export function toNumber(value: Codec, what: string): number {
  const text = value.toString().replaceAll(',', '');
  const number = /^0x/.test(text) ? Number(BigInt(text)) : Number(text);
  if (text === '' || !Number.isFinite(number)) throw unexpected(what, value);
  return number;
}

export function toBoolean(value: Codec, what: string): boolean {
  const json = value.toJSON();
  if (typeof json !== 'boolean') throw unexpected(what, value);
  return json;
}

/** The items of a vector. */
export function toItems(value: Codec, what: string): readonly Codec[] {
  if (!(Symbol.iterator in value)) throw unexpected(what, value);
  return [...(value as unknown as Iterable<Codec>)];
}

export function toNumbers(value: Codec, what: string): number[] {
  return toItems(value, what).map((item) => toNumber(item, what));
}

/** What an Option holds, null for none; anything else as it is. */
export function fromOption(value: Codec): Codec | null {
  if (value.isEmpty && 'isNone' in value) return null;
  return 'unwrapOr' in value ? (value as unknown as { unwrapOr(other: null): Codec | null }).unwrapOr(null) : value;
}
