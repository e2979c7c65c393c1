/** A disk and a database that fail: full, read-only, slow, torn writes, and answers that are lost after the work was done. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom, seedFrom } from '../../core/numerics/prng.ts';
import type { RunFolder } from '../../validator/adapters/run-folder.ts';

/** Probabilities, of every call that changes something. */
export interface FaultRates {
  /** ENOSPC, EROFS or EIO; nothing was done. */
  readonly refused: number;
  /** Done, and then said to have failed. */
  readonly unanswered: number;
  readonly slow: number;
}

export const NO_FAULTS: FaultRates = { refused: 0, unanswered: 0, slow: 0 };

const CODES = ['ENOSPC', 'EROFS', 'EIO'] as const;
const SAYINGS = { ENOSPC: 'disk full', EROFS: 'disk read-only', EIO: 'disk failing' } as const;

/** What was done to a call. */
export type Fault = (typeof SAYINGS)[(typeof CODES)[number]] | 'torn write' | 'lost answer' | 'slow call';
const SLOW_MS = 20;
/** Calls that change nothing are left alone, and so is the end of a process. */
const CHANGES =
  /^(setDeadlines|markJudging|closeWindow|join|revoke|accept|refuse|issueTicket|addSample|put|begin|write|seal|discard|publish|release|clean|collect|forget)$/;

export interface Faults {
  set(rates: FaultRates): void;
  around(folder: RunFolder): RunFolder;
}

/** @param onFault told of each call that something is done to */
export function createFaults(seed: string, onFault: (fault: Fault) => void = () => undefined): Faults {
  const random = createRandom(seedFrom('faults', seed));
  let rates = NO_FAULTS;

  function failure(fault?: Fault): Error {
    const code = CODES[random.below(CODES.length)]!;
    onFault(fault ?? SAYINGS[code]);
    return Object.assign(new Error(`${code}: made up by a test`), { code });
  }

  async function call(name: string, work: (args: unknown[]) => unknown, args: unknown[]): Promise<unknown> {
    if (random.uniform() < rates.slow) {
      onFault('slow call');
      await sleep(random.below(SLOW_MS));
    }
    if (random.uniform() < rates.refused) {
      // A write that fails may have written some of it.
      const [chunk] = args;
      if (name !== 'write' || !(chunk instanceof Uint8Array)) throw failure();
      await work([chunk.subarray(0, random.below(chunk.length + 1))]);
      throw failure('torn write');
    }
    const result = await work(args);
    if (random.uniform() < rates.unanswered) throw failure('lost answer');
    return name === 'begin' ? bind(result as object) : result;
  }

  function bind<T extends object>(port: T): T {
    return new Proxy(port, {
      get(target, key) {
        const member: unknown = Reflect.get(target, key);
        if (key === 'direct' && member) return bind(member);
        if (typeof member !== 'function' || !CHANGES.test(String(key))) return member;
        return (...args: unknown[]) =>
          call(String(key), (given) => Reflect.apply(member, target, given) as unknown, args);
      },
    });
  }

  return {
    set: (next) => {
      rates = next;
    },
    around: (folder) => ({
      ...folder,
      store: bind(folder.store),
      blobs: bind(folder.blobs),
      uploads: bind(folder.uploads),
    }),
  };
}
