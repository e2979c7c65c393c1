import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HotkeyFileError, readHotkeyFile } from './hotkey-file.ts';

/** The development phrase of every Substrate chain and its account Alice, as each tool prints them. */
const PHRASE = 'bottom drive obey lake curtain smoke basket hold race lonely fit walk';
const ALICE = { seed: `0xe5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a`, uri: '//Alice' };
const ALICE_ADDRESS = '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY';
const PHRASE_ADDRESS = '5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV';

describe('a hotkey’s file', () => {
  let folder: string;
  beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'hotkey-'))));
  afterAll(() => rm(folder, { recursive: true }));

  async function file(text: string, mode = 0o600): Promise<string> {
    const path = join(folder, 'key');
    await writeFile(path, text);
    await chmod(path, mode);
    return path;
  }

  it.each([
    ['a seed', ALICE.seed, ALICE_ADDRESS],
    ['a secret URI', `${ALICE.uri}\n`, ALICE_ADDRESS],
    ['a mnemonic', PHRASE, PHRASE_ADDRESS],
    ['a mnemonic with a derivation', `${PHRASE}//Alice`, ALICE_ADDRESS],
    ['a hotkey of Bittensor’s wallet', JSON.stringify({ secretPhrase: null, secretSeed: ALICE.seed }), ALICE_ADDRESS],
    ['one that has its phrase alone', JSON.stringify({ secretPhrase: PHRASE }), PHRASE_ADDRESS],
  ])('may hold %s', async (_what, text, address) => {
    expect(await readHotkeyFile(await file(text))).toMatchObject({ address, kind: 'pair' });
  });

  it.each([0o640, 0o604, 0o666])('is refused with mode %o', async (mode) => {
    await expect(readHotkeyFile(await file(ALICE.uri, mode))).rejects.toThrow('chmod 600');
  });

  it.each(['', 'a secret of mine', `${PHRASE} walk`, '0x1234', '{"secretSeed":7}', '{', ALICE.uri.repeat(800)])(
    'is refused without quoting it (%#)',
    async (text) => {
      const refused: unknown = await readHotkeyFile(await file(text)).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(HotkeyFileError);
      const { message, cause } = refused as HotkeyFileError;
      expect(cause).toBeUndefined();
      expect(message).toContain('holds no key');
      if (text.length > 2) expect(message).not.toContain(text);
    },
  );

  it('is refused when it is not there', async () => {
    await expect(readHotkeyFile(join(folder, 'none'))).rejects.toThrow(HotkeyFileError);
  });
});
