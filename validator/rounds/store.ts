/** The run's durable record, behind an interface: one implementation on SQL, one test-suite for all of them. */
import type {
  Delegation,
  PeerHistoryPoint,
  Sample,
  SignedReceipt,
  Verdict,
  WindowRecord,
  WindowSummary,
} from '../../core/protocol/api.ts';
import type { ChainRecord } from '../../core/protocol/chain.ts';
import type { Figures } from '../../core/protocol/figures.ts';
import type { SignedManifest } from '../../core/protocol/manifest.ts';
import type { BlobRef } from '../../core/protocol/primitives.ts';
import type { NewestDelegation } from './delegations.ts';
import type { GuestBounds } from './guests.ts';
import type { PeerVerdict } from './summary.ts';

export interface PhaseBlocks {
  readonly putOpens: number;
  readonly putCloses: number;
}

/** When the phases of a window end. Times are milliseconds since the epoch. */
export type Deadlines = Pick<OpenWindow, 'putOpensAt' | 'putClosesAt' | 'blocks'>;

/** The window that is open. Times are milliseconds since the epoch. */
export interface OpenWindow {
  readonly window: number;
  readonly opensAt: number;
  readonly putOpensAt: number;
  readonly putClosesAt: number;
  /** Finalised blocks that the phases end at, in a run with a chain once one is known. */
  readonly blocks: PhaseBlocks | null;
  readonly assignmentSeed: string;
  readonly beaconSecret: string;
  readonly beaconCommit: string;
  /** Root of the parameters it trains from. */
  readonly stateRoot: string;
  /** The put phase is over for good: what has a receipt now is what will be judged. */
  readonly judging: boolean;
}

export interface PeerRow {
  readonly hotkey: string;
  readonly uid: number;
  readonly firstWindow: number;
  /** Public key in hex that signs tickets and contributions. */
  readonly sessionKey: string;
  readonly issuedAt: string;
  readonly expiresAt: string;
  /** Delegations issued until then are void; null when none was revoked. */
  readonly revokedAt: string | null;
  /** Nobody but itself says who it is. */
  readonly guest: boolean;
  /** Where a guest joined from, as a keyed hash; null where that is not counted. */
  readonly origin: string | null;
  readonly accepted: number;
  readonly rejected: number;
  readonly evaluated: number;
  readonly aggregated: number;
  /** Only the transaction that closes a window changes them. */
  readonly figures: Figures;
}

export interface ContributionRow {
  readonly window: number;
  readonly hotkey: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly arrivedAt: string;
  readonly pagesTrained: number;
  /** The key it was verified with: a peer may change its session key before the judge looks again. */
  readonly sessionKey: string;
  readonly receipt: SignedReceipt;
}

/** A permission to upload. One a peer and window: the newest. */
export interface TicketRow {
  /** Unguessable. */
  readonly id: string;
  readonly window: number;
  readonly hotkey: string;
  readonly sha256: string;
  readonly bytes: number;
  /** That the ticket was asked for with. */
  readonly sessionKey: string;
}

export interface CheckpointRow {
  /** The window that trains from these parameters. */
  readonly window: number;
  readonly stateRoot: string;
  readonly chunks: readonly BlobRef[];
}

/** A published outer step. `window` is the one it closed, `stateRoot` that of the parameters after it. */
export type StepRow = BlobRef & { readonly window: number; readonly stateRoot: string };

/** A window's book as a blob of canonical JSON, whose hash is the book's, and the validator's signature of it. */
export interface BookRow {
  readonly ref: BlobRef;
  readonly signature: string;
}

/** All that a published window changes, written at once or not at all. */
export interface WindowClose {
  /** Tickets of windows before this one are forgotten. */
  readonly forgetTicketsBefore: number;
  readonly record: WindowRecord;
  readonly summary: WindowSummary;
  readonly verdicts: readonly PeerVerdict[];
  readonly history: readonly { readonly hotkey: string; readonly point: PeerHistoryPoint }[];
  readonly peers: readonly {
    readonly hotkey: string;
    readonly figures: Figures;
    readonly evaluated: boolean;
    readonly aggregated: boolean;
  }[];
  readonly checkpoint: CheckpointRow | null;
  readonly book: BookRow;
  readonly next: OpenWindow;
}

export interface RunStore {
  /** The run, undefined in a fresh store. */
  run(): Promise<SignedManifest | undefined>;
  /** @throws Error when there is a run already */
  createRun(run: SignedManifest, checkpoint: CheckpointRow, first: OpenWindow): Promise<void>;

  openWindow(): Promise<OpenWindow>;
  setDeadlines(window: number, deadlines: Deadlines): Promise<void>;
  markJudging(window: number): Promise<void>;
  /** @throws Error when the window is not the open one: a window is closed once */
  closeWindow(close: WindowClose): Promise<void>;
  /** The record of a published window. */
  record(window: number): Promise<WindowRecord | undefined>;
  /** The book of a published window. */
  book(window: number): Promise<BookRow | undefined>;
  /** Published windows from `from` on, oldest first. */
  summaries(from: number, limit: number): Promise<WindowSummary[]>;
  /** The newest checkpoint, and the steps published since. */
  checkpoint(): Promise<{ checkpoint: CheckpointRow; steps: StepRow[] }>;

  /** A peer of the run; undefined for a hotkey that is none, or whose uid another took over. */
  peer(hotkey: string): Promise<PeerRow | undefined>;
  /** What is known of a hotkey's delegations, be it a peer or one that was. */
  newestDelegation(hotkey: string): Promise<NewestDelegation | undefined>;
  /** Voids delegations issued until `revokedAt`. @returns false when the session key is not the peer's */
  revoke(hotkey: string, sessionKey: string, revokedAt: string): Promise<boolean>;
  /** In the order of their uids. */
  peers(): Promise<PeerRow[]>;
  peerCount(): Promise<number>;
  /**
   * Adds a peer under the next free uid, or gives a known one its new session key.
   *
   * @param fresh.replaces hotkey of the peer whose uid is taken over, if any: it is no peer from then on, and what is on
   *   record of it stays readable
   * @param fresh.bounds on one more guest, where it is one
   * @returns undefined when that one is no peer or delivered in the open window, when there is no room for a newcomer, or
   *   when the delegation is older than the newest or revoked; then nothing has changed
   */
  join(
    delegation: Delegation,
    fresh: Pick<PeerRow, 'firstWindow' | 'figures' | 'guest' | 'origin'> & {
      replaces: string | null;
      maxPeers: number;
      bounds: GuestBounds | null;
    },
  ): Promise<PeerRow | undefined>;
  /** Newest first. */
  verdicts(hotkey: string, limit: number): Promise<Verdict[]>;
  /** What a window made of every peer that it scored, whoever is a peer now. */
  windowHistory(window: number): Promise<{ hotkey: string; point: PeerHistoryPoint }[]>;
  /** The newest `limit`, oldest first. */
  history(hotkey: string, limit: number): Promise<PeerHistoryPoint[]>;
  /** Newest first. */
  receipts(hotkey: string, limit: number): Promise<SignedReceipt[]>;

  /**
   * Keeps a ticket in place of the peer's earlier one of that window; one for the same bytes and key stays.
   *
   * @returns the ticket that is in force now
   */
  issueTicket(ticket: TicketRow): Promise<TicketRow>;
  ticket(id: string): Promise<TicketRow | undefined>;
  /** Of a window, those whose peers have no contribution on record in it. */
  unusedTickets(window: number): Promise<TicketRow[]>;

  contribution(window: number, hotkey: string): Promise<ContributionRow | undefined>;
  /** Of one window, by hotkey. */
  contributions(window: number): Promise<ContributionRow[]>;
  /**
   * Records an accepted upload and counts it, unless the peer has one in this window already.
   *
   * @returns the contribution on record: the given one, or the earlier
   * @throws Error when the window is no longer open for uploads, or the hotkey is no peer
   */
  accept(row: ContributionRow): Promise<ContributionRow>;
  /** Counts a refused upload; its verdict is kept while the peer has fewer than `keep` in that window. */
  refuse(hotkey: string, verdict: Verdict, keep: number): Promise<void>;
  /** Kept verdicts on a window's refused uploads, oldest first. */
  refusals(window: number, limit: number): Promise<PeerVerdict[]>;

  /** Adds readings of the chain, and keeps the newest `keep` of each hotkey; one of the same block replaces it. */
  addChainRecords(
    records: readonly { readonly hotkey: string; readonly record: ChainRecord }[],
    keep: number,
  ): Promise<void>;
  /** The newest `limit`, oldest first. */
  chainRecords(hotkey: string, limit: number): Promise<ChainRecord[]>;

  /** Keeps a sample; one of the same window replaces it. */
  addSample(sample: Sample): Promise<void>;
  /** The newest `limit`, oldest first. */
  samples(limit: number): Promise<Sample[]>;

  close(): Promise<void>;
}
