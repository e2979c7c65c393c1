/** How fast this device trained a run's model when it last did, remembered on it. */
import * as z from 'zod';

const SpeedSchema = z.object({
  tokensPerSecond: z.number().positive(),
  atMs: z.number(),
  /** Backend and device it was measured on. */
  device: z.string().max(200),
});
export type MeasuredSpeed = z.infer<typeof SpeedSchema>;

const keyOf = (run: string): string => `gauntlet.speed ${run}`;

/** @param device undefined takes whichever it was */
export function measuredSpeed(run: string, device: string | undefined): MeasuredSpeed | undefined {
  try {
    const speed = SpeedSchema.parse(JSON.parse(localStorage.getItem(keyOf(run)) ?? 'null'));
    return device === undefined || speed.device === device ? speed : undefined;
  } catch {
    // Never measured, forbidden, or of an older version.
    return undefined;
  }
}

export function rememberSpeed(run: string, speed: MeasuredSpeed): void {
  try {
    localStorage.setItem(keyOf(run), JSON.stringify(speed));
  } catch {
    // Not remembered, then.
  }
}
