/** What this site stores in the browser, read again whenever the contributor's state changes. */
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { readStorageRoom, type StorageRoom } from '../../workers/shared/storage-room.ts';

const REREAD_MS = 15_000;

export function useStorageRoom(): UseQueryResult<StorageRoom> {
  return useQuery({ queryKey: ['storage-room'], queryFn: () => readStorageRoom(), refetchInterval: REREAD_MS });
}
