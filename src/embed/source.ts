/** The widget's figures, asked for again and again. No stream: several widgets on a page would use up its connections. */
import type { ValidatorApi } from '../../client/api.ts';
import type { ClockState, PeerState, WindowSummary } from '../../core/protocol/api.ts';
import type { RunManifest } from '../../core/protocol/manifest.ts';

export interface WidgetState {
  readonly manifest: Pick<RunManifest, 'name' | 'preset'> | undefined;
  readonly clock: ClockState | undefined;
  /** Milliseconds to add to this machine's clock to get the validator's. */
  readonly offsetMs: number;
  /** Ascending. */
  readonly windows: readonly WindowSummary[];
  /** Null where the validator does not know it. */
  readonly peer: Pick<PeerState, 'rank' | 'weight' | 'rating'> | null | undefined;
  /** Whether the last question was answered; what was known before stays. */
  readonly reachable: boolean;
}

export const NOTHING_YET: WidgetState = {
  manifest: undefined,
  clock: undefined,
  offsetMs: 0,
  windows: [],
  peer: undefined,
  reachable: true,
};

const MAX_WINDOWS = 200;

type Api = Pick<ValidatorApi, 'run' | 'clock' | 'windows' | 'peer'>;

/** Rows that are known and those that came, of which the newer ones count; a published row never changes. */
function merge(known: readonly WindowSummary[], news: readonly WindowSummary[]): WindowSummary[] {
  const rows = new Map([...known, ...news].map((row) => [row.window, row]));
  return [...rows.values()].sort((a, b) => a.window - b.window).slice(-MAX_WINDOWS);
}

/** One round of questions. Only the clock is asked each time, all else when it says that there is something new. */
export async function refresh(
  api: Api,
  state: WidgetState,
  hotkey: string | undefined,
  now: () => number = Date.now,
): Promise<WidgetState> {
  try {
    const sentMs = now();
    const clock = await api.clock();
    const offsetMs = Date.parse(clock.serverTime) - (sentMs + now()) / 2;
    // Another run under the same address: nothing that was known is true of it.
    const known = state.clock?.run === clock.run ? state : NOTHING_YET;
    const manifest = known.manifest ?? (await api.run()).manifest;
    const isNew = known.clock?.window !== clock.window || known.clock.phase !== clock.phase;
    const published = known.windows.findLast(({ stateRoot }) => stateRoot !== null)?.window;
    const from = Math.max(1, clock.window - MAX_WINDOWS + 1, (published ?? 0) + 1);
    const windows = isNew ? merge(known.windows, await api.windows(from, MAX_WINDOWS)) : known.windows;
    const peer = isNew && hotkey !== undefined ? await api.peer(hotkey).catch(() => null) : known.peer;
    return { manifest, clock, offsetMs, windows, peer, reachable: true };
  } catch {
    return { ...state, reachable: false };
  }
}
