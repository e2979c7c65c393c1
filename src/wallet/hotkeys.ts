/** Which hotkeys an account may sign for on the run's chain: itself, and those that it owns as their coldkey. */
import type { RunChain } from '../../core/protocol/manifest.ts';

export interface HotkeyChoice {
  readonly address: string;
  /** On the run's subnet; null where it is not registered. */
  readonly uid: number | null;
}

const TIMEOUT_MS = 25_000;
const MAX_HOTKEYS = 64;

/** The account itself first. Loads the chain library. @throws ChainError, or the signal's reason */
export async function hotkeysOf(
  { endpoints, genesisHash, netuid }: RunChain,
  account: string,
  signal: AbortSignal,
): Promise<readonly HotkeyChoice[]> {
  const over = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const given = new Promise<never>((_resolve, reject) => {
    over.addEventListener('abort', () => reject(new Error('The chain has not answered in time.')), { once: true });
  });
  const { connectChain } = await import('../../chain/connect.ts');
  const connecting = connectChain({ endpoints, genesisHash });
  try {
    return await Promise.race([
      given,
      (async () => {
        const chain = await connecting;
        const owned = (await chain.hotkeysOf(account)).filter((address) => address !== account);
        return Promise.all(
          [account, ...owned].slice(0, MAX_HOTKEYS).map(async (address) => {
            const registration = await chain.registration(netuid, address);
            return { address, uid: registration?.uid ?? null };
          }),
        );
      })(),
    ]);
  } finally {
    // Whether or not it was waited for.
    void connecting.then(
      (chain) => chain.close(),
      () => undefined,
    );
  }
}
