/** The text that a wallet signs to let a session key contribute: for a person to read, and to the letter for the validator. */
import type { Delegation } from '../protocol/api.ts';

/** One text for one delegation. Lines are ASCII, so that every wallet and hardware shows them as they are. */
export function delegationText({ run, hotkey, sessionKey, scopes, issuedAt, expiresAt }: Delegation): string {
  return [
    'Gauntlet: let a key in a browser contribute for a hotkey',
    '',
    'The session key below may train and upload for this hotkey in this run, until it expires or is revoked. It cannot move funds, stake, register or sign anything else.',
    '',
    `Run: ${run}`,
    `Hotkey: ${hotkey}`,
    `Session key: ${sessionKey}`,
    `Allowed: ${scopes.join(', ')}`,
    `Issued: ${issuedAt}`,
    `Expires: ${expiresAt}`,
  ].join('\n');
}
