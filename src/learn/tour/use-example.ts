/** A contribution that was really evaluated, newest first: what the tour shows is never made up. */
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import type { ValidatorApi } from '../../../client/api.ts';
import type { Evaluation, WindowRecord, WindowSummary } from '../../../core/protocol/api.ts';
import { useApp } from '../../client/app-context.ts';
import { useWindows } from '../../client/queries.ts';
import { useOwnHotkey } from '../../wallet/use-identity.ts';

export interface Example {
  readonly window: number;
  readonly evaluation: Evaluation;
  /** Of what it uploaded. */
  readonly bytes: number | undefined;
  readonly own: boolean;
}

/** Books are large: no more of them are asked for than this. */
const MAX_BOOKS = 4;

/** One's own evaluation, else the one that helped most on random pages. */
export function exampleOf(
  { window, evaluated, contributions }: Pick<WindowRecord, 'window' | 'evaluated' | 'contributions'>,
  own: string | undefined,
): Example | undefined {
  const gain = ({ random }: Evaluation): number => random.before - random.after;
  const best = [...evaluated].sort((a, b) => gain(b) - gain(a))[0];
  const evaluation = evaluated.find(({ hotkey }) => hotkey === own) ?? best;
  if (!evaluation) return undefined;
  const bytes = contributions.find(({ hotkey }) => hotkey === evaluation.hotkey)?.bytes;
  return { window, evaluation, bytes, own: evaluation.hotkey === own };
}

/** Published windows with contributions, newest first. */
export function candidates(windows: readonly WindowSummary[]): number[] {
  return windows
    .filter(({ stateRoot, participants }) => stateRoot !== null && (participants ?? 0) > 0)
    .map(({ window }) => window)
    .slice(-MAX_BOOKS)
    .reverse();
}

async function findExample(
  api: ValidatorApi,
  windows: readonly number[],
  own: string | undefined,
  signal: AbortSignal,
): Promise<Example | null> {
  for (const window of windows) {
    const example = exampleOf(await api.window(window, signal), own);
    if (example) return example;
  }
  return null;
}

/** Null when nothing was evaluated lately. */
export function useExample(): UseQueryResult<Example | null> {
  const { api } = useApp();
  const own = useOwnHotkey();
  const windows = candidates(useWindows().data ?? []);
  return useQuery({
    queryKey: ['example', windows[0], own],
    queryFn: ({ signal }) => findExample(api, windows, own, signal),
    enabled: windows.length > 0,
    // The example stays while somebody reads it; a published window does not change.
    staleTime: Infinity,
    placeholderData: (previous) => previous,
  });
}
