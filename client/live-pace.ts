/**
 * How often, and when, a page reads what the validator's events say has changed. Any number of pages hear of it in the same
 * instant; so the validator says with the event over how long they are to spread their readings.
 */

/** Reading the clock shows whether the validator is still there: a dead line tells nothing by itself. */
export const HEARTBEAT_MS = 20_000;
/** Even with events: one lost event must not leave a figure wrong for long. */
export const SAFETY_POLL_MS = 60_000;
/** A reading is not put off for longer, whatever the validator says. */
const LONGEST_MS = 60_000;

/** @returns milliseconds from an event to the reading that it leads to: anywhere within what it says, at once if it says nothing */
export function readingDelayMs(
  { spreadMs = 0 }: { readonly spreadMs?: number | undefined },
  random = Math.random,
): number {
  return Math.min(spreadMs, LONGEST_MS) * random();
}
