import { describe, expect, it } from 'vitest';
import { holdTrainerLock, type LockManagerLike } from './trainer-lock.ts';

/** The behaviour of `navigator.locks` with `ifAvailable` that the lock relies on. */
function fakeLocks(): LockManagerLike {
  const held = new Set<string>();
  const request = async (name: string, _options: unknown, work: (lock: object | null) => unknown): Promise<unknown> => {
    if (held.has(name)) return await work(null);
    held.add(name);
    try {
      return await work({ name });
    } finally {
      held.delete(name);
    }
  };
  return { request: request as unknown as LockManager['request'] };
}

describe('trainer lock', () => {
  it('is held by one at a time and can be taken after it was released', async () => {
    const locks = fakeLocks();
    const first = await holdTrainerLock('https://one.example/app', locks);
    await expect(holdTrainerLock('https://one.example/', locks)).rejects.toThrow(/already contributing/);
    await holdTrainerLock('https://two.example/', locks);
    first.release();
    await new Promise((resolve) => setTimeout(resolve, 0));
    await expect(holdTrainerLock('https://one.example/', locks)).resolves.toBeDefined();
  });
});
