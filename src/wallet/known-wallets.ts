/** Names of wallets by the key that they inject themselves under, and where those who have none can get one. */
import type { MessageDescriptor } from '@lingui/core';
import { msg } from '@lingui/core/macro';

/** What is not listed here is shown under its own key. */
export const WALLET_NAMES: Readonly<Record<string, string>> = {
  'polkadot-js': 'Polkadot{.js}',
  talisman: 'Talisman',
  'subwallet-js': 'SubWallet',
  'bittensor-wallet': 'Bittensor Wallet',
  'brave-wallet': 'Brave Wallet',
  'fearless-wallet': 'Fearless Wallet',
  enkrypt: 'Enkrypt',
  polkagate: 'PolkaGate',
};

export interface WalletHome {
  readonly name: string;
  readonly url: string;
  readonly note: MessageDescriptor;
}

export const WALLET_HOMES: readonly WalletHome[] = [
  { name: 'Talisman', url: 'https://talisman.xyz', note: msg`browser extension` },
  { name: 'SubWallet', url: 'https://www.subwallet.app', note: msg`browser extension and phone` },
  { name: 'Polkadot{.js}', url: 'https://polkadot.js.org/extension/', note: msg`browser extension` },
  { name: 'Bittensor Wallet', url: 'https://bittensor.com/wallet', note: msg`browser extension and phone` },
  { name: 'Nova Wallet', url: 'https://novawallet.io', note: msg`phone` },
];

/** Links that open a page in a wallet's own browser on a phone, where that wallet is injected. */
export function walletBrowsers(page: string): readonly WalletHome[] {
  const url = encodeURIComponent(page);
  return [
    {
      name: 'Nova Wallet',
      url: `https://app.novawallet.io/open/dapp?url=${url}`,
      note: msg`opens this page in its browser`,
    },
    {
      name: 'SubWallet',
      url: `https://mobile.subwallet.app/browser?url=${url}`,
      note: msg`opens this page in its browser`,
    },
  ];
}
