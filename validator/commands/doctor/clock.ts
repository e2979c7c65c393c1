/** How far clocks are apart that have to agree. */
import { failure, ok, warning, type Finding } from './finding.ts';

export interface ClockReading {
  /** Whose clock it is. */
  readonly of: string;
  /** Ahead of this machine's by so much. */
  readonly aheadMs: number;
  /** True to so much, either way. */
  readonly resolutionMs: number;
}

const CLOSE_MS = 1_000;
const FAR_MS = 5_000;
const MEND = 'Let this machine and that one keep time by NTP (timedatectl set-ntp true): deadlines are judged by both.';

/** @param theirs milliseconds since the epoch, read between `began` and `ended` of this machine's */
export function readingOf(of: string, theirs: number, began: number, ended: number, resolutionMs = 0): ClockReading {
  return { of, aheadMs: theirs - (began + ended) / 2, resolutionMs: resolutionMs + (ended - began) / 2 };
}

export function examineClock(readings: readonly ClockReading[]): Finding[] {
  if (readings.length === 0) return [ok('clock', 'this machine’s is the only one that matters here')];
  return readings.map(({ of, aheadMs, resolutionMs }) => {
    const apart = Math.max(0, Math.abs(aheadMs) - resolutionMs);
    const says = `${of} is ${(Math.abs(aheadMs) / 1_000).toFixed(1)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} this machine, to within ${(resolutionMs / 1_000).toFixed(1)} s`; // prettier-ignore
    if (apart > FAR_MS) return failure('clock', says, MEND);
    return apart > CLOSE_MS ? warning('clock', says, MEND) : ok('clock', says);
  });
}
