/** When training must end, so that a window's work is finished, compressed and uploaded in time. */

/** The bytes must be on their way this long before the put phase closes. */
export const UPLOAD_MARGIN_MS = 250;

export interface TimeLeft {
  /** Until training ends by plan: uploads open, or the delivery must begin, whichever comes first. */
  readonly plannedMs: number;
  /** Until the delivery must begin. A first page may take as long: without it the window is lost anyway. */
  readonly latestMs: number;
}

/**
 * Time to keep for the delivery. What was never timed is taken to need a quarter of the put phase. No upload begins before
 * that phase, so it is never kept more for than all of it: one that took longer once would else be the last.
 *
 * @param compressMs compressing takes, if known
 * @param uploadMs ticket, upload and receipt take, if known
 */
export function deliveryReserveMs(
  compressMs: number | undefined,
  uploadMs: number | undefined,
  putPhaseMs: number,
): number {
  const unknownMs = putPhaseMs / 4;
  return (compressMs ?? unknownMs) + Math.min(uploadMs ?? unknownMs, putPhaseMs) + UPLOAD_MARGIN_MS;
}

export function timeLeft(untilPutOpensMs: number, untilPutClosesMs: number, reserveMs: number): TimeLeft {
  const latestMs = untilPutClosesMs - reserveMs;
  return { plannedMs: Math.min(untilPutOpensMs, latestMs), latestMs };
}

/** Whether work that takes `ms`, if that is known, ends within what is left. */
export function fits(ms: number | undefined, leftMs: number): boolean {
  return leftMs > 0 && (ms === undefined || ms <= leftMs);
}
