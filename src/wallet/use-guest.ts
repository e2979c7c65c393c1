/** This browser's guest key, as the page sees it: the address and never the secret. */
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { createDatabase } from '../../workers/shared/database.ts';
import { openGuestIdentity } from '../../workers/shared/guest-identity.ts';

const database = createDatabase();

export function useGuestHotkey(): UseQueryResult<string> {
  return useQuery({
    queryKey: ['guest-hotkey'],
    queryFn: async () => {
      const { hotkey } = await openGuestIdentity(database);
      // An open connection would stand in the way of the worker's, should that be of a newer version.
      await database.close();
      return hotkey;
    },
    staleTime: Infinity,
    retry: false,
  });
}
