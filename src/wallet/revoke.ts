/** Taking a session key out of force: by its own signature at the validator, and by deleting it here. */
import { bytesToHex } from '@noble/hashes/utils.js';
import type { ValidatorApi } from '../../client/api.ts';
import { messageOf } from '../../client/http.ts';
import { canonicalBytes } from '../../core/identity/canonical.ts';
import { signHex } from '../../core/identity/signing.ts';
import type { WalletRecord } from '../../workers/shared/database.ts';
import { signerOf } from '../../workers/shared/stored-key.ts';
import { forgetWallet } from '../../workers/shared/wallet-identity.ts';
import { withKeys } from './use-identity.ts';

/**
 * Revokes and deletes. The key is deleted whatever the validator says: without it nobody can sign.
 *
 * @param serverNow the validator's time, ms since the epoch
 * @returns why the validator has not taken note, undefined when it has
 * @throws StorageError when the key could not be deleted
 */
export async function revoke(
  api: Pick<ValidatorApi, 'revoke'>,
  record: WalletRecord,
  serverNow: number,
): Promise<string | undefined> {
  const { run, hotkey, publicKey } = record;
  const revocation = {
    run,
    hotkey,
    sessionKey: bytesToHex(publicKey),
    revokedAt: new Date(serverNow).toISOString(),
  };
  const signature = await signHex(signerOf(record), 'revocation', canonicalBytes(revocation));
  const unnoted = await api.revoke({ revocation, signature }).then(() => undefined, messageOf);
  await withKeys((keys) => forgetWallet(keys, run, hotkey));
  return unnoted;
}
