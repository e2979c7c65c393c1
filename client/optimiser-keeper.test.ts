import { beforeEach, describe, expect, test } from 'vitest';
import { parameterLayout } from '../core/model/layout.ts';
import { PRESETS } from '../core/model/presets.ts';
import { createRandom, seedFrom } from '../core/numerics/prng.ts';
import { createScheme } from '../core/scheme/create-scheme.ts';
import type { Compressor } from '../engine/engine.ts';
import { createHostCompressor } from '../engine/host-compressor.ts';
import type { ContributorEvent } from './events.ts';
import { StorageError } from './ports.ts';
import { createOptimiserKeeper, savingInterval, type OptimiserKeeper } from './optimiser-keeper.ts';

const MIB = 2 ** 20;
const { model, scheme: parameters } = PRESETS.micro;
const scheme = createScheme(parameters, parameterLayout(model));

let held: { window: number; bytes: Uint8Array } | undefined;
let saves: number;
let full: boolean;
let events: ContributorEvent[];

function createKeeper(): OptimiserKeeper {
  return createOptimiserKeeper({
    store: {
      load: () => Promise.resolve(held),
      save(_run, _hotkey, state) {
        saves++;
        if (full) return Promise.reject(new StorageError('There is no room.', 'Make some.'));
        held = state;
        return Promise.resolve();
      },
    },
    run: 'run',
    hotkey: 'hotkey',
    emit: (event) => events.push(event),
  });
}

/** A real compressor of random gradients, of which it may be claimed that its state is larger. */
function createCompressor(stateBytes?: number): Compressor {
  const random = createRandom(seedFrom('keeper'));
  const compressor = createHostCompressor(scheme, {
    takeGradient: () =>
      Promise.resolve(Float32Array.from({ length: scheme.layout.total }, () => random.uniform() - 0.5)),
    hasGradient: () => true,
    discardGradient: () => Promise.resolve(),
    readParameters: () => Promise.resolve(new Float32Array(scheme.layout.total)),
    setParameters: () => Promise.resolve(),
  });
  return { ...compressor, ...(stateBytes === undefined ? {} : { stateBytes }) };
}

beforeEach(() => {
  held = undefined;
  saves = 0;
  full = false;
  events = [];
});

describe('keeping the optimiser state', () => {
  test('reads back at most 16 MiB a window, on average', () => {
    for (const bytes of [1, MIB, 16 * MIB, 16 * MIB + 1, 100 * MIB, 4_800 * MIB]) {
      const windows = savingInterval(bytes);
      expect(bytes / windows).toBeLessThanOrEqual(16 * MIB);
      expect(windows === 1 || bytes / (windows - 1) > 16 * MIB).toBe(true);
    }
  });

  test('saves a small state after every delivery, and another engine goes on with the same bits', async () => {
    const keeper = createKeeper();
    const first = createCompressor();
    await keeper.attach(first);
    await first.compress(1);
    await keeper.delivered(1);
    expect(held?.window).toBe(1);
    const second = createCompressor();
    await createKeeper().attach(second);
    expect(Buffer.compare(await second.saveState(), await first.saveState())).toBe(0);
    expect(events).toEqual([{ type: 'momentum', window: 1 }]);
  });

  test('of local steps, too: another engine takes the next ones as the first would have', async () => {
    const layout = scheme.layout;
    const local = createScheme(PRESETS.micro.schemes.sparseloco, layout);
    const gradient = (i: number): Float32Array<ArrayBuffer> => {
      const random = createRandom(seedFrom('local', i));
      return Float32Array.from({ length: layout.total }, () => random.uniform() - 0.5);
    };
    let window = 0;
    const compressorOf = (): Compressor => {
      let parameters = new Float32Array(layout.total);
      return createHostCompressor(local, {
        takeGradient: () => Promise.resolve(gradient(window)),
        hasGradient: () => true,
        discardGradient: () => Promise.resolve(),
        readParameters: () => Promise.resolve(parameters.slice()),
        setParameters: (next) => Promise.resolve(void (parameters = next.slice())),
      });
    };
    const first = compressorOf();
    const keeper = createKeeper();
    await keeper.attach(first);
    window = 1;
    await first.localStep(window);
    await first.compress(window);
    await keeper.delivered(window);
    const second = compressorOf();
    await createKeeper().attach(second);
    window = 2;
    expect(await second.compress(window)).toEqual(await first.compress(window));
  });

  test('saves a large one every so many windows, and what is left when asked', async () => {
    const keeper = createKeeper();
    await keeper.attach(createCompressor(48 * MIB));
    for (const window of [1, 2, 3, 4]) await keeper.delivered(window);
    expect(saves).toBe(1);
    expect(held?.window).toBe(3);
    await keeper.save();
    await keeper.save();
    expect(saves).toBe(2);
    expect(held?.window).toBe(4);
  });

  test('after a lost device says how old the state is, and does not save the new engine’s nothing', async () => {
    const keeper = createKeeper();
    const large = 64 * MIB;
    await keeper.attach(createCompressor(large));
    for (const window of [1, 2, 3, 4, 5, 6]) await keeper.delivered(window);
    await keeper.attach(createCompressor(large));
    expect(events).toEqual([
      { type: 'momentum', window: 4 },
      { type: 'warning', message: expect.stringMatching(/after window 4, 2 windows ago/) as string },
    ]);
    await keeper.save();
    expect(saves).toBe(1);
  });

  test('goes on without room to save, says so, and does not try more often for that', async () => {
    const keeper = createKeeper();
    await keeper.attach(createCompressor(48 * MIB));
    full = true;
    for (const window of [1, 2, 3, 4, 5]) await keeper.delivered(window);
    expect(saves).toBe(1);
    expect(events).toEqual([
      { type: 'warning', message: 'The momentum could not be saved: There is no room. Make some.' },
    ]);
    full = false;
    await keeper.delivered(6);
    expect(held?.window).toBe(6);
  });

  test('starts afresh from a state of another model, and says so', async () => {
    held = { window: 9, bytes: new Uint8Array(40) };
    const compressor = createCompressor();
    await createKeeper().attach(compressor);
    expect(events).toEqual([{ type: 'warning', message: expect.stringContaining('starts afresh') as string }]);
    await expect(compressor.compress(1)).resolves.toHaveLength(scheme.bodyBytes);
  });
});
