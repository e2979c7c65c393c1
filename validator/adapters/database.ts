/** The tables of the run store, as SQLite and PostgreSQL both have them. */
import { PostgresAdapter, type ColumnType, type Generated, type Kysely } from 'kysely';

/** Milliseconds and sizes: PostgreSQL's driver reads them as text. */
type BigInteger = ColumnType<number | string, number, number>;

/** JSON columns are text, so that one dialect-free schema serves; instants are ISO 8601 text or milliseconds. */
export interface Tables {
  /** `needs`: programs of that version of the schema and newer can go on with what the step left. */
  migrations: { version: number; applied_at: string; needs: Generated<number> };
  run: { id: number; signed: string };
  windows: {
    window: number;
    opens_at: BigInteger;
    put_opens_at: BigInteger;
    put_closes_at: BigInteger;
    put_opens_block: number | null;
    put_closes_block: number | null;
    assignment_seed: string;
    beacon_secret: string;
    beacon_commit: string;
    state_root: string;
    judging: number;
    /** Null while the window is open. */
    record: string | null;
    summary: string | null;
  };
  peers: {
    hotkey: string;
    /** Negative of a peer that was: another took over its uid, and what is on record of it needs the row. */
    uid: number;
    first_window: number;
    session_key: string;
    issued_at: string;
    expires_at: string;
    /** Delegations issued until then are void. */
    revoked_at: string | null;
    /** Whether it needed no wallet; 0 of peers from before that was kept. */
    guest: Generated<number>;
    /** A keyed hash of where a guest joined from; null where that is not counted. */
    origin: string | null;
    accepted: number;
    rejected: number;
    evaluated: number;
    aggregated: number;
    figures: string;
  };
  contributions: {
    window: number;
    hotkey: string;
    sha256: string;
    bytes: BigInteger;
    arrived_at: string;
    pages_trained: number;
    session_key: string;
    receipt: string;
  };
  verdicts: { id: Generated<number>; hotkey: string; window: number; refusal: number; verdict: string };
  history: { hotkey: string; window: number; point: string };
  checkpoints: { window: number; state_root: string; chunks: string };
  chain_records: { hotkey: string; block: number; record: string };
  samples: { window: number; sample: string };
  books: { window: number; sha256: string; bytes: BigInteger; signature: string };
  tickets: { id: string; window: number; hotkey: string; sha256: string; bytes: BigInteger; session_key: string };
  /** Who drives the windows, and until when by the database's clock. PostgreSQL only, as all that follow. */
  leases: { name: string; holder: string; until: BigInteger };
  evaluators: { id: string; description: string; lanes: number; seen: BigInteger };
  /** When a caller may come in full numbers again, in ms by the database's clock; lost in a crash, which does no harm. */
  rates: { key: string; full_at: number };
  /** Who is at the database, and the version of the schema that its program is of. */
  processes: { id: string; schema: number; seen: BigInteger };
}

/** What the two dialects say differently. */
export const isPostgres = (db: Kysely<Tables>): boolean => db.getExecutor().adapter instanceof PostgresAdapter;
