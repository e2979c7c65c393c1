/**
 * Connecting a wallet, step by step: wallets → connecting → accounts → (hotkey, where there is a chain) → review →
 * signing → connected. Free of the DOM; the dialog shows what it says.
 */
import { t } from '@lingui/core/macro';
import { createStore, type StoreApi } from 'zustand/vanilla';
import { failureOf, remedyOf } from '../../client/failure.ts';
import { messageOf } from '../../client/http.ts';
import type { Delegation, WalletJoin } from '../../core/protocol/api.ts';
import type { StoredKey, WalletRecord } from '../../workers/shared/database.ts';
import { withPrefix42, type WalletAccount } from './accounts.ts';
import { createDelegation, signDelegation, type ExpiryDays } from './delegate.ts';
import type { HotkeyChoice } from './hotkeys.ts';
import { connectInjected, watchWallets, type ConnectedWallet, type InjectedWallet } from './injected.ts';
import { WalletError } from './wallet-error.ts';

export interface FlowOptions {
  readonly run: string;
  /** A record whose delegation is to be renewed: its wallet, account and hotkey are taken again. */
  readonly renew?: WalletRecord | undefined;
  /** The validator's time, ms since the epoch. */
  readonly serverNow: () => number;
  readonly createKey: () => Promise<StoredKey>;
  readonly heldRecord: (hotkey: string) => Promise<WalletRecord | undefined>;
  /** In a run with a chain: the hotkeys that an account may sign for. */
  readonly hotkeysOf?: ((account: string, signal: AbortSignal) => Promise<readonly HotkeyChoice[]>) | undefined;
  readonly join: (request: WalletJoin) => Promise<unknown>;
  readonly save: (record: WalletRecord) => Promise<void>;
  readonly page?: object;
  readonly origin: string;
  readonly enableTimeoutMs?: number;
  readonly signTimeoutMs?: number;
}

export type HotkeyLookup =
  | { readonly kind: 'asking' }
  | { readonly kind: 'found'; readonly choices: readonly HotkeyChoice[] }
  | { readonly kind: 'failed'; readonly reason: string };

interface Chosen {
  readonly account: WalletAccount;
  readonly hotkey: string;
  readonly key: StoredKey;
  readonly days: ExpiryDays;
  /** What will be signed, to the letter. */
  readonly delegation: Delegation;
}

export type Step =
  | { readonly kind: 'wallets' }
  | { readonly kind: 'connecting'; readonly wallet: InjectedWallet }
  | { readonly kind: 'accounts' }
  | { readonly kind: 'hotkey'; readonly account: WalletAccount; readonly lookup: HotkeyLookup }
  | ({ readonly kind: 'review' } & Chosen)
  | ({ readonly kind: 'signing' } & Chosen)
  | { readonly kind: 'connected'; readonly record: WalletRecord; readonly unconfirmed: string | undefined };

export interface FlowState {
  readonly step: Step;
  readonly wallets: readonly InjectedWallet[];
  /** Of the wallet that was chosen. */
  readonly accounts: readonly WalletAccount[];
  readonly failure: { readonly message: string; readonly remedy: string } | undefined;
}

export interface Flow {
  readonly store: StoreApi<FlowState>;
  readonly choose: (wallet: InjectedWallet) => Promise<void>;
  readonly pickAccount: (account: WalletAccount) => Promise<void>;
  /** @param address any prefix; what is no address is refused in words */
  readonly pickHotkey: (address: string) => Promise<void>;
  readonly setDays: (days: ExpiryDays) => void;
  readonly sign: () => Promise<void>;
  /** Gives up what is waited for, and goes one step back. */
  readonly back: () => void;
  /** Notices wallets from now on. @returns ends it: nothing is waited for or followed any more */
  readonly open: () => () => void;
}

/** A person reads the popup. */
const ENABLE_TIMEOUT_MS = 60_000;
const SIGN_TIMEOUT_MS = 300_000;
const DEFAULT_DAYS: ExpiryDays = 30;

export function createFlow(options: FlowOptions): Flow {
  const { page = globalThis, origin, run, renew } = options;
  const store = createStore<FlowState>(() => ({
    step: { kind: 'wallets' },
    wallets: [],
    accounts: [],
    failure: undefined,
  }));
  let connected: ConnectedWallet | undefined;
  let stopFollowing = (): void => undefined;
  let abort = new AbortController();
  let awaited = renew?.wallet.key;

  const go = (step: Step, error?: unknown): void => {
    const failure = error === undefined ? undefined : inWords(error);
    store.setState({ step, failure });
  };

  /** Ends what is under way. */
  function restart(): AbortSignal {
    abort.abort();
    abort = new AbortController();
    return abort.signal;
  }

  function disconnect(): void {
    stopFollowing();
    stopFollowing = () => undefined;
    connected = undefined;
  }

  function onAccounts(accounts: readonly WalletAccount[]): void {
    store.setState({ accounts });
    const { step } = store.getState();
    if (step.kind !== 'hotkey' && step.kind !== 'review' && step.kind !== 'signing') return;
    const { address, name } = step.account;
    if (accounts.some((account) => account.address === address)) return;
    restart();
    go(
      { kind: 'accounts' },
      new WalletError('gone', t`The wallet no longer offers ${name}.`, t`Choose another account, or allow it again.`),
    );
  }

  async function choose(wallet: InjectedWallet): Promise<void> {
    awaited = undefined;
    const signal = restart();
    disconnect();
    go({ kind: 'connecting', wallet });
    try {
      const timeoutMs = options.enableTimeoutMs ?? ENABLE_TIMEOUT_MS;
      const answer = await connectInjected(wallet, origin, { signal, timeoutMs }, page);
      if (signal.aborted) return;
      connected = answer;
      store.setState({ accounts: answer.accounts });
      go({ kind: 'accounts' });
      stopFollowing = answer.onAccounts(onAccounts);
      const again = answer.accounts.find(({ address }) => address === renew?.request.signer);
      if (renew && again) await review(again, renew.hotkey);
    } catch (error) {
      if (!signal.aborted) go({ kind: 'wallets' }, error);
    }
  }

  async function pickAccount(account: WalletAccount): Promise<void> {
    const { hotkeysOf } = options;
    if (!hotkeysOf) return review(account, account.address);
    const signal = restart();
    go({ kind: 'hotkey', account, lookup: { kind: 'asking' } });
    const lookup = await hotkeysOf(account.address, signal).then(
      (choices): HotkeyLookup => ({ kind: 'found', choices }),
      (error: unknown): HotkeyLookup => ({ kind: 'failed', reason: messageOf(error) }),
    );
    const { step } = store.getState();
    if (!signal.aborted && step.kind === 'hotkey') go({ ...step, lookup });
  }

  async function review(account: WalletAccount, hotkey: string): Promise<void> {
    const { step } = store.getState();
    const signal = restart();
    try {
      // The same session key again: a contributor at work goes on with it.
      const key = (await options.heldRecord(hotkey)) ?? (await options.createKey());
      if (signal.aborted) return;
      const days = DEFAULT_DAYS;
      go({ kind: 'review', account, hotkey, key, days, delegation: delegationOf(hotkey, key, days) });
    } catch (error) {
      if (!signal.aborted) go(step, error);
    }
  }

  function delegationOf(hotkey: string, { publicKey }: StoredKey, days: ExpiryDays): Delegation {
    return createDelegation({ run, hotkey, sessionKey: publicKey, days, serverNow: options.serverNow() });
  }

  async function sign(): Promise<void> {
    const { step } = store.getState();
    if (step.kind !== 'review' || !connected) return;
    const { account, hotkey, key, delegation } = step;
    const { wallet } = connected;
    const signal = restart();
    go({ ...step, kind: 'signing' });
    try {
      const timeoutMs = options.signTimeoutMs ?? SIGN_TIMEOUT_MS;
      const request = await signDelegation(connected, account, delegation, { signal, timeoutMs });
      if (signal.aborted) return;
      const unconfirmed = await joinOrWhyNot(request);
      const { privateKey, publicKey } = key;
      const names = { key: wallet.key, name: wallet.name, account: account.name };
      const record: WalletRecord = { run, hotkey, privateKey, publicKey, request, wallet: names };
      await options.save(record);
      disconnect();
      go({ kind: 'connected', record, unconfirmed });
    } catch (error) {
      if (!signal.aborted) go(step, error);
    }
  }

  /** A refusal is for the person to see now; what mends itself is left to the contributor, which joins again. */
  async function joinOrWhyNot(request: WalletJoin): Promise<string | undefined> {
    try {
      await options.join(request);
      return undefined;
    } catch (error) {
      if (failureOf(error).kind !== 'retry') throw error;
      return messageOf(error);
    }
  }

  function onWallets(wallets: readonly InjectedWallet[]): void {
    store.setState({ wallets });
    const wallet = wallets.find(({ key }) => key === awaited);
    if (wallet && store.getState().step.kind === 'wallets') void choose(wallet);
  }

  return {
    store,
    choose,
    pickAccount,
    async pickHotkey(address) {
      const { step } = store.getState();
      if (step.kind !== 'hotkey') return;
      const hotkey = withPrefix42(address.trim());
      if (hotkey !== undefined) return review(step.account, hotkey);
      go(
        step,
        new WalletError('malformed', t`That is no address.`, t`A hotkey is 48 letters and digits; copy it whole.`),
      );
    },
    setDays(days) {
      const { step } = store.getState();
      if (step.kind === 'review') go({ ...step, days, delegation: delegationOf(step.hotkey, step.key, days) });
    },
    sign,
    back() {
      const { step } = store.getState();
      restart();
      if (step.kind === 'signing') go({ ...step, kind: 'review' });
      else if (step.kind === 'review' || step.kind === 'hotkey') go({ kind: 'accounts' });
      else {
        disconnect();
        go({ kind: 'wallets' });
      }
    },
    open() {
      const stopWatching = watchWallets(onWallets, page);
      return () => {
        restart();
        disconnect();
        stopWatching();
      };
    },
  };
}

function inWords(error: unknown): { message: string; remedy: string } {
  const failure = failureOf(error);
  const remedy = remedyOf(error) ?? (failure.kind === 'fatal' ? failure.remedy : t`Try again.`);
  return { message: messageOf(error), remedy };
}
