/** What the HTTP API is an API of; the rounds implement it. */
import type {
  Checkpoint,
  ClockState,
  JoinRequest,
  Leaderboard,
  PeerState,
  Refusal,
  RevocationRequest,
  Sample,
  SignedReceipt,
  Ticket,
  TicketRequest,
  ValidatorEvent,
  WindowRecord,
  WindowSummary,
} from '../../core/protocol/api.ts';
import type { ChainRecord, ChainState } from '../../core/protocol/chain.ts';
import type { SignedBook } from '../../core/protocol/book.ts';
import type { SignedManifest } from '../../core/protocol/manifest.ts';

/** Every method may throw a ProblemError; the types are those of core/protocol/problem.ts. */
export interface ValidatorService {
  manifest(): SignedManifest;
  clock(): ClockState;
  checkpoint(): Promise<Checkpoint>;
  /** What the open window trains from: flat fp32 vector in layout order, which nobody writes to. */
  model(): Promise<{ readonly root: string; readonly parameters: Float32Array<ArrayBuffer> }>;
  /** @param address of whom to count the peer among, where there is anybody else */
  join(request: JoinRequest, address?: string): Promise<PeerState>;
  revoke(hotkey: string, request: RevocationRequest): Promise<PeerState>;
  peer(hotkey: string): Promise<PeerState>;
  leaderboard(): Promise<Leaderboard>;
  chain(): ChainState;
  /** Oldest first. */
  chainRecords(hotkey: string, limit: number): Promise<ChainRecord[]>;
  window(window: number): Promise<WindowRecord>;
  book(window: number): Promise<SignedBook>;
  /** Oldest first. */
  refusals(window: number): Promise<Refusal[]>;
  windows(from: number, limit: number): Promise<WindowSummary[]>;
  /** Oldest first. */
  samples(): Promise<Sample[]>;
  ticket(window: number, request: TicketRequest): Promise<Ticket>;
  receive(
    ticket: string,
    declared: number | undefined,
    body: ReadableStream<Uint8Array> | null,
  ): Promise<SignedReceipt>;
  /** The bytes of a ticket are in the store. */
  arrived(ticket: string): Promise<SignedReceipt>;
  subscribe(listener: (event: ValidatorEvent) => void): () => void;
  /** Why it cannot serve now, undefined when it can. */
  unready(): string | undefined;
}
