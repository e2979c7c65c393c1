/** Joining a run with what was signed for it, and waiting for a person where that is no longer in force. */
import type { ContributorContext } from './context.ts';
import { failureOf } from './failure.ts';
import type { ContributorPorts } from './ports.ts';

/** What it takes to speak with a validator for a hotkey. */
export type SpeakingContext = Pick<ContributorContext, 'api' | 'clock' | 'signal' | 'status'> & {
  readonly ports: Pick<ContributorPorts, 'identity' | 'now' | 'sleep'>;
};

/** How often it is looked whether a person has signed. */
const POLL_MS = 1_000;

/**
 * Joins. While the validator refuses what was signed, or nothing is, a person is asked to sign: nobody but they can
 * mend it, and until then everything that was computed is kept.
 *
 * @param msLeft how long a signature is waited for; without it, for ever
 * @throws the refusal when that time is up; whatever else joining throws
 */
export async function joinWhenSigned(
  { ports, api, clock, signal, status }: SpeakingContext,
  run: string,
  msLeft: () => number = () => Infinity,
): Promise<void> {
  let refused = '';
  for (let last: unknown; ;) {
    try {
      const request = await ports.identity.joinRequest(run, clock.now());
      const { issuedAt } = request.delegation;
      // The validator would say the same of the same request.
      if (issuedAt !== refused) {
        refused = issuedAt;
        await api.join(request, signal);
        return;
      }
    } catch (error) {
      const failure = failureOf(error);
      if (failure.kind !== 'unsigned') throw error;
      last = error;
      status({ kind: 'needs-signature', reason: failure.reason });
    }
    if (msLeft() < POLL_MS) throw last;
    await ports.sleep(POLL_MS, signal);
  }
}
