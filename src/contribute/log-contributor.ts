/** Notes in the page's log what the contributor went through. */
import type { StoreApi } from 'zustand/vanilla';
import { log, type Log, type LogEntry } from '../platform/log.ts';
import type { ContributeState } from './state.ts';

type Followed = Pick<ContributeState, 'status' | 'warnings'>;

/** What is new between two states, for the log. */
export function newsOf(state: Followed, before: Followed, atMs: number): LogEntry[] {
  const news: LogEntry[] = [];
  const { status } = state;
  if (status.kind !== before.status.kind) {
    const reason = 'reason' in status ? `: ${status.reason}` : '';
    const level = status.kind === 'failed' ? 'error' : reason === '' ? 'info' : 'warning';
    news.push({ atMs, level, source: 'trainer', text: `${status.kind}${reason}` });
  }
  const [newest] = state.warnings;
  // Dismissing takes warnings away, which is no news.
  if (newest && newest !== before.warnings[0] && state.warnings.length >= before.warnings.length) {
    news.push({ atMs, level: 'warning', source: 'trainer', text: newest.message });
  }
  return news;
}

/** Follows until the returned function is called. */
export function logContributor(store: Pick<StoreApi<ContributeState>, 'subscribe'>, into: Log = log): () => void {
  return store.subscribe((state, before) => {
    for (const entry of newsOf(state, before, Date.now())) into.note(entry);
  });
}
