/**
 * A recorded run as it stood after any of its windows, behind the production API: the record is filled from the books up
 * to there, and the validator's own views answer from it.
 */
import { freshFigures } from '../../core/gauntlet/scoring.ts';
import { ordinal } from '../../core/gauntlet/rating.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import type { ClockState, PeerHistoryPoint, ValidatorEvent } from '../../core/protocol/api.ts';
import type { PeerBook } from '../../core/protocol/book.ts';
import { ProblemError } from '../../core/protocol/problem.ts';
import type { RecordedPeer, RecordedWindow, Recording } from '../../core/protocol/recording.ts';
import { createScheme } from '../../core/scheme/create-scheme.ts';
import { createApp } from '../../validator/http/app.ts';
import type { ValidatorService } from '../../validator/http/validator-service.ts';
import type { OpenWindow, PeerRow } from '../../validator/rounds/store.ts';
import { createViews } from '../../validator/rounds/views.ts';
import { createMemoryBlobs } from '../demo/memory-blobs.ts';
import { createMemoryStore, emptyRecords, type MemoryRecords } from '../demo/memory-store.ts';
import type { PortService } from '../demo/serve-port.ts';

export interface RecordedRun extends PortService {
  readonly first: number;
  readonly last: number;
  /** The newest published window. */
  readonly window: number;
  /** Makes it the time after a window was published. @throws RangeError outside of the recording */
  seek(window: number): void;
}

function refuse(): never {
  throw new ProblemError('not-ready', 'This is a recording: it can be watched, and nothing can be delivered to it.');
}

/** The window that is open after a recorded one. */
function openAfter({ book: { book } }: RecordedWindow, next: RecordedWindow | undefined): OpenWindow {
  const { record } = next?.book.book ?? book;
  // After the last one: as long as that was.
  const shift = next ? 0 : Date.parse(record.publishedAt!) - Date.parse(record.opensAt);
  const at = (instant: string): number => Date.parse(instant) + shift;
  return {
    window: book.window + 1,
    opensAt: at(record.opensAt),
    putOpensAt: at(record.putOpensAt),
    putClosesAt: at(record.putClosesAt),
    blocks: null,
    assignmentSeed: book.next.assignmentSeed,
    // Not public before it is published.
    beaconSecret: '',
    beaconCommit: book.next.beaconCommit,
    stateRoot: book.record.stateRoot!,
    judging: false,
  };
}

export function openRecordedRun(recording: Recording): RecordedRun {
  const { run: signed, windows } = recording;
  const { run, manifest } = signed;
  const scheme = createScheme(manifest.scheme, parameterLayout(manifest.model));
  const known = new Map(recording.peers.map((peer) => [peer.hotkey, peer]));
  const first = windows[0]!.summary.window;
  const last = first + windows.length - 1;
  const listeners = new Set<(event: ValidatorEvent) => void>();

  let records: MemoryRecords;
  let views: ReturnType<typeof createViews>;
  let position: number;

  function restart(): void {
    records = emptyRecords();
    position = first - 1;
    views = createViews({ run, manifest, scheme }, createMemoryStore(records), {
      open: () => records.open!,
      phase: () => 'train',
    });
  }

  function peerRow({ hotkey, uid, before }: Pick<PeerBook, 'hotkey' | 'uid' | 'before'>, window: number): PeerRow {
    const found: RecordedPeer | undefined = known.get(hotkey);
    return {
      hotkey,
      uid,
      firstWindow: found?.firstWindow ?? window,
      sessionKey: '',
      // Of who was replaced since, nothing is known any more.
      issuedAt: found?.delegation.issuedAt ?? manifest.createdAt,
      expiresAt: found?.delegation.expiresAt ?? manifest.createdAt,
      revokedAt: null,
      guest: false,
      origin: null,
      accepted: 0,
      rejected: 0,
      evaluated: 0,
      aggregated: 0,
      figures: before,
    };
  }

  function rowOf(
    peer: Parameters<typeof peerRow>[0],
    window: number,
  ): { -readonly [Key in keyof PeerRow]: PeerRow[Key] } {
    const held = records.peers.get(peer.hotkey);
    if (held) return held;
    for (const other of records.peers.values()) if (other.uid === peer.uid) other.uid = -1 - records.peers.size;
    const row = peerRow(peer, window);
    records.peers.set(peer.hotkey, row);
    return row;
  }

  /** What a window changed, as the transaction that closed it did. */
  function publish({ summary, book: { book, signature }, refusals }: RecordedWindow): void {
    const { window, record } = book;
    const aggregated = new Set(record.aggregated);
    // Who joined and never delivered is in no book.
    for (const peer of recording.peers) {
      if (peer.firstWindow <= window) rowOf({ ...peer, before: freshFigures(manifest.gauntlet) }, window);
    }
    for (const peer of book.peers) {
      const { hotkey, after, scored } = peer;
      const row = rowOf(peer, window);
      row.figures = after;
      row.aggregated += Number(aggregated.has(hotkey));
      for (const verdict of peer.verdicts) records.verdicts.push({ hotkey, verdict, refusal: false });
      if (!scored) continue;
      row.evaluated += Number(scored.lossScores !== null);
      const { poc, sync, peerScore, weight, rank } = after;
      const rating = { ...after.rating, ordinal: ordinal(after.rating, manifest.gauntlet.rating) };
      const figures = { window, rating, poc, sync, peerScore, weight, rank };
      const point: PeerHistoryPoint = { ...figures, aggregated: aggregated.has(hotkey), lossScore: scored.lossScores };
      records.history.push({ hotkey, point });
    }
    const pages = new Map(record.contributions.map(({ hotkey, pagesTrained }) => [hotkey, pagesTrained]));
    for (const { sessionKey, signed: receipt } of book.receipts) {
      const { hotkey } = receipt.receipt;
      const row = records.peers.get(hotkey);
      if (row) row.accepted++;
      const pagesTrained = pages.get(hotkey) ?? 0;
      records.contributions.push({ ...receipt.receipt, pagesTrained, sessionKey, receipt });
    }
    for (const { hotkey, verdict } of refusals) {
      const row = records.peers.get(hotkey);
      if (row) row.rejected++;
      records.verdicts.push({ hotkey, verdict, refusal: true });
    }
    records.published.set(window, { record, summary, book: { ref: { sha256: '', bytes: 0 }, signature } });
    position = window;
    records.open = openAfter(windows[window - first]!, windows[window - first + 1]);
  }

  function seek(window: number): void {
    if (!Number.isInteger(window) || window < first || window > last) {
      throw new RangeError(`the recording has the windows ${first} to ${last}, not ${window}`);
    }
    if (window < position) restart();
    while (position < window) publish(windows[position - first + 1]!);
    for (const listener of listeners) listener({ type: 'clock', clock: clock() });
  }

  function clock(): ClockState {
    const open = records.open!;
    const [opensAt, putOpensAt, putClosesAt] = [open.opensAt, open.putOpensAt, open.putClosesAt].map((ms) =>
      new Date(ms).toISOString(),
    ) as [string, string, string];
    return {
      run,
      window: open.window,
      phase: 'train',
      opensAt,
      putOpensAt,
      putClosesAt,
      serverTime: opensAt,
      assignmentSeed: open.assignmentSeed,
      stateRoot: open.stateRoot,
      blocks: null,
    };
  }

  const service: ValidatorService = {
    manifest: () => signed,
    clock,
    checkpoint: refuse,
    model: refuse,
    join: refuse,
    revoke: refuse,
    chain: refuse,
    chainRecords: refuse,
    ticket: refuse,
    receive: refuse,
    arrived: refuse,
    peer: (hotkey) => views.peer(hotkey),
    leaderboard: () => views.leaderboard(),
    window: (window) => views.window(window),
    refusals: (window) => views.refusals(window),
    windows: (from, limit) => views.windows(from, limit),
    samples: () => Promise.resolve(recording.samples.filter(({ window }) => window <= position + 1)),
    book(window) {
      const found = window <= position ? windows[window - first] : undefined;
      if (!found) throw new ProblemError('unknown-window', `There is no book of window ${window} in this recording.`);
      return Promise.resolve(found.book);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    unready: () => undefined,
  };
  const { app } = createApp({
    service,
    blobs: createMemoryBlobs().blobs,
    corsOrigins: [],
    onError: (error) => console.error(error),
  });
  restart();
  seek(last);
  return {
    first,
    last,
    get window() {
      return position;
    },
    seek,
    fetch: (request) => app.fetch(request),
    subscribe: (listener) => service.subscribe(listener),
    greeting: () => ({ type: 'clock', clock: clock() }),
  };
}
