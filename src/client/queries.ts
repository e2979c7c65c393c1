/** The validator's state as queries. Events keep them fresh; while there are none they are polled. */
import { QueryClient, useQueries, useQuery, type UseQueryResult } from '@tanstack/react-query';
import { useDeferredValue, useMemo } from 'react';
import { HEARTBEAT_MS, SAFETY_POLL_MS } from '../../client/live-pace.ts';
import type {
  ClockState,
  Leaderboard,
  PeerState,
  Refusal,
  Sample,
  WindowRecord,
  WindowSummary,
} from '../../core/protocol/api.ts';
import type { SignedBook } from '../../core/protocol/book.ts';
import type { ChainRecord } from '../../core/protocol/chain.ts';
import type { RunManifest, SignedManifest } from '../../core/protocol/manifest.ts';
import { ProblemError } from '../../core/protocol/problem.ts';
import { useApp, useLive } from './app-context.ts';
import { MAX_WINDOWS, QUERY_KEYS } from './live.ts';

const POLL_MS = 2_000;
/** What arrives in an open window is no event. */
const OPEN_WINDOW_POLL_MS = 5_000;
const BOOK_KEPT_MS = 60_000;
/** There is a new one an epoch: an hour or so. */
const RECORDS_POLL_MS = 300_000;
/** As many as the validator answers with. */
const MAX_CHAIN_RECORDS = 500;

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // A validator on this machine is there without any network.
        networkMode: 'always',
        retry: (failures, error) => failures < 2 && !(error instanceof ProblemError && error.status < 500),
        staleTime: 1_000,
      },
    },
  });
}

function usePollMs(whileLive = SAFETY_POLL_MS): number {
  return useLive((state) => state.stream) === 'live' ? whileLive : POLL_MS;
}

export function useRun(): UseQueryResult<SignedManifest> {
  const { api } = useApp();
  return useQuery({
    queryKey: QUERY_KEYS.run,
    queryFn: ({ signal }) => api.run(signal),
    staleTime: Infinity,
    refetchInterval: ({ state }) => (state.status === 'error' ? POLL_MS * 2 : false),
  });
}

export function useManifest(): RunManifest | undefined {
  return useRun().data?.manifest;
}

export function useClock(): UseQueryResult<ClockState> {
  const { api, live } = useApp();
  return useQuery({
    queryKey: QUERY_KEYS.clock,
    queryFn: async ({ signal }) => {
      const sentMs = Date.now();
      try {
        const clock = await api.clock(signal);
        live.noteServerTime(clock, (sentMs + Date.now()) / 2);
        return clock;
      } catch (error) {
        if (!signal.aborted) live.noteFailure(error instanceof Error ? error : new Error(String(error)));
        throw error;
      }
    },
    // The poll is the retry.
    retry: false,
    refetchInterval: usePollMs(HEARTBEAT_MS),
  });
}

/** Why the validator cannot be reached; undefined while it answers. */
export function useUnreachable(): Error | undefined {
  return useLive((state) => state.failure);
}

export function useLeaderboard(): UseQueryResult<Leaderboard> {
  const { api } = useApp();
  return useQuery({
    queryKey: QUERY_KEYS.leaderboard,
    queryFn: ({ signal }) => api.leaderboard(signal),
    // To compare ten thousand peers with those before would block the page for longer than to draw the new ones.
    structuralSharing: false,
    refetchInterval: usePollMs(),
  });
}

export function useWindows(): UseQueryResult<WindowSummary[]> {
  const { api } = useApp();
  const window = useClock().data?.window;
  return useQuery({
    queryKey: QUERY_KEYS.windows,
    queryFn: ({ signal }) => api.windows(Math.max(1, (window ?? 1) - MAX_WINDOWS + 1), MAX_WINDOWS, signal),
    enabled: window !== undefined,
    refetchInterval: usePollMs(),
  });
}

export interface WindowHistory {
  /** Published windows, oldest first: the newest ones until all are here. */
  readonly windows: readonly WindowSummary[];
  /** Older ones are still on their way. */
  readonly loading: boolean;
}

/** All windows of the run: pages that are full never change, and the newest windows come with the events. */
export function useWindowHistory(): WindowHistory | undefined {
  const { api } = useApp();
  const recent = useWindows().data;
  const full = Math.floor(((recent?.at(-1)?.window ?? 0) - 1) / MAX_WINDOWS);
  const older = useQueries({
    queries: Array.from({ length: Math.max(0, full) }, (_, page) => {
      const from = page * MAX_WINDOWS + 1;
      return {
        queryKey: [...QUERY_KEYS.run, 'windows from', from],
        queryFn: ({ signal }: { signal: AbortSignal }) => api.windows(from, MAX_WINDOWS, signal),
        staleTime: Infinity,
      };
    }),
    combine: combinePages,
  });
  const history = useMemo(() => {
    if (!recent) return undefined;
    const first = recent[0]?.window ?? 1;
    const before = older.pages.flat().filter(({ window }) => window < first);
    return { windows: [...before, ...recent], loading: older.loading };
  }, [older, recent]);
  // Drawing thousands of windows may take a moment: what a person does meanwhile goes first.
  return useDeferredValue(history);
}

function combinePages(results: readonly UseQueryResult<WindowSummary[]>[]): {
  pages: readonly WindowSummary[][];
  loading: boolean;
} {
  // All at once: with thousands of windows, drawing anew for each page would keep the page’s thread busy.
  const loading = results.some(({ isPending }) => isPending);
  return { pages: loading ? [] : results.map(({ data }) => data ?? []), loading };
}

/** A window as the validator published it, or so much of it as is not sealed. What is published never changes. */
export function useWindowRecord(window: number | undefined): UseQueryResult<WindowRecord> {
  const { api } = useApp();
  const pollMs = usePollMs();
  return useQuery({
    queryKey: QUERY_KEYS.record(window ?? 0),
    queryFn: ({ signal }) => api.window(window!, signal),
    enabled: window !== undefined,
    staleTime: ({ state }) => (isPublished(state.data) ? Infinity : 0),
    refetchInterval: ({ state }) => (isPublished(state.data) ? false : Math.min(pollMs, OPEN_WINDOW_POLL_MS)),
  });
}

function isPublished(record: WindowRecord | undefined): boolean {
  return typeof record?.publishedAt === 'string';
}

/** The book of a published window; undefined asks for none. Null where the validator has none. */
export function useWindowBook(window: number | undefined): UseQueryResult<SignedBook | null> {
  const { api } = useApp();
  return useQuery({
    queryKey: QUERY_KEYS.book(window ?? 0),
    queryFn: async ({ signal }) => {
      try {
        return await api.book(window!, signal);
      } catch (error) {
        if (error instanceof ProblemError && error.status === 404) return null;
        throw error;
      }
    },
    enabled: window !== undefined,
    staleTime: ({ state }) => (state.data ? Infinity : 0),
    // A book may be megabytes; it is left soon after nobody shows it.
    gcTime: BOOK_KEPT_MS,
  });
}

/** Uploads of a window that were refused. */
export function useWindowRefusals(window: number | undefined): UseQueryResult<Refusal[]> {
  const { api } = useApp();
  return useQuery({
    queryKey: QUERY_KEYS.refusals(window ?? 0),
    queryFn: ({ signal }) => api.refusals(window!, signal),
    enabled: window !== undefined,
    gcTime: BOOK_KEPT_MS,
  });
}

/** What the model of each window went on with after the same prompts, oldest first. */
export function useSamples(): UseQueryResult<Sample[]> {
  const { api } = useApp();
  return useQuery({
    queryKey: QUERY_KEYS.samples,
    queryFn: ({ signal }) => api.samples(signal),
    refetchInterval: SAFETY_POLL_MS,
  });
}

/** Null when the validator does not know the hotkey: it has not joined. */
export function usePeer(hotkey: string | undefined): UseQueryResult<PeerState | null> {
  const { api } = useApp();
  return useQuery({
    queryKey: QUERY_KEYS.peer(hotkey ?? ''),
    queryFn: async ({ signal }) => {
      try {
        return await api.peer(hotkey!, signal);
      } catch (error) {
        if (error instanceof ProblemError && error.key === 'unknown-hotkey') return null;
        throw error;
      }
    },
    enabled: hotkey !== undefined,
    refetchInterval: usePollMs(),
  });
}

/** What the validator recorded of a hotkey on the run's chain, one reading an epoch. */
export function useChainRecords(hotkey: string | undefined): UseQueryResult<ChainRecord[]> {
  const { api } = useApp();
  return useQuery({
    queryKey: ['chain-records', hotkey],
    queryFn: ({ signal }) => api.chainRecords(hotkey!, MAX_CHAIN_RECORDS, signal),
    enabled: hotkey !== undefined,
    refetchInterval: RECORDS_POLL_MS,
  });
}
