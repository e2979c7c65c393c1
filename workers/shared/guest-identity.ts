/** The guest's key, made on first use. The page and the worker open the same record. */
import type { Signer } from '../../core/identity/signing.ts';
import { encodeAddress } from '../../core/identity/ss58.ts';
import type { Database, IdentityRecord } from './database.ts';
import { createKey, signerOf } from './stored-key.ts';

export interface GuestIdentity {
  readonly hotkey: string;
  readonly signer: Signer;
}

/** The guest key of this browser, made on first use. @throws KeyError or StorageError */
export async function openGuestIdentity(database: Database, subtle?: SubtleCrypto): Promise<GuestIdentity> {
  const held = await database.use((connection) => connection.get('identities', 'guest'));
  const record = held ?? (await createRecord(database, subtle));
  return { hotkey: encodeAddress(record.publicKey), signer: signerOf(record) };
}

async function createRecord(database: Database, subtle: SubtleCrypto | undefined): Promise<IdentityRecord> {
  const created: IdentityRecord = { id: 'guest', ...(await createKey(subtle)), createdAtMs: Date.now() };
  return database.use(async (connection) => {
    // The page and the worker may both be first: whoever stored a key first wins, for both.
    const transaction = connection.transaction('identities', 'readwrite');
    const held = await transaction.store.get('guest');
    if (!held) await transaction.store.put(created);
    await transaction.done;
    return held ?? created;
  });
}
