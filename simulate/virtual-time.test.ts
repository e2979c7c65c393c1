import { expect, test } from 'vitest';
import { createVirtualTime, type Participant } from './virtual-time.ts';

test('participants wake in order of time, and time passes only while all sleep', async () => {
  const time = createVirtualTime(1_000);
  const log: string[] = [];
  const participant = async (name: string, self: Participant, naps: number[]): Promise<void> => {
    for (const ms of naps) {
      await self.sleep(ms);
      // Work that takes real turns of the event loop, but no virtual time.
      await new Promise((resolve) => setTimeout(resolve, 1));
      log.push(`${name}@${self.now()}`);
    }
    self.leave();
  };
  // All join before the first falls asleep: time does not wait for those yet to come.
  const [a, b, c] = [time.join(), time.join(), time.join()];
  await Promise.all([participant('a', a, [10, 10]), participant('b', b, [5, 15]), participant('c', c, [100])]);
  expect(log).toEqual(['b@1005', 'a@1010', 'b@1020', 'a@1020', 'c@1100']);
});

test('an aborted sleeper rejects and can go on', async () => {
  const time = createVirtualTime(0);
  const self = time.join();
  const other = time.join();
  const abort = new AbortController();
  const nap = self.sleep(1_000, abort.signal);
  abort.abort(new Error('stop'));
  await expect(nap).rejects.toThrow('stop');
  await expect(self.sleep(1, abort.signal)).rejects.toThrow('stop');
  self.leave();
  await other.sleep(50);
  expect(other.now()).toBe(50);
  other.leave();
});
