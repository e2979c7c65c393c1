/** Which backend a start would use, found out without loading an engine. */
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { chooseBackend } from '../../engine/capability.ts';
import type { BackendReport } from '../../engine/engine.ts';
import { useApp } from '../client/app-context.ts';

export function useExpectedBackend(): UseQueryResult<BackendReport> {
  const { forceBackend } = useApp().parameters.start;
  return useQuery({
    queryKey: ['expected-backend', forceBackend],
    queryFn: () => chooseBackend(forceBackend === undefined ? {} : { force: forceBackend }),
    staleTime: Infinity,
    retry: false,
  });
}
