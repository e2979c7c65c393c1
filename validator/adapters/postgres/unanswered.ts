/** A database that does not let in or answer, in words, and what an operator does about it. */
import { codeOf } from '../error-code.ts';

const MENDS: Partial<Record<string, string>> = {
  '28P01': 'Put the right user and password into DATABASE_URL.',
  '28000': 'Let this user in from this machine (pg_hba.conf), or put another one into DATABASE_URL.',
  '3D000': 'Make it with createdb, or name another one in DATABASE_URL.',
  '57P03': 'It is starting or recovering: wait, and look at its log when that takes long.',
  '53300': 'It has as many connections as it takes: raise max_connections.',
  ECONNREFUSED: 'Start it, or correct host and port in DATABASE_URL.',
  ENOENT: 'Start it, or correct the socket’s folder in DATABASE_URL.',
  ENOTFOUND: 'Correct the host in DATABASE_URL, or the name server.',
  ETIMEDOUT: 'Correct the host in DATABASE_URL, or let the firewall pass.',
};

/** @param error of a first connection */
export function unanswered(error: unknown): { readonly says: string; readonly mend: string } {
  const code = codeOf(error);
  // A host with several addresses, each of which refuses, is an error without a message.
  const reason = (error instanceof Error && error.message) || code || String(error);
  return {
    says: `it does not let in or answer: ${reason}`,
    mend: MENDS[code ?? ''] ?? 'Look at DATABASE_URL, at the network, and at the database’s log.',
  };
}

/** No connection to the database came about. */
export class DatabaseUnansweredError extends Error {
  override readonly name = 'DatabaseUnansweredError';

  constructor(cause: unknown) {
    const { says, mend } = unanswered(cause);
    super(`the database: ${says}. ${mend}`, { cause });
  }
}
