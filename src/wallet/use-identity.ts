/** Who contributes to this run from this browser: a wallet's hotkey that was connected, else the guest key. */
import { useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { createDatabase, type Database, type WalletRecord } from '../../workers/shared/database.ts';
import { openGuestIdentity } from '../../workers/shared/guest-identity.ts';
import { chosenWallet, walletsOf } from '../../workers/shared/wallet-identity.ts';
import { useRun } from '../client/queries.ts';

export interface OwnIdentity {
  readonly run: string;
  readonly hotkey: string;
  /** Undefined for the guest. */
  readonly wallet: WalletRecord | undefined;
  /** Signed for this run in this browser before, and not revoked. */
  readonly held: readonly WalletRecord[];
}

const QUERY_KEY = 'identity';
const database = createDatabase();

let turn: Promise<unknown> = Promise.resolve();

/**
 * Work on the keys' storage, one after another. An open connection would stand in the way of the worker's, should that
 * be newer: it is closed after each.
 */
export function withKeys<T>(work: (database: Database) => Promise<T>): Promise<T> {
  const result = turn.then(() => work(database).finally(() => database.close()));
  turn = result.catch(() => undefined);
  return result;
}

export function useOwnIdentity(): UseQueryResult<OwnIdentity> {
  const run = useRun().data?.run;
  return useQuery({
    queryKey: [QUERY_KEY, run],
    queryFn: () =>
      withKeys(async (keys) => {
        const wallet = await chosenWallet(keys, run!);
        const hotkey = wallet?.hotkey ?? (await openGuestIdentity(keys)).hotkey;
        return { run: run!, hotkey, wallet, held: await walletsOf(keys, run!) };
      }),
    enabled: run !== undefined,
    retry: false,
  });
}

/** Undefined until it is known. */
export function useOwnHotkey(): string | undefined {
  return useOwnIdentity().data?.hotkey;
}

/** To be called after the stored identities have changed. */
export function useIdentityChanged(): () => Promise<void> {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: [QUERY_KEY] });
}
