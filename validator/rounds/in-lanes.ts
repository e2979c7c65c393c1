/**
 * Results of `work` in the order of the items, with at most `lanes` of them under way at once. After a failure nothing
 * more is begun, and it is thrown when what was begun has ended, so that nothing works on behind the caller's back.
 */
export async function inLanes<T, R>(items: readonly T[], lanes: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  let failed = false;
  async function lane(): Promise<void> {
    for (const [i, item] of queue) {
      if (failed) return;
      try {
        results[i] = await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: Math.min(lanes, items.length) }, lane));
  for (const result of ended) if (result.status === 'rejected') throw result.reason;
  return results;
}
