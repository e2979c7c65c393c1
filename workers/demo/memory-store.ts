/** The run's record in memory. What a caller gets is its own, as from a database; rows are never written to by whoever gave them. */
import type {
  PeerHistoryPoint,
  Sample,
  SignedReceipt,
  Verdict,
  WindowRecord,
  WindowSummary,
} from '../../core/protocol/api.ts';
import type { ChainRecord } from '../../core/protocol/chain.ts';
import type { SignedManifest } from '../../core/protocol/manifest.ts';
import { crowdedBy } from '../../validator/rounds/guests.ts';
import type { NewestDelegation } from '../../validator/rounds/delegations.ts';
import type {
  BookRow,
  CheckpointRow,
  ContributionRow,
  OpenWindow,
  PeerRow,
  RunStore,
  TicketRow,
} from '../../validator/rounds/store.ts';
import type { PeerVerdict } from '../../validator/rounds/summary.ts';

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

interface Published {
  readonly record: WindowRecord;
  readonly summary: WindowSummary;
  readonly book: BookRow;
}

/** All there is to keep, apart from the store over it: a store may be closed and another opened on the same records. */
export interface MemoryRecords {
  run: SignedManifest | undefined;
  open: Writable<OpenWindow> | undefined;
  readonly published: Map<number, Published>;
  readonly checkpoints: CheckpointRow[];
  /** By hotkey; whose uid another took over has it below 0. */
  readonly peers: Map<string, Writable<PeerRow>>;
  readonly verdicts: { readonly hotkey: string; readonly verdict: Verdict; readonly refusal: boolean }[];
  readonly history: { readonly hotkey: string; readonly point: PeerHistoryPoint }[];
  readonly contributions: ContributionRow[];
  readonly tickets: TicketRow[];
  readonly chain: Map<string, ChainRecord[]>;
  /** By window. */
  readonly samples: Map<number, Sample>;
}

export function emptyRecords(): MemoryRecords {
  return {
    run: undefined,
    open: undefined,
    published: new Map(),
    checkpoints: [],
    peers: new Map(),
    verdicts: [],
    history: [],
    contributions: [],
    tickets: [],
    chain: new Map(),
    samples: new Map(),
  };
}

function isVoid(issuedAt: string, newest: NewestDelegation): boolean {
  const issued = Date.parse(issuedAt);
  return issued < Date.parse(newest.issuedAt) || (newest.revokedAt !== null && issued <= Date.parse(newest.revokedAt));
}

const byText = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

export function createMemoryStore(records: MemoryRecords = emptyRecords()): RunStore {
  const { published, checkpoints, peers, verdicts, history, contributions, tickets, chain, samples } = records;

  function opened(): Writable<OpenWindow> {
    if (!records.open) throw new Error('there is no run in the store');
    return records.open;
  }

  function currentPeer(hotkey: string): Writable<PeerRow> | undefined {
    const peer = peers.get(hotkey);
    return peer && peer.uid >= 0 ? peer : undefined;
  }

  function newestDelegation(hotkey: string): NewestDelegation | undefined {
    const peer = peers.get(hotkey);
    return peer && { issuedAt: peer.issuedAt, revokedAt: peer.revokedAt };
  }

  const uids = (): number[] => [...peers.values()].map(({ uid }) => uid);

  const delivered = (window: number, hotkey: string): ContributionRow | undefined =>
    contributions.find((row) => row.window === window && row.hotkey === hotkey);

  function nextUid(maxPeers: number): number | undefined {
    const taken = uids().filter((uid) => uid >= 0);
    return taken.length >= maxPeers ? undefined : Math.max(-1, ...taken) + 1;
  }

  /** Takes a peer's uid from it; undefined when it is none, or delivered in the open window. */
  function vacatedUid(hotkey: string): number | undefined {
    const peer = currentPeer(hotkey);
    if (!peer || delivered(opened().window, hotkey)) return undefined;
    const { uid } = peer;
    peer.uid = Math.min(0, ...uids()) - 1;
    return uid;
  }

  const newest = <T>(rows: readonly T[], limit: number): T[] => rows.slice(Math.max(0, rows.length - limit));

  const methods: RunStore = {
    run: () => answer(() => records.run),
    createRun: (run, checkpoint, first) =>
      answer(() => {
        if (records.run) throw new Error('there is a run in the store already');
        records.run = run;
        checkpoints.push(checkpoint);
        records.open = { ...first };
      }),

    openWindow: () => answer(opened),
    setDeadlines: (window, deadlines) =>
      answer(() => {
        const open = opened();
        if (open.window === window) Object.assign(open, deadlines);
      }),
    markJudging: (window) =>
      answer(() => {
        const open = opened();
        if (open.window === window) open.judging = true;
      }),
    closeWindow: (close) =>
      answer(() => {
        const { record, summary, book } = close;
        if (opened().window !== record.window) throw new Error(`window ${record.window} is not open`);
        if (published.has(close.next.window) || close.next.window === record.window) {
          throw new Error(`window ${close.next.window} was there already`);
        }
        published.set(record.window, { record, summary, book });
        for (const { hotkey, verdict } of close.verdicts) verdicts.push({ hotkey, verdict, refusal: false });
        history.push(...close.history);
        for (const { hotkey, figures, evaluated, aggregated } of close.peers) {
          const peer = peers.get(hotkey);
          if (!peer) continue;
          peer.figures = figures;
          peer.evaluated += Number(evaluated);
          peer.aggregated += Number(aggregated);
        }
        if (close.checkpoint) checkpoints.push(close.checkpoint);
        removeWhere(tickets, ({ window }) => window < close.forgetTicketsBefore);
        records.open = { ...close.next };
      }),
    record: (window) => answer(() => published.get(window)?.record),
    book: (window) => answer(() => published.get(window)?.book),
    summaries: (from, limit) => answer(() => summariesFrom(from).slice(0, limit)),
    checkpoint: () =>
      answer(() => {
        const checkpoint = checkpoints.at(-1);
        if (!checkpoint) throw new Error('there is no run in the store');
        const steps = summariesFrom(checkpoint.window).map(({ window, stateRoot, outerStep }) => {
          if (!outerStep || stateRoot === null) throw new Error(`window ${window} was published without a step`);
          return { ...outerStep, window, stateRoot };
        });
        return { checkpoint, steps };
      }),

    peer: (hotkey) => answer(() => currentPeer(hotkey)),
    newestDelegation: (hotkey) => answer(() => newestDelegation(hotkey)),
    revoke: (hotkey, sessionKey, revokedAt) =>
      answer(() => {
        const peer = currentPeer(hotkey);
        if (peer?.sessionKey !== sessionKey) return false;
        // An earlier date, come late, takes nothing back.
        if (peer.revokedAt === null || Date.parse(peer.revokedAt) < Date.parse(revokedAt)) peer.revokedAt = revokedAt;
        return true;
      }),
    peerCount: () => answer(() => uids().filter((uid) => uid >= 0).length),
    peers: () => answer(() => [...peers.values()].filter(({ uid }) => uid >= 0).sort((a, b) => a.uid - b.uid)),
    join: ({ hotkey, sessionKey, issuedAt, expiresAt }, { replaces, maxPeers, bounds, ...fresh }) =>
      answer(() => {
        const known = newestDelegation(hotkey);
        if (known && isVoid(issuedAt, known)) return undefined;
        const session = { sessionKey, issuedAt, expiresAt };
        const peer = currentPeer(hotkey);
        if (peer) return Object.assign(peer, session);
        const all = [...peers.values()].filter(({ uid }) => uid >= 0);
        if (bounds && crowdedBy(all, bounds)) return undefined;
        const uid = replaces === null ? nextUid(maxPeers) : vacatedUid(replaces);
        if (uid === undefined) return undefined;
        const counts = { accepted: 0, rejected: 0, evaluated: 0, aggregated: 0 };
        const row = { hotkey, uid, ...fresh, ...session, revokedAt: known?.revokedAt ?? null, ...counts };
        peers.set(hotkey, row);
        return row;
      }),
    verdicts: (hotkey, limit) =>
      answer(() =>
        verdicts
          .filter((row) => row.hotkey === hotkey)
          .map(({ verdict }) => verdict)
          // Newest first; of one window the last to be written is the newest.
          .reverse()
          .sort((a, b) => b.window - a.window)
          .slice(0, limit),
      ),
    windowHistory: (window) => answer(() => history.filter(({ point }) => point.window === window)),
    history: (hotkey, limit) =>
      answer(() =>
        newest(
          history.filter((row) => row.hotkey === hotkey).map(({ point }) => point),
          limit,
        ),
      ),
    receipts: (hotkey, limit) =>
      answer(() =>
        newest(
          contributions.filter((row) => row.hotkey === hotkey),
          limit,
        )
          .map(({ receipt }): SignedReceipt => receipt)
          .reverse(),
      ),

    issueTicket: (ticket) =>
      answer(() => {
        const isOfPeer = (other: TicketRow): boolean =>
          other.window === ticket.window && other.hotkey === ticket.hotkey;
        const old = tickets.find(isOfPeer);
        const { sha256, bytes, sessionKey } = ticket;
        if (old && old.sha256 === sha256 && old.bytes === bytes && old.sessionKey === sessionKey) return old;
        removeWhere(tickets, isOfPeer);
        tickets.push(ticket);
        return ticket;
      }),
    ticket: (id) => answer(() => tickets.find((ticket) => ticket.id === id)),
    unusedTickets: (window) =>
      answer(() => tickets.filter((ticket) => ticket.window === window && !delivered(window, ticket.hotkey))),

    contribution: (window, hotkey) => answer(() => delivered(window, hotkey)),
    contributions: (window) =>
      answer(() => contributions.filter((row) => row.window === window).sort((a, b) => byText(a.hotkey, b.hotkey))),
    accept: (row) =>
      answer(() => {
        const earlier = delivered(row.window, row.hotkey);
        if (earlier) return earlier;
        const open = records.open;
        if (open?.window !== row.window || open.judging)
          throw new Error(`window ${row.window} takes no uploads any more`);
        const peer = currentPeer(row.hotkey);
        if (!peer) throw new Error(`${row.hotkey} is no peer of this run`);
        contributions.push(row);
        peer.accepted++;
        return row;
      }),
    refuse: (hotkey, verdict, keep) =>
      answer(() => {
        const peer = peers.get(hotkey);
        if (peer) peer.rejected++;
        const kept = verdicts.filter(
          (row) => row.refusal && row.hotkey === hotkey && row.verdict.window === verdict.window,
        );
        if (kept.length < keep) verdicts.push({ hotkey, verdict, refusal: true });
      }),
    refusals: (window, limit) =>
      answer(() =>
        verdicts
          .filter((row) => row.refusal && row.verdict.window === window)
          .slice(0, limit)
          .map(({ hotkey, verdict }): PeerVerdict => ({ hotkey, verdict })),
      ),

    addChainRecords: (added, keep) =>
      answer(() => {
        for (const { hotkey, record } of added) {
          const others = (chain.get(hotkey) ?? []).filter(({ block }) => block !== record.block);
          chain.set(
            hotkey,
            newest(
              [...others, record].sort((a, b) => a.block - b.block),
              keep,
            ),
          );
        }
      }),
    chainRecords: (hotkey, limit) => answer(() => newest(chain.get(hotkey) ?? [], limit)),

    addSample: (sample) =>
      answer(() => {
        samples.set(sample.window, sample);
      }),
    samples: (limit) =>
      answer(() =>
        newest(
          [...samples.values()].sort((a, b) => a.window - b.window),
          limit,
        ),
      ),

    close: () => Promise.resolve(),
  };

  function summariesFrom(from: number): WindowSummary[] {
    return [...published.values()].map(({ summary }) => summary).filter(({ window }) => window >= from);
  }

  return methods;
}

function removeWhere<T>(rows: T[], isGone: (row: T) => boolean): void {
  rows.splice(0, rows.length, ...rows.filter((row) => !isGone(row)));
}

/** One step, whose result is nobody else's; what it throws becomes a rejection. */
async function answer<T>(work: () => T): Promise<T> {
  return Promise.resolve(structuredClone(work()));
}
