/** One window's peers, each where it was stopped, from what the validator published. */
import { stoppedBy } from '../../../core/gauntlet/stopped-by.ts';
import { CheckSchema, type Check, type Refusal, type WindowRecord } from '../../../core/protocol/api.ts';
import type { PeerBook, WindowBook } from '../../../core/protocol/book.ts';

/** The stations on the way into the model, in this order. */
export const STATIONS = ['door', 'fast', 'score', 'model'] as const;
export type Station = (typeof STATIONS)[number];

export interface FlowPeer {
  readonly hotkey: string;
  /** Where it was stopped; `model` has those that were not. */
  readonly station: Station;
  /** Stopped by this check; undefined for who passed, or of whom nothing is known. */
  readonly check: Check | undefined;
  readonly aggregated: boolean;
  /** It sent nothing, although it was expected. */
  readonly absent: boolean;
  /** The validator's sentence, in English. */
  readonly reason: string | undefined;
}

export interface Flow {
  /** In the order of stations, then of checks. */
  readonly peers: readonly FlowPeer[];
  /** Contributions accepted. */
  readonly delivered: number;
}

const FAST: ReadonlySet<Check> = new Set(['delivered', 'in-time', 'signature', 'format', 'finite', 'model', 'sync']);
const ORDER = CheckSchema.options;

function judged(hotkey: string, book: PeerBook | undefined, delivered: boolean, aggregated: boolean): FlowPeer {
  const verdicts = book?.verdicts ?? [];
  const check = aggregated ? undefined : stoppedBy(verdicts);
  const station = !delivered ? 'door' : check === undefined ? 'model' : FAST.has(check) ? 'fast' : 'score';
  return {
    hotkey,
    station,
    check,
    aggregated,
    absent: !delivered,
    reason: verdicts.find((verdict) => verdict.check === check && !verdict.pass)?.reason,
  };
}

function refused(hotkey: string, verdicts: readonly Refusal['verdict'][]): FlowPeer {
  const check = stoppedBy(verdicts);
  const reason = verdicts.find((verdict) => verdict.check === check)?.reason;
  return { hotkey, station: 'door', check, aggregated: false, absent: false, reason };
}

/** @param book null where the window has none: then nothing is known of who was stopped by what */
export function flowOf(record: WindowRecord, book: WindowBook | null, refusals: readonly Refusal[]): Flow {
  const aggregated = new Set(record.aggregated);
  const delivered = new Set(record.contributions.map(({ hotkey }) => hotkey));
  const books = new Map((book?.peers ?? []).map((peer) => [peer.hotkey, peer]));
  const verdictsOf = new Map<string, Refusal['verdict'][]>();
  for (const { hotkey, verdict } of refusals) {
    if (!delivered.has(hotkey)) verdictsOf.set(hotkey, [...(verdictsOf.get(hotkey) ?? []), verdict]);
  }
  const peers = [
    ...[...verdictsOf].map(([hotkey, verdicts]) => refused(hotkey, verdicts)),
    ...[...delivered].map((hotkey) => judged(hotkey, books.get(hotkey), true, aggregated.has(hotkey))),
    ...[...books.values()]
      // Idle peers are not expected any more.
      .filter(({ hotkey, scored }) => scored && !delivered.has(hotkey) && !verdictsOf.has(hotkey))
      .map(({ hotkey }) => judged(hotkey, books.get(hotkey), false, false)),
  ];
  const place = ({ station, check, absent }: FlowPeer): number =>
    STATIONS.indexOf(station) * 100 + (absent ? 50 : 0) + (check ? ORDER.indexOf(check) : 49);
  return { peers: peers.sort((a, b) => place(a) - place(b)), delivered: delivered.size };
}

export interface Effect {
  readonly hotkey: string;
  /** Loss on random pages, nats a token, without and with a fraction of its step. */
  readonly before: number;
  readonly after: number;
  /** Positive is harm. */
  readonly change: number;
  readonly aggregated: boolean;
}

/** What each evaluated contribution would have done to the model, the most harmful first. */
export function effectsOf(record: Pick<WindowRecord, 'evaluated' | 'aggregated'>): Effect[] {
  const aggregated = new Set(record.aggregated);
  return record.evaluated
    .map(({ hotkey, random: { before, after } }) => ({
      hotkey,
      before,
      after,
      change: after - before,
      aggregated: aggregated.has(hotkey),
    }))
    .sort((a, b) => b.change - a.change);
}

/** Harm that was measured and kept out, summed, in nats a token. */
export function keptOut(effects: readonly Effect[]): number {
  return effects.reduce((sum, { change, aggregated }) => sum + (aggregated ? 0 : Math.max(0, change)), 0);
}
