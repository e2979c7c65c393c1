/** What a wallet is once it is enabled, in the words of the library that wallets write themselves for. Types only. */
import type { web3FromSource } from '@polkadot/extension-dapp';

export type Injected = Awaited<ReturnType<typeof web3FromSource>>;
export type InjectedAccount = Awaited<ReturnType<Injected['accounts']['get']>>[number];
