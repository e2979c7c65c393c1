/** What the API shows of the record. Nothing of an open window's uploads but to the peer they are of. */
import { ordinal } from '../../core/gauntlet/rating.ts';
import type {
  Checkpoint,
  Leaderboard,
  LeaderboardEntry,
  PeerState,
  Phase,
  Rating,
  Refusal,
  WindowRecord,
  WindowSummary,
} from '../../core/protocol/api.ts';
import type { Figures } from '../../core/protocol/figures.ts';
import { ProblemError } from '../../core/protocol/problem.ts';
import { instant, type RunContext } from './context.ts';
import type { OpenWindow, PeerRow, RunStore } from './store.ts';
import { createTrends, type Trends } from './trends.ts';

const MAX_VERDICTS = 200;
const MAX_HISTORY = 500;
const MAX_RECEIPTS = 100;
const MAX_REFUSALS = 1_000;
/** Sorts after every rank; Infinity would not subtract. */
const UNRANKED = Number.MAX_SAFE_INTEGER;

export interface Views {
  peer(hotkey: string): Promise<PeerState>;
  leaderboard(): Promise<Leaderboard>;
  window(window: number): Promise<WindowRecord>;
  /** Oldest first. */
  refusals(window: number): Promise<Refusal[]>;
  /** Published windows from `from` on, oldest first. */
  windows(from: number, limit: number): Promise<WindowSummary[]>;
  checkpoint(): Promise<Checkpoint>;
}

export function createViews(
  { run, manifest, scheme }: Pick<RunContext, 'run' | 'manifest' | 'scheme'>,
  store: RunStore,
  state: { open(): OpenWindow; phase(): Phase },
): Views {
  const ratingOf = ({ rating }: Figures): Rating => ({
    ...rating,
    ordinal: ordinal(rating, manifest.gauntlet.rating),
  });

  const trendsUntil = createTrends(store);

  function entryOf({ hotkey, uid, figures }: PeerRow, trends: Trends): LeaderboardEntry {
    const { rank, poc, sync, peerScore, weight, flags, lastDelivered } = figures;
    const standing = { rank, hotkey, uid, rating: ratingOf(figures), poc, sync, peerScore, weight, flags: [...flags] };
    return { ...standing, lastDelivered, previousRank: trends.previousRank(hotkey), trend: trends.scores(hotkey) };
  }

  /** An open window as far as it is public. */
  function openRecord(open: OpenWindow): WindowRecord {
    return {
      run,
      window: open.window,
      phase: state.phase(),
      opensAt: instant(open.opensAt),
      putOpensAt: instant(open.putOpensAt),
      putClosesAt: instant(open.putClosesAt),
      publishedAt: null,
      assignmentSeed: open.assignmentSeed,
      learningRate: scheme.learningRate(open.window),
      lossBefore: null,
      lossAfter: null,
      participants: null,
      contributions: [],
      evaluated: [],
      aggregated: [],
      beacon: { commit: open.beaconCommit, reveal: null },
      outerStep: null,
      stateRoot: null,
    };
  }

  const unknownWindow = (window: number): ProblemError =>
    new ProblemError('unknown-window', `There is no window ${window}; the current one is ${state.open().window}.`);

  return {
    async peer(hotkey) {
      const row = await store.peer(hotkey);
      if (!row) throw new ProblemError('unknown-hotkey', `${hotkey} has not joined this run.`);
      const { figures } = row;
      return {
        hotkey,
        uid: row.uid,
        firstWindow: row.firstWindow,
        contributions: {
          accepted: row.accepted,
          rejected: row.rejected,
          evaluated: row.evaluated,
          aggregated: row.aggregated,
        },
        poc: figures.poc,
        rating: ratingOf(figures),
        sync: figures.sync,
        gate: figures.gate,
        peerScore: figures.peerScore,
        weight: figures.weight,
        rank: figures.rank,
        flags: [...figures.flags],
        conduct: figures.conduct,
        delegation: { issuedAt: row.issuedAt, expiresAt: row.expiresAt, revokedAt: row.revokedAt },
        verdicts: await store.verdicts(hotkey, MAX_VERDICTS),
        history: await store.history(hotkey, MAX_HISTORY),
        receipts: await store.receipts(hotkey, MAX_RECEIPTS),
      };
    },
    async leaderboard() {
      const window = Math.max(0, state.open().window - 1);
      const trends = await trendsUntil(window);
      const peers = (await store.peers()).map((row) => entryOf(row, trends));
      peers.sort((a, b) => (a.rank ?? UNRANKED) - (b.rank ?? UNRANKED) || a.uid - b.uid);
      return { window, peers };
    },
    async window(window) {
      const open = state.open();
      if (window === open.window) return openRecord(open);
      const record = await store.record(window);
      if (!record) throw unknownWindow(window);
      return record;
    },
    async refusals(window) {
      if (window < 1 || window > state.open().window) throw unknownWindow(window);
      return store.refusals(window, MAX_REFUSALS);
    },
    windows: (from, limit) => store.summaries(from, limit),
    async checkpoint() {
      const { checkpoint, steps } = await store.checkpoint();
      return { run, window: checkpoint.window, stateRoot: checkpoint.stateRoot, chunks: [...checkpoint.chunks], steps };
    },
  };
}
