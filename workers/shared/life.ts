/**
 * A worker that is killed, or closes itself, says nothing, and ports tell nothing of their other end. A lock does: it is
 * held for as long as the worker lives, and whoever waits for it hears of its end.
 */

/**
 * Holds the lock until this thread ends.
 *
 * @returns whether it is held: not where the browser has no locks
 */
export async function holdLife(
  name: string,
  locks: Pick<LockManager, 'request'> | undefined = (navigator as Partial<Navigator>).locks,
): Promise<boolean> {
  if (!locks) return false;
  return new Promise((resolve) => {
    locks
      .request(name, () => {
        resolve(true);
        return new Promise<never>(() => undefined);
      })
      .catch(() => resolve(false));
  });
}
