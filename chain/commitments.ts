/** What miners and validators publish on the chain about themselves. Anybody registered may write anything there. */
import type { Codec } from '@polkadot/types/types';
import { toNumber } from './decode.ts';
import { ChainError } from './errors.ts';
import { storageOf, type ChainState } from './storage.ts';
import type { Commitment } from './types.ts';

export const MAX_COMMITMENT_BYTES = 128;

/** The `info` of `set_commitment` for a text. @throws ChainError `invalid` */
export function commitmentInfo(text: string): { readonly fields: readonly Readonly<Record<string, Uint8Array>>[] } {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length === 0 || bytes.length > MAX_COMMITMENT_BYTES) {
    throw new ChainError(
      'invalid',
      `A commitment is 1 to ${MAX_COMMITMENT_BYTES} bytes of text; this one has ${bytes.length}.`,
      'Publish a shorter address.',
    );
  }
  return { fields: [{ [`Raw${bytes.length}`]: bytes }] };
}

interface Decoded {
  readonly block?: Codec;
  readonly info?: {
    readonly fields?: Iterable<{ readonly type: string; readonly inner: { toU8a(bare: true): Uint8Array } }>;
  };
}

/** Control characters would let a text pretend to be more than one line of a terminal or a page. */
const readable = (text: string): string => text.replaceAll(/\p{C}/gu, '\u{FFFD}');

function commitmentOf(hotkey: string, value: Codec): Commitment | null {
  const { info, block } = value as unknown as Decoded;
  if (!info?.fields || !block) return null;
  const decoder = new TextDecoder();
  const text = [...info.fields]
    .filter(({ type }) => /^Raw\d+$/.test(type))
    .map(({ inner }) => decoder.decode(inner.toU8a(true)))
    .join('');
  return text === '' ? null : { hotkey, text: readable(text), block: toNumber(block, 'commitment') };
}

/** Null for a hotkey that has none, or none that is text. */
export async function readCommitment(state: ChainState, netuid: number, hotkey: string): Promise<Commitment | null> {
  const value = await storageOf(state, 'commitments').read('commitmentOf', netuid, hotkey);
  return value && commitmentOf(hotkey, value);
}

export async function readCommitments(state: ChainState, netuid: number): Promise<Commitment[]> {
  const entries = await storageOf(state, 'commitments').entries('commitmentOf', netuid);
  return entries.flatMap(({ keys, value }) => {
    const inner =
      'unwrapOr' in value ? (value as unknown as { unwrapOr(other: null): Codec | null }).unwrapOr(null) : value;
    return (inner && commitmentOf(keys[0]!.toString(), inner)) ?? [];
  });
}
