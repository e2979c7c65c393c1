/** The text by which a wallet lets a session key contribute, and the bytes that are signed of it. */
import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { Delegation } from '../protocol/api.ts';

/**
 * What a person reads and a wallet signs: one line of printable ASCII, nothing in it but the delegation itself. Line ends
 * would be nicer, but the polkadot{.js} extension shows what has any as hexadecimal. All fields are of a form without
 * spaces or bars (core/protocol), so that none can pass for another.
 */
export function delegationText({ run, hotkey, sessionKey, scopes, issuedAt, expiresAt }: Delegation): string {
  return [
    'Gauntlet delegation, version 1. Until it expires or is revoked, the session key below may train and upload for this ' +
      'hotkey in this run. It cannot move funds, stake, register or sign transactions.',
    `Run: ${run}`,
    `Hotkey: ${hotkey}`,
    `Session key: ${sessionKey}`,
    `Allowed: ${scopes.join(', ')}`,
    `Issued: ${issuedAt}`,
    `Expires: ${expiresAt}`,
  ].join(' | ');
}

/** What wallets sign of a text: `signRaw` puts it between <Bytes> and </Bytes>, so that it is no transaction. */
export function wrappedBytes(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(utf8ToBytes(`<Bytes>${text}</Bytes>`));
}
