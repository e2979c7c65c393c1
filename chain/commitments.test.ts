import { expect, it } from 'vitest';
import { readCommitment } from './commitments.ts';
import type { ChainState } from './storage.ts';

/** What a node says that a hotkey published. */
function stateWith(...parts: readonly (readonly [type: string, bytes: Uint8Array])[]): ChainState {
  const fields = parts.map(([type, bytes]) => ({ type, inner: { toU8a: () => bytes } }));
  const value = { info: { fields }, block: { toString: () => '7' } };
  return { query: { commitments: { commitmentOf: () => Promise.resolve(value) } } } as unknown as ChainState;
}
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

it('a text of a miner commands no terminal and turns nothing around', async () => {
  const text = '\u{1b}[2J\u{202e}moc\u{200b}.elpmaxe\0\n<b>ü';
  const read = await readCommitment(stateWith(['Raw30', utf8(text)]), 1, 'a hotkey');
  expect(read?.text).toBe('\u{fffd}[2J\u{fffd}moc\u{fffd}.elpmaxe\u{fffd}\u{fffd}<b>ü');
});

it('bytes that are no text are shown as such, and what is no bytes is left out', async () => {
  const state = stateWith(['Raw2', new Uint8Array([0x61, 0xff])], ['BlakeTwo256', utf8('a hash')]);
  expect((await readCommitment(state, 1, 'a hotkey'))?.text).toBe('a\u{fffd}');
  expect(await readCommitment(stateWith(['BlakeTwo256', utf8('a hash')]), 1, 'a hotkey')).toBeNull();
});
