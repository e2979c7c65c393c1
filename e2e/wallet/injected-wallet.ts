/** A wallet for tests: injected into the page as extensions are, with a real keyring behind it that signs in Node. */
import type { Page } from '@playwright/test';
import { Keyring } from '@polkadot/api';
import { cryptoWaitReady } from '@polkadot/util-crypto';

export interface InjectedWalletOptions {
  /** Under which it puts itself into `injectedWeb3`. */
  readonly key: string;
  /** Derivation paths of the development phrase, such as //Alice. */
  readonly accounts: readonly string[];
  /** How long after the page's load it injects itself; 0 is before any script of the page. */
  readonly lateMs?: number;
  /** Never answers `enable`. */
  readonly mute?: boolean;
}

export interface TestWallet {
  /** SS58 of prefix 42, in the order of the accounts. */
  readonly addresses: readonly string[];
  /** Every text that it was asked to sign, as a person would have seen it. */
  readonly prompts: readonly string[];
  /** The times that `enable` was called. */
  readonly enabled: () => number;
  /** Whether the person declines from now on. */
  rejects: boolean;
}

interface RawRequest {
  readonly address: string;
  readonly data: string;
}

/** Puts a wallet into every page load of `page`. */
export async function injectWallet(page: Page, options: InjectedWalletOptions): Promise<TestWallet> {
  const { key, accounts, lateMs = 0, mute = false } = options;
  await cryptoWaitReady();
  const keyring = new Keyring({ type: 'sr25519', ss58Format: 42 });
  const pairs = accounts.map((path) => keyring.addFromUri(path, { name: path.slice(2) }));
  const prompts: string[] = [];
  let enabled = 0;
  const wallet: TestWallet = {
    addresses: pairs.map(({ address }) => address),
    prompts,
    enabled: () => enabled,
    rejects: false,
  };

  const bridge = `sign-${key}`;
  await page.exposeFunction(`${bridge}-enabled`, () => {
    enabled++;
  });
  await page.exposeFunction(bridge, ({ address, data }: RawRequest) => {
    const text = Buffer.from(data.slice(2), 'hex');
    prompts.push(text.toString('utf8'));
    if (wallet.rejects) throw new Error('Cancelled');
    // As every extension does, so that no transaction can pass for a text.
    const wrapped = Buffer.concat([Buffer.from('<Bytes>'), text, Buffer.from('</Bytes>')]);
    return `0x${Buffer.from(keyring.getPair(address).sign(wrapped)).toString('hex')}`;
  });

  await page.addInitScript(
    ({ bridge, key, listed, lateMs, mute }) => {
      const call = (name: string, argument?: unknown): Promise<unknown> =>
        (globalThis as unknown as Record<string, (argument?: unknown) => Promise<unknown>>)[name]!(argument);
      const injected = {
        accounts: { get: () => Promise.resolve(listed), subscribe: () => () => undefined },
        signer: {
          signRaw: async (request: unknown) => ({ id: 1, signature: await call(bridge, request) }),
        },
      };
      const inject = (): void => {
        const page = globalThis as unknown as { injectedWeb3?: Record<string, unknown> };
        page.injectedWeb3 ??= {};
        page.injectedWeb3[key] = {
          version: '1.0.0',
          enable: async () => {
            await call(`${bridge}-enabled`);
            return mute ? new Promise(() => undefined) : injected;
          },
        };
      };
      if (lateMs === 0) inject();
      else setTimeout(inject, lateMs);
    },
    {
      bridge,
      key,
      lateMs,
      mute,
      listed: pairs.map(({ address, meta }) => ({ address, name: meta['name'] as string, type: 'sr25519' })),
    },
  );
  return wallet;
}
