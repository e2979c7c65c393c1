import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectInjected, injectedWallets, watchWallets, type InjectedWallet } from './injected.ts';

const ALICE = '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY';
const BOB = '5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty';
const patience = () => ({ signal: new AbortController().signal, timeoutMs: 60_000 });
const walletOf = (page: object, key: string): InjectedWallet =>
  injectedWallets(page).find((wallet) => wallet.key === key)!;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('injected wallets', () => {
  const enable = () => Promise.resolve({});

  it('are all of the page’s, whatever their key, by name', () => {
    const page = { injectedWeb3: { zed: { version: '1', enable }, talisman: { enable }, 'polkadot-js': { enable } } };
    expect(injectedWallets(page)).toEqual([
      { key: 'polkadot-js', name: 'Polkadot{.js}', version: undefined },
      { key: 'talisman', name: 'Talisman', version: undefined },
      { key: 'zed', name: 'zed', version: '1' },
    ]);
    expect(injectedWallets({})).toEqual([]);
  });

  it('that have the name of another stay apart by key, and Nova is told by its own mark', () => {
    const injectedWeb3 = { 'polkadot-js': { enable }, 'Polkadot{.js}': { enable }, toString: { enable } };
    expect(injectedWallets({ injectedWeb3 }).map(({ key, name }) => [key, name])).toEqual([
      ['polkadot-js', 'Polkadot{.js}'],
      ['Polkadot{.js}', 'Polkadot{.js}'],
      ['toString', 'toString'],
    ]);
    const nova = { injectedWeb3: { 'polkadot-js': { enable } }, walletExtension: { isNovaWallet: true } };
    expect(injectedWallets(nova)[0]!.name).toBe('Nova Wallet');
  });

  it('of a wrong shape are left out', () => {
    const throwing = {
      get enable(): never {
        throw new Error('no');
      },
    };
    const injectedWeb3 = { a: null, b: 'text', c: {}, d: { enable: 'no' }, e: throwing, f: { version: 7, enable } };
    expect(injectedWallets({ injectedWeb3 })).toEqual([{ key: 'f', name: 'f', version: undefined }]);
    for (const odd of [null, 5, 'x', []]) expect(injectedWallets({ injectedWeb3: odd })).toEqual([]);
  });

  it('are noticed when they come late, and nothing is asked of them', () => {
    const asked = vi.fn(enable);
    const page: { injectedWeb3?: object } = {};
    const seen: string[][] = [];
    const stop = watchWallets((wallets) => seen.push(wallets.map(({ key }) => key)), page);
    vi.advanceTimersByTime(3_000);
    page.injectedWeb3 = { late: { enable: asked } };
    vi.advanceTimersByTime(3_000);
    stop();
    page.injectedWeb3 = {};
    vi.advanceTimersByTime(3_000);
    expect(seen).toEqual([[], ['late']]);
    expect(asked).not.toHaveBeenCalled();
  });
});

describe('connecting', () => {
  const signer = { signRaw: vi.fn() };

  it('enables the chosen wallet alone, and follows its accounts', async () => {
    let tell = (_accounts: unknown): void => undefined;
    const unsubscribe = vi.fn();
    const accounts = {
      get: () => Promise.resolve([{ address: ALICE, name: 'Alice', type: 'sr25519' }]),
      subscribe: (listener: typeof tell) => {
        tell = listener;
        return unsubscribe;
      },
    };
    const chosen = vi.fn(() => Promise.resolve({ accounts, signer }));
    const other = vi.fn();
    const page = { injectedWeb3: { chosen: { enable: chosen }, other: { enable: other } } };
    const connected = await connectInjected(walletOf(page, 'chosen'), 'Gauntlet', patience(), page);
    expect(chosen).toHaveBeenCalledExactlyOnceWith('Gauntlet');
    expect(other).not.toHaveBeenCalled();
    expect(connected.accounts).toEqual([{ address: ALICE, walletAddress: ALICE, name: 'Alice', key: 'sr25519' }]);
    const followed: string[][] = [];
    const stop = connected.onAccounts((list) => followed.push(list.map(({ name, address }) => `${name} ${address}`)));
    tell([{ address: ALICE, name: 'Renamed' }, { address: BOB }]);
    tell('nonsense');
    stop();
    tell([{ address: ALICE }]);
    expect(followed).toEqual([[`Renamed ${ALICE}`, `Unnamed account ${BOB}`], []]);
    await vi.advanceTimersByTimeAsync(0);
    expect(unsubscribe).toHaveBeenCalledOnce();
  });

  it('survives a wallet whose accounts cannot be followed', async () => {
    const accounts = { get: () => [], subscribe: () => Promise.reject(new Error('no')) };
    const page = { injectedWeb3: { w: { enable: () => ({ accounts, signer }) } } };
    const connected = await connectInjected(walletOf(page, 'w'), 'Gauntlet', patience(), page);
    connected.onAccounts(() => undefined)();
    await vi.advanceTimersByTimeAsync(0);
    expect(connected.accounts).toEqual([]);
  });

  it('to one that never answers ends by time or by Cancel', async () => {
    vi.useRealTimers();
    const page = { injectedWeb3: { mute: { enable: () => new Promise(() => undefined) } } };
    const wallet = walletOf(page, 'mute');
    const short = { signal: new AbortController().signal, timeoutMs: 20 };
    await expect(connectInjected(wallet, 'Gauntlet', short, page)).rejects.toMatchObject({ kind: 'timeout' });
    const cancel = new AbortController();
    const cancelled = connectInjected(wallet, 'Gauntlet', { signal: cancel.signal, timeoutMs: 60_000 }, page);
    cancel.abort();
    await expect(cancelled).rejects.toMatchObject({ kind: 'cancelled' });
  });

  it('says why not: refused, gone, or of a wrong shape', async () => {
    const page = {
      injectedWeb3: {
        no: { enable: () => Promise.reject(new Error('Rejected by the person')) },
        throws: {
          enable: () => {
            throw new Error('locked');
          },
        },
        empty: { enable: () => Promise.resolve(undefined) },
        partial: { enable: () => Promise.resolve({ accounts: { get: () => [] } }) },
      },
    };
    const failure = (key: string): Promise<unknown> =>
      connectInjected({ key, name: key, version: undefined }, 'Gauntlet', patience(), page).catch(
        (error: unknown) => error,
      );
    expect(await failure('no')).toMatchObject({ kind: 'rejected', message: 'no said no: Rejected by the person' });
    expect(await failure('throws')).toMatchObject({ kind: 'rejected' });
    expect(await failure('empty')).toMatchObject({ kind: 'malformed' });
    expect(await failure('partial')).toMatchObject({ kind: 'malformed' });
    expect(await failure('absent')).toMatchObject({ kind: 'gone' });
  });
});
