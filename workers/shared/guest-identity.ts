/**
 * The guest's Ed25519 key: made by WebCrypto, not extractable, kept in IndexedDB. The page and the worker open the same
 * record, so the secret never travels between them.
 */
import { encodeAddress } from '../../core/identity/ss58.ts';
import type { Signer } from '../../core/identity/signing.ts';
import type { Database, IdentityRecord } from './database.ts';

/** No guest key can be had; `remedy` says what a person can do. */
export class GuestIdentityError extends Error {
  override readonly name = 'GuestIdentityError';
  readonly remedy: string;

  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.remedy = remedy;
  }
}

export interface GuestIdentity {
  readonly hotkey: string;
  readonly signer: Signer;
}

const ALGORITHM = { name: 'Ed25519' } as const;

/** The guest key of this browser, made on first use. @throws GuestIdentityError or StorageError */
export async function openGuestIdentity(
  database: Database,
  subtle: SubtleCrypto | undefined = webCrypto(),
): Promise<GuestIdentity> {
  if (!subtle) {
    throw new GuestIdentityError(
      'This page is not in a secure context, so the browser offers no cryptography.',
      'Open the app over https:// or from localhost.',
    );
  }
  const held = await database.use((connection) => connection.get('identities', 'guest'));
  return identityOf(held ?? (await createRecord(database, subtle)), subtle);
}

async function createRecord(database: Database, subtle: SubtleCrypto): Promise<IdentityRecord> {
  const created = await generate(subtle);
  return database.use(async (connection) => {
    // The page and the worker may both be first: whoever stored a key first wins, for both.
    const transaction = connection.transaction('identities', 'readwrite');
    const held = await transaction.store.get('guest');
    if (!held) await transaction.store.put(created);
    await transaction.done;
    return held ?? created;
  });
}

async function generate(subtle: SubtleCrypto): Promise<IdentityRecord> {
  try {
    const { privateKey, publicKey } = await subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
    const raw = new Uint8Array(await subtle.exportKey('raw', publicKey));
    return { id: 'guest', privateKey, publicKey: raw, createdAtMs: Date.now() };
  } catch (cause) {
    throw new GuestIdentityError(
      'This browser cannot make Ed25519 keys.',
      'Update the browser: Chrome and Edge 137, Firefox 130 and Safari 17 or newer can.',
      { cause },
    );
  }
}

function identityOf(record: IdentityRecord, subtle: SubtleCrypto): GuestIdentity {
  return {
    hotkey: encodeAddress(record.publicKey),
    signer: {
      publicKey: record.publicKey,
      sign: async (message) => new Uint8Array(await subtle.sign(ALGORITHM, record.privateKey, message)),
    },
  };
}

function webCrypto(): SubtleCrypto | undefined {
  return (globalThis.crypto as Crypto | undefined)?.subtle;
}
