/** How a run and a process at it stand, asked of the process itself. */
import type { ValidatorApi } from '../../../client/api.ts';
import { messageOf } from '../../../client/http.ts';
import { verifyManifest } from '../../../core/identity/manifest.ts';
import type { ClockState, LeaderboardEntry, WindowSummary } from '../../../core/protocol/api.ts';
import type { SignedManifest } from '../../../core/protocol/manifest.ts';
import { parseExposition, total } from './exposition.ts';

/** Windows that the loss's course is drawn of. */
const WINDOWS = 120;
const TOP = 50;

/** What the process says of itself; null for what it does not say. */
export interface ProcessFigures {
  readonly drives: boolean | null;
  readonly takeovers: number | null;
  readonly evaluators: number | null;
  readonly lanes: number | null;
  readonly jobsWaiting: number | null;
  readonly jobsFailed: number | null;
  readonly evaluationsPerMinute: number | null;
  readonly uploadsAccepted: number | null;
  readonly uploadsRefused: number | null;
  readonly uploadBytes: number | null;
  readonly requests: number | null;
  readonly connections: number | null;
  readonly listeners: number | null;
  readonly judgeFailures: number | null;
  readonly databaseErrors: number | null;
  readonly blobErrors: number | null;
  readonly diskFreeBytes: number | null;
  readonly diskSizeBytes: number | null;
  readonly memoryBytes: number | null;
}

export interface Snapshot {
  /** Milliseconds since the epoch, here. */
  readonly at: number;
  readonly run: string;
  readonly name: string;
  readonly preset: string;
  readonly clock: ClockState;
  /** Why the process cannot serve; null when it can. */
  readonly unready: string | null;
  /** The newest, oldest first. */
  readonly windows: readonly WindowSummary[];
  /** How many peers there are. */
  readonly peers: number;
  /** The best of them. */
  readonly leaderboard: readonly LeaderboardEntry[];
  /** Null where they may not be read, for which there is a reason. */
  readonly process: ProcessFigures | null;
  readonly processUnknown: string | null;
}

const NAMES: Record<Exclude<keyof ProcessFigures, 'drives'>, string> = {
  takeovers: 'gauntlet_takeovers_total',
  evaluators: 'gauntlet_evaluators',
  lanes: 'gauntlet_evaluator_lanes',
  jobsWaiting: 'gauntlet_evaluation_jobs_waiting',
  jobsFailed: 'gauntlet_evaluation_jobs_total',
  evaluationsPerMinute: 'gauntlet_evaluations_per_minute',
  uploadsAccepted: 'gauntlet_uploads_accepted_total',
  uploadsRefused: 'gauntlet_uploads_refused_total',
  uploadBytes: 'gauntlet_upload_bytes_total',
  requests: 'gauntlet_http_requests_total',
  connections: 'gauntlet_connections',
  listeners: 'gauntlet_event_listeners',
  judgeFailures: 'gauntlet_judge_failures_total',
  databaseErrors: 'gauntlet_database_errors_total',
  blobErrors: 'gauntlet_blob_store_errors_total',
  diskFreeBytes: 'gauntlet_disk_free_bytes',
  diskSizeBytes: 'gauntlet_disk_size_bytes',
  memoryBytes: 'process_resident_memory_bytes',
};

export function figuresOf(exposition: string): ProcessFigures {
  const series = parseExposition(exposition);
  const jobs = series.filter(({ name, labels }) => name === NAMES.jobsFailed && labels['result'] === 'failed');
  const drives = total(series, 'gauntlet_drives');
  const sums = Object.entries(NAMES).map(([field, name]) => [field, total(series, name) ?? null]);
  return {
    ...(Object.fromEntries(sums) as Omit<ProcessFigures, 'drives'>),
    jobsFailed: total(jobs, NAMES.jobsFailed) ?? null,
    // A counter of refusals has no series before the first.
    uploadsRefused: drives === undefined ? null : (total(series, NAMES.uploadsRefused) ?? 0),
    drives: drives === undefined ? null : drives > 0,
  };
}

export interface StatusSource {
  /** @throws UnreachableError, ProblemError, ManifestError */
  read(signal?: AbortSignal): Promise<Snapshot>;
}

/** @param token of an operator, where /metrics wants one */
export function createStatusSource(
  api: Pick<ValidatorApi, 'run' | 'clock' | 'windows' | 'leaderboard' | 'readiness' | 'metrics'>,
  { now, token }: { readonly now: () => number; readonly token?: string | undefined },
): StatusSource {
  let signed: SignedManifest | undefined;
  /** Of the newest window: they are long, and do not change within one. */
  let standing: (Pick<Snapshot, 'windows' | 'leaderboard' | 'peers'> & { readonly window: number }) | undefined;

  async function ofWindow(window: number, signal?: AbortSignal): Promise<NonNullable<typeof standing>> {
    const [windows, { peers }] = await Promise.all([
      api.windows(Math.max(1, window - WINDOWS), WINDOWS, signal),
      api.leaderboard(signal),
    ]);
    return { window, windows, peers: peers.length, leaderboard: peers.slice(0, TOP) };
  }

  return {
    async read(signal) {
      if (!signed) {
        const given = await api.run(signal);
        verifyManifest(given);
        signed = given;
      }
      const { run, manifest } = signed;
      const [clock, unready, figures] = await Promise.all([
        api.clock(signal),
        api.readiness(signal),
        api.metrics(token, signal).then(
          (text) => ({ process: figuresOf(text), processUnknown: null }),
          (error: unknown) => ({ process: null, processUnknown: messageOf(error) }),
        ),
      ]);
      // Peers that join change the list, too, which can wait for the window's end.
      if (standing?.window !== clock.window) {
        standing = await ofWindow(clock.window, signal);
      }
      const { windows, leaderboard, peers } = standing;
      return {
        at: now(),
        run,
        name: manifest.name,
        preset: manifest.preset,
        clock,
        unready,
        windows,
        leaderboard,
        peers,
        ...figures,
      };
    },
  };
}
