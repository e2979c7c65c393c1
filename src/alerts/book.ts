/** Alerts that were raised: shown until dismissed or over, told once, and both remembered over reloads. */
import * as z from 'zod';
import { createStore, type StoreApi } from 'zustand/vanilla';
import { assess, STANDING, type Alert, type Reading } from './alerts.ts';

const STORAGE_KEY = 'gauntlet.alerts';
const MAX_ENTRIES = 50;

const EntrySchema = z.object({
  id: z.string().max(400),
  kind: z.enum(['rank-drop', 'missed-windows', 'delegation', 'deregistration-risk', 'deregistered']),
  subject: z.string().max(400),
  title: z.string().max(400),
  text: z.string().max(1_000),
  atMs: z.number(),
  dismissed: z.boolean(),
});
/** A dismissed alert is kept, so that it does not come back. */
export type AlertEntry = z.infer<typeof EntrySchema>;

export interface AlertBook {
  /** Newest first. */
  readonly store: StoreApi<readonly AlertEntry[]>;
  note(reading: Reading): void;
  dismiss(id: string): void;
}

export interface AlertBookOptions {
  readonly storage: Pick<Storage, 'getItem' | 'setItem'> | undefined;
  /** Called once an event. */
  readonly tell: (alert: Alert) => void;
  readonly now: () => number;
}

function remembered(storage: AlertBookOptions['storage']): AlertEntry[] {
  try {
    return z
      .array(EntrySchema)
      .max(MAX_ENTRIES)
      .parse(JSON.parse(storage?.getItem(STORAGE_KEY) ?? '[]'));
  } catch {
    // Forbidden, or of an older version.
    return [];
  }
}

export function createAlertBook({ storage, tell, now }: AlertBookOptions): AlertBook {
  const store = createStore<readonly AlertEntry[]>(() => remembered(storage));
  const baselines = new Map<string, Reading>();

  function keep(entries: readonly AlertEntry[]): void {
    const kept = entries.slice(0, MAX_ENTRIES);
    store.setState(kept, true);
    try {
      storage?.setItem(STORAGE_KEY, JSON.stringify(kept));
    } catch {
      // Not remembered, then.
    }
  }

  return {
    store,
    note(reading) {
      const { alerts, baseline } = assess(baselines.get(reading.subject), reading, now());
      baselines.set(reading.subject, baseline);
      const before = store.getState();
      const current = new Map(alerts.map((alert) => [alert.id, alert]));
      const lasting = before
        // What was true and is not any more may happen, and be told, again.
        .filter(({ subject, kind, id }) => subject !== reading.subject || !STANDING.includes(kind) || current.has(id))
        .map((entry) => ({ ...entry, ...current.get(entry.id) }));
      const known = new Set(before.map(({ id }) => id));
      const raised = alerts.filter(({ id }) => !known.has(id));
      if (raised.length === 0 && JSON.stringify(lasting) === JSON.stringify(before)) return;
      keep([...raised.map((alert) => ({ ...alert, atMs: now(), dismissed: false })), ...lasting]);
      for (const alert of raised) tell(alert);
    },
    dismiss(id) {
      keep(store.getState().map((entry) => (entry.id === id ? { ...entry, dismissed: true } : entry)));
    },
  };
}
