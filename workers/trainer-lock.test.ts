import { describe, expect, it } from 'vitest';
import { holdTrainerLock, type LockManagerLike } from './trainer-lock.ts';

/** What the lock relies on of `navigator.locks`: one holder a name, a queue, and a signal that leaves the queue. */
function fakeLocks(): LockManagerLike {
  const tails = new Map<string, Promise<void>>();
  const request = async (
    name: string,
    { signal }: { signal: AbortSignal },
    work: () => Promise<void>,
  ): Promise<void> => {
    const before = tails.get(name) ?? Promise.resolve();
    let free = (): void => undefined;
    const mine = new Promise<void>((resolve) => (free = resolve));
    tails.set(
      name,
      before.then(() => mine),
    );
    const left = new Promise<never>((_resolve, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason as Error)),
    );
    try {
      await Promise.race([before, left]);
      await work();
    } finally {
      free();
    }
  };
  return { request: request as unknown as LockManager['request'] };
}

describe('trainer lock', () => {
  it('is refused while another tab keeps it', async () => {
    const locks = fakeLocks();
    await holdTrainerLock('https://one.example/app', locks);
    await expect(holdTrainerLock('https://one.example/', locks, 20)).rejects.toThrow(/already contributing/);
    await expect(holdTrainerLock('https://two.example/', locks, 20)).resolves.toBeDefined();
  });

  it('is waited for while a reloaded page lets go of it', async () => {
    const locks = fakeLocks();
    const first = await holdTrainerLock('https://one.example/', locks);
    setTimeout(() => first.release(), 20);
    await expect(holdTrainerLock('https://one.example/', locks, 2_000)).resolves.toBeDefined();
  });
});
