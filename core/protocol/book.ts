/**
 * The book of a window: everything that is needed to recompute its judgement, signed by the validator. Each names the hash
 * of the one before and the commitment of the one after, so that neither can be changed later. Schemas and types only.
 */
import * as z from 'zod';
import { SignedReceiptSchema, VerdictSchema, WindowRecordSchema } from './api.ts';
import { FiguresSchema } from './figures.ts';
import {
  BlobRefSchema,
  Hex32Schema,
  HotkeySchema,
  PublicKeySchema,
  RunIdSchema,
  Sha256Schema,
  SignatureSchema,
  WindowSchema,
} from './primitives.ts';

export const BOOK_VERSION = 1;
/** As many as a run may have peers. */
const MAX_PEERS = 100_000;

/** What scoring took of a peer that delivered now or lately; see core/gauntlet/scoring.ts. */
const ScoredSchema = z.strictObject({
  delivered: z.boolean(),
  wellFormed: z.boolean(),
  passed: z.boolean(),
  sync: z.number().nullable(),
  otherData: z.boolean(),
  drawn: z.boolean(),
  lossScores: z.strictObject({ assigned: z.number(), random: z.number() }).nullable(),
  overlap: z.strictObject({ share: z.number(), with: HotkeySchema }).nullable(),
});

export const PeerBookSchema = z.strictObject({
  hotkey: HotkeySchema,
  uid: z.int().nonnegative(),
  before: FiguresSchema,
  after: FiguresSchema,
  /** Null for a peer that took no part and whose figures changed all the same. */
  scored: ScoredSchema.nullable(),
  verdicts: z.array(VerdictSchema).max(64),
});
export type PeerBook = z.infer<typeof PeerBookSchema>;

export const WindowBookSchema = z
  .strictObject({
    version: z.literal(BOOK_VERSION),
    run: RunIdSchema,
    window: WindowSchema,
    /** SHA-256 of the canonical JSON of the book before; null in a run's first. */
    previous: Sha256Schema.nullable(),
    /** State root of θ_w, the parameters that were trained from. */
    trainedFrom: Sha256Schema,
    /** The newest checkpoint when the window closed: θ_w is this and the outer steps from its window on. */
    checkpoint: z.strictObject({
      window: WindowSchema,
      stateRoot: Sha256Schema,
      chunks: z.array(BlobRefSchema).max(100_000),
    }),
    record: WindowRecordSchema,
    /** Of every accepted upload, and the session key that it is signed with; by hotkey. */
    receipts: z.array(z.strictObject({ sessionKey: PublicKeySchema, signed: SignedReceiptSchema })).max(MAX_PEERS),
    /** What trials are clipped to; null where the scheme clips none. */
    clipNorms: z.array(z.number()).max(100_000).nullable(),
    /** Hotkeys in the order in which evaluations begin, and how many of these the time allowed. */
    drawn: z.array(HotkeySchema).max(MAX_PEERS),
    reached: z.int().nonnegative(),
    peers: z.array(PeerBookSchema).max(MAX_PEERS),
    /** What the validator is bound to in the window that opens now. */
    next: z.strictObject({ beaconCommit: Sha256Schema, assignmentSeed: Hex32Schema }),
  })
  .meta({ id: 'WindowBook' });
export type WindowBook = z.infer<typeof WindowBookSchema>;

/** GET /v1/windows/:w/book. The signature is over domain `book` and the canonical JSON of `book`, by the validator. */
export const SignedBookSchema = z
  .strictObject({ book: WindowBookSchema, signature: SignatureSchema })
  .meta({ id: 'SignedBook' });
export type SignedBook = z.infer<typeof SignedBookSchema>;
