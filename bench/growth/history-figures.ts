/** What a run of `bench/growth/history.ts` says: apart, since that file measures when it is loaded. */

/** Peers of the run, and how many of them deliver in a window. */
export const HISTORY_PEERS = 300;
export const DELIVERING = 5;

export interface HistoryFigures {
  readonly windows: number;
  /** Milliseconds. */
  readonly times: Readonly<Record<string, number>>;
  /** Bytes of the database file. */
  readonly database: number;
}
