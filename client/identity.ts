/** Who contributes. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { canonicalBytes } from '../core/identity/canonical.ts';
import { signHex, type Signer } from '../core/identity/signing.ts';
import { encodeAddress } from '../core/identity/ss58.ts';
import type { Delegation, JoinRequest } from '../core/protocol/api.ts';

const DELEGATION_MS = 30 * 24 * 3_600_000;

/** A person has to sign before a run can be joined (again). */
export class SignatureNeededError extends Error {
  override readonly name = 'SignatureNeededError';
  readonly remedy = 'Connect the wallet and sign again, or contribute as a guest.';
}

/** A hotkey and the session key that signs for it; for a guest both are one key. */
export interface Identity {
  /** SS58 address. */
  readonly hotkey: string;
  /** Another one after a joining for which a person signed anew, perhaps. */
  readonly sessionSigner: Signer;
  /**
   * What a run is joined with: signed on the spot by a guest, kept from the wallet's one signature otherwise.
   *
   * @param serverNow the validator's time, ms since the epoch
   * @throws SignatureNeededError when a person has to sign (anew)
   */
  joinRequest(run: string, serverNow: number): Promise<JoinRequest>;
}

/** The identity of a key that is both hotkey and session key. */
export function guestIdentity(signer: Signer): Identity {
  const hotkey = encodeAddress(signer.publicKey);
  return {
    hotkey,
    sessionSigner: signer,
    async joinRequest(run, serverNow) {
      const delegation: Delegation = {
        run,
        hotkey,
        sessionKey: bytesToHex(signer.publicKey),
        scopes: ['contribute'],
        issuedAt: new Date(serverNow).toISOString(),
        expiresAt: new Date(serverNow + DELEGATION_MS).toISOString(),
      };
      return { kind: 'guest', delegation, signature: await signHex(signer, 'delegation', canonicalBytes(delegation)) };
    },
  };
}
