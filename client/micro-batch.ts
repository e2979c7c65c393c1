/** How many sequences a micro-batch has: pages are trained whole, so it divides them. */

/** Half a page by default: a device that can choose has two chances a page to stop in time. */
export function microBatchSequences(pageSequences: number, atMost = Math.max(1, pageSequences >> 1)): number {
  let sequences = Math.max(1, Math.min(pageSequences, Math.floor(atMost)));
  while (pageSequences % sequences !== 0) sequences--;
  return sequences;
}
