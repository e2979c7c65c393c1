/**
 * Keeps the momentum in storage. Reading it back from the device is bounded: a large state is saved every so many
 * windows, and whenever its engine is about to go.
 */
import type { Compressor } from '../engine/engine.ts';
import type { ContributorEvent } from './events.ts';
import { remedyOf } from './failure.ts';
import { messageOf } from './http.ts';
import type { OptimiserStore } from './ports.ts';

const READ_BACK_BYTES_PER_WINDOW = 16 * 2 ** 20;

/** Windows between two saves of a state of this size. */
export function savingInterval(stateBytes: number): number {
  return Math.max(1, Math.ceil(stateBytes / READ_BACK_BYTES_PER_WINDOW));
}

export interface OptimiserKeeper {
  /** Goes on with this compressor, in the state that was saved last. */
  attach(compressor: Compressor): Promise<void>;
  /** What the compressor last made for `window` was accepted. */
  delivered(window: number): Promise<void>;
  /** Saves what was not saved yet. That it failed is a warning: what was delivered counts without it. */
  save(): Promise<void>;
}

export function createOptimiserKeeper(options: {
  readonly store: OptimiserStore;
  readonly run: string;
  readonly hotkey: string;
  readonly emit: (event: ContributorEvent) => void;
}): OptimiserKeeper {
  const { store, run, hotkey, emit } = options;
  let compressor: Compressor | undefined;
  /** The newest window whose delivery the state reflects, 0 for none. */
  let window = 0;
  let unsaved = 0;

  async function save(): Promise<void> {
    if (unsaved === 0 || !compressor) return;
    try {
      await store.save(run, hotkey, { window, bytes: await compressor.saveState() });
      unsaved = 0;
    } catch (error) {
      const remedy = remedyOf(error) ?? '';
      emit({ type: 'warning', message: `The momentum could not be saved: ${messageOf(error)} ${remedy}`.trimEnd() });
    }
  }

  return {
    save,
    async attach(next) {
      compressor = next;
      // Nothing of the old compressor can be saved any more, and nothing of the new one is worth it yet.
      unsaved = 0;
      const reflected = window;
      const saved = await store.load(run, hotkey);
      window = saved?.window ?? 0;
      if (saved) {
        try {
          await next.loadState(saved.bytes);
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
          emit({ type: 'warning', message: `The stored momentum was unusable and starts afresh: ${messageOf(error)}` });
          return;
        }
        emit({ type: 'momentum', window });
      }
      if (window < reflected) {
        const from = saved
          ? `It goes on as it was after window ${window}, ${reflected - window} windows ago.`
          : 'It starts afresh.';
        emit({ type: 'warning', message: `The newest momentum was lost with the device. ${from}` });
      }
    },
    async delivered(accepted) {
      window = accepted;
      unsaved++;
      if (compressor && unsaved % savingInterval(compressor.stateBytes) === 0) await save();
    },
  };
}
