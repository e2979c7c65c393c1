/**
 * Session keys that a wallet's hotkey delegated to, and which identity contributes to a run from this browser. The page
 * stores what was signed, the worker opens it.
 */
import { SignatureNeededError, type Identity } from '../../client/identity.ts';
import type { Database, WalletRecord } from './database.ts';
import { signerOf } from './stored-key.ts';

/** The wallet identity that was chosen for a run; undefined for the guest. @throws StorageError */
export function chosenWallet(database: Database, run: string): Promise<WalletRecord | undefined> {
  return database.use(async (connection) => {
    const transaction = connection.transaction(['choices', 'wallets']);
    const choice = await transaction.objectStore('choices').get(run);
    return choice && transaction.objectStore('wallets').get([run, choice.hotkey]);
  });
}

export function walletOf(database: Database, run: string, hotkey: string): Promise<WalletRecord | undefined> {
  return database.use((connection) => connection.get('wallets', [run, hotkey]));
}

/** Everything that wallets signed for a run in this browser. */
export function walletsOf(database: Database, run: string): Promise<WalletRecord[]> {
  return database.use((connection) => connection.getAll('wallets', IDBKeyRange.bound([run], [run, []])));
}

/** Keeps what was signed, in place of what the same hotkey signed before, and chooses it for its run. */
export function saveWallet(database: Database, record: WalletRecord): Promise<void> {
  return database.use(async (connection) => {
    const transaction = connection.transaction(['choices', 'wallets'], 'readwrite');
    await Promise.all([
      transaction.objectStore('wallets').put(record),
      transaction.objectStore('choices').put({ run: record.run, hotkey: record.hotkey }),
      transaction.done,
    ]);
  });
}

/** Contributes as the guest from now on; the session key stays for another time. */
export function chooseGuest(database: Database, run: string): Promise<void> {
  return database.use((connection) => connection.delete('choices', run));
}

/** Deletes the session key: nobody can sign with it any more. */
export function forgetWallet(database: Database, run: string, hotkey: string): Promise<void> {
  return database.use(async (connection) => {
    const transaction = connection.transaction(['choices', 'wallets'], 'readwrite');
    const choice = await transaction.objectStore('choices').get(run);
    await Promise.all([
      transaction.objectStore('wallets').delete([run, hotkey]),
      ...(choice?.hotkey === hotkey ? [transaction.objectStore('choices').delete(run)] : []),
      transaction.done,
    ]);
  });
}

/**
 * A wallet's hotkey with its session key. The request is read anew for each joining: a person may have signed again.
 *
 * @throws SignatureNeededError when nothing was signed for this run and hotkey; StorageError
 */
export async function openWalletIdentity(
  database: Database,
  { run, hotkey }: { readonly run: string; readonly hotkey: string },
): Promise<Identity> {
  const held = async (of: string): Promise<WalletRecord> => {
    const record = await walletOf(database, of, hotkey);
    if (record) return record;
    throw new SignatureNeededError('This browser holds no signature of that account for this run.');
  };
  let sessionSigner = signerOf(await held(run));
  return {
    hotkey,
    get sessionSigner() {
      return sessionSigner;
    },
    async joinRequest(joined, serverNow) {
      const record = await held(joined);
      const { request } = record;
      // Where storage was evicted, what was signed since is for a new key.
      sessionSigner = signerOf(record);
      if (Date.parse(request.delegation.expiresAt) <= serverNow) {
        throw new SignatureNeededError('What your wallet signed has expired.');
      }
      return request;
    },
  };
}
