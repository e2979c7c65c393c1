/** The duty cycle that was last chosen on this device, in percent. */
import { THROTTLE_PERCENT } from '../../client/throttle.ts';

const STORAGE_KEY = 'gauntlet.throttle';

export function rememberedThrottle(): number {
  try {
    const percent = Number(localStorage.getItem(STORAGE_KEY) ?? THROTTLE_PERCENT.max);
    return percent >= THROTTLE_PERCENT.min && percent <= THROTTLE_PERCENT.max ? percent : THROTTLE_PERCENT.max;
  } catch {
    // Storage may be forbidden.
    return THROTTLE_PERCENT.max;
  }
}

export function rememberThrottle(percent: number): void {
  try {
    localStorage.setItem(STORAGE_KEY, String(percent));
  } catch {
    // Not remembered, then.
  }
}
