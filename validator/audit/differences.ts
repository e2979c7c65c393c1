/** What differs between what was published and what was recomputed, item by item. */

/**
 * Share of a loss by which it may differ on other hardware: twenty times what the engines are tested to agree within
 * (e2e/engine/engine.spec.ts, on a small model), for an honest validator must not be accused.
 */
export const LOSS_TOLERANCE = 2e-5;

export interface Difference {
  /** Where: names and keys, joined by dots. */
  readonly item: string;
  readonly published: unknown;
  readonly recomputed: unknown;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function isEqual(published: unknown, recomputed: unknown, tolerance: number): boolean {
  if (typeof published === 'number' && typeof recomputed === 'number') {
    // JSON has no -0.
    if (published === recomputed || Object.is(published, recomputed)) return true;
    return Math.abs(published - recomputed) <= tolerance * Math.max(1, Math.abs(recomputed));
  }
  return published === recomputed;
}

/**
 * Every leaf that differs. A member that is undefined counts as absent.
 *
 * @param tolerance of numbers: absolute below 1, relative above
 */
export function differences(published: unknown, recomputed: unknown, item: string, tolerance = 0): Difference[] {
  if (!isRecord(published) || !isRecord(recomputed)) {
    return isEqual(published, recomputed, tolerance) ? [] : [{ item, published, recomputed }];
  }
  const keys = [...new Set([...Object.keys(published), ...Object.keys(recomputed)])];
  return keys.flatMap((key) => differences(published[key], recomputed[key], `${item}.${key}`, tolerance));
}
