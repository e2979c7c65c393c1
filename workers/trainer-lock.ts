/**
 * One tab of this browser trains for a validator at a time: two would deliver under the same key, and the second
 * delivery of a window is refused.
 */
import { StorageError } from '../client/ports.ts';

export interface TrainerLock {
  release(): void;
}

export type LockManagerLike = Pick<LockManager, 'request'>;

/** What the lock is called: held exactly while some tab of this browser trains for the validator. */
export function trainerLockName(validatorUrl: string): string {
  return `gauntlet-trainer ${new URL(validatorUrl).origin}`;
}

/** A page that was just reloaded still holds it for a moment. */
const PATIENCE_MS = 4_000;

/** @throws StorageError when another tab holds the lock and goes on holding it */
export async function holdTrainerLock(
  validatorUrl: string,
  locks: LockManagerLike | undefined = (navigator as Partial<Navigator>).locks,
  patienceMs = PATIENCE_MS,
): Promise<TrainerLock> {
  // Without the API (older browsers) tabs cannot see each other; the validator still refuses the second delivery.
  if (!locks) return { release: () => undefined };
  return new Promise<TrainerLock>((resolve, reject) => {
    locks
      .request(trainerLockName(validatorUrl), { signal: AbortSignal.timeout(patienceMs) }, () => {
        return new Promise<void>((release) => resolve({ release }));
      })
      .catch((cause: unknown) => {
        reject(
          new StorageError(
            'Another tab of this browser is already contributing to this run.',
            'Go to that tab, or stop it there and start here.',
            { cause },
          ),
        );
      });
  });
}
