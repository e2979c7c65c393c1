/** What a person chose about how this device takes part, remembered on it. */
import * as z from 'zod';
import { createStore } from 'zustand/vanilla';

const STORAGE_KEY = 'gauntlet.preferences';
const MINUTES = z.int().min(0).max(1_439);

const PreferencesSchema = z.object({
  /** Of the GPU's memory, in MiB; null leaves it to what the browser says of the machine. */
  memoryMib: z.int().min(64).max(1_048_576).nullable().catch(null),
  onlyOnPower: z.boolean().catch(false),
  scheduled: z.boolean().catch(false),
  schedule: z
    .object({ days: z.array(z.boolean()).length(7), fromMinute: MINUTES, toMinute: MINUTES })
    .catch({ days: Array.from({ length: 7 }, () => true), fromMinute: 22 * 60, toMinute: 7 * 60 }),
  keepAwake: z.boolean().catch(true),
  /** A near-silent tone while the tab is hidden, since browsers slow hidden tabs down that make no sound. */
  background: z.boolean().catch(false),
  /** Whether a tab that was contributing goes on by itself when it is opened again. */
  comeBack: z.boolean().catch(true),
});
export type Preferences = z.infer<typeof PreferencesSchema>;

function remembered(): Preferences {
  let stored: unknown;
  try {
    stored = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '{}');
  } catch {
    // Storage may be forbidden, or hold what an older version wrote.
    stored = {};
  }
  return PreferencesSchema.catch(() => PreferencesSchema.parse({})).parse(stored);
}

export const preferences = createStore<Preferences>(() => remembered());

export function choose(change: Partial<Preferences>): void {
  preferences.setState(change);
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(preferences.getState()));
  } catch {
    // Not remembered, then.
  }
}
