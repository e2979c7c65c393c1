/**
 * Wallets that put themselves into `window.injectedWeb3` (@polkadot/extension-inject). Every key is listed, whoever it
 * belongs to, and nothing is asked of a wallet before a person chose it. What a wallet answers is read as if a stranger
 * wrote it, and every answer may fail to come.
 */
import { t } from '@lingui/core/macro';
import { messageOf } from '../../client/http.ts';
import { readAccounts, type WalletAccount } from './accounts.ts';
import { WALLET_NAMES } from './known-wallets.ts';
import { WalletError } from './wallet-error.ts';
import type { Injected } from './extension-types.ts';

export interface InjectedWallet {
  /** Under which it put itself into the page. */
  readonly key: string;
  /** As people know it; the key itself where nobody does. */
  readonly name: string;
  readonly version: string | undefined;
}

export interface ConnectedWallet {
  readonly wallet: InjectedWallet;
  readonly accounts: readonly WalletAccount[];
  readonly signer: Injected['signer'];
  /** Called with all accounts whenever they change: renamed, added, removed. @returns stops it */
  readonly onAccounts: (listener: (accounts: readonly WalletAccount[]) => void) => () => void;
}

export interface Patience {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

type Page = Record<string, unknown>;

const MAX_WALLETS = 50;
const MAX_TEXT = 60;
/** Extensions inject themselves when they please; most within a second of the page's load. */
const WATCH_MS = 500;

/** Every wallet that is in the page now, by name. */
export function injectedWallets(page: object = globalThis): readonly InjectedWallet[] {
  return Object.keys(entriesOf(page))
    .slice(0, MAX_WALLETS)
    .flatMap((key) => {
      const entry = entryOf(page, key);
      if (!entry) return [];
      const version = typeof entry['version'] === 'string' ? entry['version'].slice(0, MAX_TEXT) : undefined;
      return [{ key, name: nameOf(page, key), version }];
    })
    .sort((a, b) => a.name.localeCompare(b.name) || a.key.localeCompare(b.key));
}

/** Calls with the wallets now and whenever others are there. @returns stops it */
export function watchWallets(
  listener: (wallets: readonly InjectedWallet[]) => void,
  page: object = globalThis,
): () => void {
  let known: string | undefined;
  const look = (): void => {
    const wallets = injectedWallets(page);
    const now = JSON.stringify(wallets);
    if (now === known) return;
    known = now;
    listener(wallets);
  };
  look();
  const timer = setInterval(look, WATCH_MS);
  return () => clearInterval(timer);
}

/**
 * Asks one wallet for access: it shows a popup the first time. It may never answer.
 *
 * @param origin what the wallet shows as the one who asks
 * @throws WalletError
 */
export async function connectInjected(
  wallet: InjectedWallet,
  origin: string,
  patience: Patience,
  page: object = globalThis,
): Promise<ConnectedWallet> {
  const entry = entryOf(page, wallet.key);
  if (!entry) {
    throw new WalletError(
      'gone',
      t`${wallet.name} is no longer in this page.`,
      t`Check that the extension is switched on for this site, then reload the page.`,
    );
  }
  const enable = (entry['enable'] ?? entry['connect']) as (origin: string) => unknown;
  const injected = await answerOf(wallet, () => enable.call(entry, origin), patience);
  const { accounts, signer } = readInjected(injected, wallet);
  const first = readAccounts(await answerOf(wallet, () => accounts.get(), patience));
  return {
    wallet,
    accounts: first,
    signer,
    onAccounts: (listener) => subscribe(accounts, listener),
  };
}

/**
 * What a wallet answers, if it does.
 *
 * @throws WalletError `rejected` for whatever the wallet throws, `timeout` and `cancelled`
 */
export async function answerOf(
  { name }: InjectedWallet,
  ask: () => unknown,
  { signal, timeoutMs }: Patience,
): Promise<unknown> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const over = AbortSignal.any([signal, timeout]);
  const given = new Promise<never>((_resolve, reject) => {
    const giveUp = (): void =>
      reject(
        signal.aborted
          ? new WalletError('cancelled', t`Cancelled.`, t`Choose a wallet again whenever you like.`)
          : new WalletError(
              'timeout',
              t`${name} has not answered for ${Math.round(timeoutMs / 1_000)} seconds.`,
              t`Open the wallet from the browser’s toolbar: it may be locked, or its popup behind another window. Then try again.`,
            ),
      );
    if (over.aborted) giveUp();
    else over.addEventListener('abort', giveUp, { once: true });
  });
  try {
    return await Promise.race([Promise.resolve().then(ask), given]);
  } catch (error) {
    if (error instanceof WalletError) throw error;
    throw new WalletError(
      'rejected',
      t`${name} said no: ${messageOf(error).slice(0, 200)}`,
      t`Try again and approve the request in the wallet. Without a popup, see in the wallet’s settings whether it refuses this site.`,
      { cause: error },
    );
  }
}

function readInjected(answer: unknown, { name }: InjectedWallet): Injected {
  const { accounts, signer } = Object(answer) as Partial<Record<keyof Injected, unknown>>;
  const list = Object(accounts) as Partial<Record<string, unknown>>;
  if (typeof list['get'] !== 'function' || typeof signer !== 'object' || signer === null) {
    throw new WalletError(
      'malformed',
      t`${name} answered something that this app does not understand.`,
      t`Update the wallet, or choose another one.`,
    );
  }
  return answer as Injected;
}

function subscribe(accounts: Injected['accounts'], listener: (accounts: readonly WalletAccount[]) => void): () => void {
  let stopped = false;
  let stop: unknown;
  try {
    // Some wallets answer with a promise of it, and some cannot.
    stop = accounts.subscribe((answer) => {
      if (!stopped) listener(readAccounts(answer));
    });
  } catch {
    return () => undefined;
  }
  return () => {
    stopped = true;
    void Promise.resolve(stop).then(
      (unsubscribe) => (typeof unsubscribe === 'function' ? (unsubscribe as () => unknown)() : undefined),
      () => undefined,
    );
  };
}

function nameOf(page: object, key: string): string {
  // Nova injects itself as Polkadot{.js}, and says so here.
  const self = read(page as Page, 'walletExtension');
  if (
    key === 'polkadot-js' &&
    typeof self === 'object' &&
    self !== null &&
    read(self as Page, 'isNovaWallet') === true
  ) {
    return 'Nova Wallet';
  }
  return (Object.hasOwn(WALLET_NAMES, key) ? WALLET_NAMES[key] : undefined) ?? key.slice(0, MAX_TEXT);
}

function entriesOf(page: object): Page {
  const injected = read(page as Page, 'injectedWeb3');
  return typeof injected === 'object' && injected !== null ? (injected as Page) : {};
}

function entryOf(page: object, key: string): Page | undefined {
  const entry = read(entriesOf(page), key);
  if (typeof entry !== 'object' || entry === null) return undefined;
  const wallet = entry as Page;
  const enable = read(wallet, 'enable') ?? read(wallet, 'connect');
  return typeof enable === 'function' ? wallet : undefined;
}

/** A getter of somebody else's object may throw. */
function read(object: Page, key: string): unknown {
  try {
    return object[key];
  } catch {
    return undefined;
  }
}
