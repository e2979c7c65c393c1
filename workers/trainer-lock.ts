/**
 * One tab of this browser trains for a validator at a time: two would deliver under the same key, and the second
 * delivery of a window is refused.
 */
import { StorageError } from '../client/ports.ts';

export interface TrainerLock {
  release(): void;
}

export type LockManagerLike = Pick<LockManager, 'request'>;

/** @throws StorageError when another tab holds the lock */
export async function holdTrainerLock(
  validatorUrl: string,
  locks: LockManagerLike | undefined = (navigator as Partial<Navigator>).locks,
): Promise<TrainerLock> {
  // Without the API (older browsers) tabs cannot see each other; the validator still refuses the second delivery.
  if (!locks) return { release: () => undefined };
  return new Promise<TrainerLock>((resolve, reject) => {
    locks
      .request(`gauntlet-trainer ${new URL(validatorUrl).origin}`, { ifAvailable: true }, (lock) => {
        if (!lock) {
          throw new StorageError(
            'Another tab of this browser is already contributing to this run.',
            'Go to that tab, or stop it there and start here.',
          );
        }
        return new Promise<void>((release) => resolve({ release }));
      })
      .catch(reject);
  });
}
