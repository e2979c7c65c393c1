/** Open books: what a judgement was made of and came to, in a form that anyone can recompute. */
import { canonicalBytes } from '../../core/identity/canonical.ts';
import { signHex } from '../../core/identity/signing.ts';
import type { WindowRecord } from '../../core/protocol/api.ts';
import {
  BOOK_VERSION,
  SignedBookSchema,
  type PeerBook,
  type SignedBook,
  type WindowBook,
} from '../../core/protocol/book.ts';
import { ProblemError } from '../../core/protocol/problem.ts';
import type { RoundsPorts, RunContext } from './context.ts';
import { CorruptRunError } from './corrupt-run.ts';
import type { Judgement } from './judge.ts';
import type { BookRow, OpenWindow } from './store.ts';
import { byPeer } from './summary.ts';

function peersOf({ scored, idle, verdicts }: Judgement): PeerBook[] {
  const verdictsOf = byPeer(verdicts);
  const of = (hotkey: string): PeerBook['verdicts'] => verdictsOf.get(hotkey) ?? [];
  return [
    ...scored.map(({ hotkey, uid, before, after, ...taken }) => ({
      hotkey,
      uid,
      before,
      after,
      scored: taken,
      verdicts: of(hotkey),
    })),
    ...idle.map(({ hotkey, uid, before, after }) => ({
      hotkey,
      uid,
      before,
      after,
      scored: null,
      verdicts: of(hotkey),
    })),
  ];
}

/** Writes and signs the book of a judged window; harmless to repeat. */
export async function writeBook(
  { run }: Pick<RunContext, 'run'>,
  { store, blobs, signer }: Pick<RoundsPorts, 'store' | 'blobs' | 'signer'>,
  open: OpenWindow,
  judgement: Judgement,
  record: WindowRecord,
  next: OpenWindow,
): Promise<BookRow> {
  const { checkpoint } = await store.checkpoint();
  const book: WindowBook = {
    version: BOOK_VERSION,
    run,
    window: open.window,
    previous: (await store.book(open.window - 1))?.ref.sha256 ?? null,
    trainedFrom: open.stateRoot,
    checkpoint: { ...checkpoint, chunks: [...checkpoint.chunks] },
    record,
    receipts: judgement.contributions.map(({ sessionKey, receipt }) => ({ sessionKey, signed: receipt })),
    clipNorms: judgement.clipNorms && [...judgement.clipNorms],
    drawn: [...judgement.drawn],
    reached: judgement.reached,
    peers: peersOf(judgement),
    next: { beaconCommit: next.beaconCommit, assignmentSeed: next.assignmentSeed },
  };
  const bytes = canonicalBytes(book);
  return { ref: await blobs.put(bytes), signature: await signHex(signer, 'book', bytes) };
}

/** @throws ProblemError `unknown-window` @throws CorruptRunError when the book is lost or damaged */
export async function readBook(
  { store, blobs }: Pick<RoundsPorts, 'store' | 'blobs'>,
  window: number,
): Promise<SignedBook> {
  const row = await store.book(window);
  if (!row) throw new ProblemError('unknown-window', `There is no book of window ${window}: it is not published.`);
  const bytes = await blobs.read(row.ref.sha256);
  if (!bytes) throw new CorruptRunError(`the book of window ${window} (blob ${row.ref.sha256}) is missing`);
  const parsed = SignedBookSchema.safeParse({
    book: JSON.parse(new TextDecoder().decode(bytes)) as unknown,
    signature: row.signature,
  });
  if (!parsed.success) throw new CorruptRunError(`the book of window ${window} is damaged: ${parsed.error.message}`);
  return parsed.data;
}
