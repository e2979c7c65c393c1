/**
 * Requests and answers of the HTTP API under /v1. Schemas and types only: the validator validates and documents with
 * them, clients parse with them. Fields are camelCase with units in names, null where not known yet.
 */
import * as z from 'zod';
import { BlockHeadSchema, WindowBlocksSchema } from './chain.ts';
import { ConductSchema } from './figures.ts';
import {
  AddressSchema,
  BlobRefSchema,
  Hex32Schema,
  HotkeySchema,
  InstantSchema,
  PublicKeySchema,
  RunIdSchema,
  Sha256Schema,
  SignatureSchema,
  WindowSchema,
} from './primitives.ts';

export const PhaseSchema = z.enum(['train', 'put', 'judge', 'publish']).meta({ id: 'Phase' });
export type Phase = z.infer<typeof PhaseSchema>;

/** GET /v1/clock */
export const ClockSchema = z
  .object({
    run: RunIdSchema,
    window: WindowSchema,
    phase: PhaseSchema,
    /** When this window opened. */
    opensAt: InstantSchema,
    putOpensAt: InstantSchema,
    putClosesAt: InstantSchema,
    serverTime: InstantSchema,
    /** Seed of this window's page assignment, see core/data/assignment.ts. */
    assignmentSeed: Hex32Schema,
    /** State root of the parameters this window trains from. */
    stateRoot: Sha256Schema,
    /** Where blocks are the clock, the instants above are forecasts; null in a run without a chain. */
    blocks: WindowBlocksSchema.nullable(),
  })
  .meta({ id: 'Clock' });
export type ClockState = z.infer<typeof ClockSchema>;

/**
 * What is signed once: the session key that may act for a hotkey. A guest's hotkey is an Ed25519 key in the tab and signs
 * the canonical JSON; a wallet signs the text of core/identity/delegation.ts, which a person has read.
 */
export const DelegationSchema = z
  .strictObject({
    run: RunIdSchema,
    hotkey: HotkeySchema,
    sessionKey: PublicKeySchema,
    scopes: z
      .array(z.enum(['contribute']))
      .min(1)
      .max(8),
    issuedAt: InstantSchema,
    expiresAt: InstantSchema,
  })
  .meta({ id: 'Delegation' });
export type Delegation = z.infer<typeof DelegationSchema>;

/** A guest signs over domain `delegation` and the canonical JSON of `delegation`, with the hotkey itself. */
const GuestJoinSchema = z.strictObject({
  kind: z.literal('guest'),
  delegation: DelegationSchema,
  signature: SignatureSchema,
});

/** Keys of Substrate accounts. */
export const WalletKeySchema = z.enum(['sr25519', 'ed25519', 'ecdsa']);
export type WalletKey = z.infer<typeof WalletKeySchema>;

/** Lower-case hex without 0x: 64 bytes, 65 of ecdsa. */
const WalletSignatureSchema = z
  .string()
  .regex(/^(?:[0-9a-f]{128}|[0-9a-f]{130})$/, 'must be 64 bytes in lower-case hex, or 65 of ecdsa');

/**
 * How an account shows that it agreed to a delegation's text: by signing it as bytes (`signRaw`, wrapped in <Bytes>), or,
 * where a device signs transactions only, by signing a `system.remark` of it that is never sent.
 */
const WalletProofSchema = z.discriminatedUnion('form', [
  z.strictObject({ form: z.literal('bytes'), signature: WalletSignatureSchema }),
  z.strictObject({
    form: z.literal('remark'),
    /** The signing payload: call, extensions and what they imply, SCALE in lower-case hex without 0x. */
    payload: z
      .string()
      .max(4_096)
      .regex(/^(?:[0-9a-f]{2})+$/, 'must be lower-case hex'),
    signature: WalletSignatureSchema,
  }),
]);

const WalletJoinSchema = z.strictObject({
  kind: z.literal('wallet'),
  delegation: DelegationSchema,
  /** Who signed: the hotkey, or where there is a chain the coldkey that owns it there. */
  signer: AddressSchema,
  key: WalletKeySchema,
  proof: WalletProofSchema,
});
export type WalletJoin = z.infer<typeof WalletJoinSchema>;

/** POST /v1/peers. */
export const JoinRequestSchema = z
  .discriminatedUnion('kind', [GuestJoinSchema, WalletJoinSchema])
  .meta({ id: 'JoinRequest' });
export type JoinRequest = z.infer<typeof JoinRequestSchema>;

/**
 * POST /v1/peers/:hotkey/revocation: the session key takes itself out of force, and every delegation issued before. Signed
 * by that session key over domain `revocation` and the canonical JSON of `revocation`.
 */
export const RevocationRequestSchema = z
  .strictObject({
    revocation: z.strictObject({
      run: RunIdSchema,
      hotkey: HotkeySchema,
      sessionKey: PublicKeySchema,
      revokedAt: InstantSchema,
    }),
    signature: SignatureSchema,
  })
  .meta({ id: 'RevocationRequest' });
export type RevocationRequest = z.infer<typeof RevocationRequestSchema>;

/** What is in force for a peer's session key. */
export const DelegationStateSchema = z
  .object({ issuedAt: InstantSchema, expiresAt: InstantSchema, revokedAt: InstantSchema.nullable() })
  .meta({ id: 'DelegationState' });

export const RatingSchema = z.object({ mu: z.number(), sigma: z.number(), ordinal: z.number() }).meta({ id: 'Rating' });
export type Rating = z.infer<typeof RatingSchema>;

/** Each fast check, then the scored ones, in the order they are made. */
export const CheckSchema = z.enum([
  'delivered',
  'in-time',
  'signature',
  'format',
  'finite',
  'model',
  'sync',
  'overlap',
  'loss',
  'proof-of-computation',
  'conduct',
]);
export type Check = z.infer<typeof CheckSchema>;

export const VerdictSchema = z
  .object({
    window: WindowSchema,
    check: CheckSchema,
    pass: z.boolean(),
    /** One sentence a person can read. */
    reason: z.string(),
    value: z.number().nullable(),
    threshold: z.number().nullable(),
  })
  .meta({ id: 'Verdict' });
export type Verdict = z.infer<typeof VerdictSchema>;

export const ReceiptSchema = z
  .strictObject({
    run: RunIdSchema,
    window: WindowSchema,
    hotkey: HotkeySchema,
    sha256: Sha256Schema,
    bytes: z.int().positive(),
    arrivedAt: InstantSchema,
  })
  .meta({ id: 'Receipt' });

/** Answer to a PUT. The signature is over domain `receipt` and the canonical JSON of `receipt`, by the validator. */
export const SignedReceiptSchema = z
  .strictObject({ receipt: ReceiptSchema, signature: SignatureSchema })
  .meta({ id: 'SignedReceipt' });
export type SignedReceipt = z.infer<typeof SignedReceiptSchema>;

/** A peer's figures after one window. */
export const PeerHistoryPointSchema = z
  .object({
    window: WindowSchema,
    rating: RatingSchema,
    poc: z.number(),
    sync: z.number().nullable(),
    peerScore: z.number(),
    weight: z.number(),
    rank: z.int().positive().nullable(),
    /** Whether its contribution was folded into the outer step. */
    aggregated: z.boolean(),
    /** LossScore on random and assigned data (nats gained), null when not evaluated. */
    lossScore: z.object({ assigned: z.number(), random: z.number() }).nullable(),
  })
  .meta({ id: 'PeerHistoryPoint' });
export type PeerHistoryPoint = z.infer<typeof PeerHistoryPointSchema>;

/** GET /v1/peers/:hotkey */
export const PeerSchema = z
  .object({
    hotkey: HotkeySchema,
    uid: z.int().nonnegative(),
    firstWindow: WindowSchema,
    contributions: z.object({
      accepted: z.int().nonnegative(),
      rejected: z.int().nonnegative(),
      evaluated: z.int().nonnegative(),
      aggregated: z.int().nonnegative(),
    }),
    poc: z.number(),
    rating: RatingSchema,
    sync: z.number().nullable(),
    /** Product of the cuts in force, 1 = none. */
    gate: z.number(),
    peerScore: z.number(),
    weight: z.number(),
    rank: z.int().positive().nullable(),
    flags: z.array(z.string()),
    conduct: ConductSchema,
    delegation: DelegationStateSchema,
    /** Newest first, at most 200. */
    verdicts: z.array(VerdictSchema),
    /** Oldest first, at most 500. */
    history: z.array(PeerHistoryPointSchema),
    /** Newest first, at most 100. */
    receipts: z.array(SignedReceiptSchema),
  })
  .meta({ id: 'Peer' });
export type PeerState = z.infer<typeof PeerSchema>;

export const LeaderboardEntrySchema = z
  .object({
    rank: z.int().positive().nullable(),
    hotkey: HotkeySchema,
    uid: z.int().nonnegative(),
    rating: RatingSchema,
    poc: z.number(),
    sync: z.number().nullable(),
    peerScore: z.number(),
    weight: z.number(),
    flags: z.array(z.string()),
    /** Rank after the window before the newest published one; null when it had none. */
    previousRank: z.int().positive().nullable(),
    /** Peer scores after those of the newest 16 windows that it was scored in, oldest first, to four significant digits. */
    trend: z.array(z.number()).max(16),
    /** Window of its newest accepted contribution, 0 for none. */
    lastDelivered: z.int().nonnegative(),
  })
  .meta({ id: 'LeaderboardEntry' });
export type LeaderboardEntry = z.infer<typeof LeaderboardEntrySchema>;

/** GET /v1/leaderboard. Ranked peers first. */
export const LeaderboardSchema = z
  .object({ window: WindowSchema, peers: z.array(LeaderboardEntrySchema) })
  .meta({ id: 'Leaderboard' });
export type Leaderboard = z.infer<typeof LeaderboardSchema>;

/** POST /v1/windows/:w/contributions. Signed by the session key over domain `ticket` and the canonical JSON of `ticket`. */
export const TicketRequestSchema = z
  .strictObject({
    ticket: z.strictObject({
      run: RunIdSchema,
      window: WindowSchema,
      hotkey: HotkeySchema,
      sha256: Sha256Schema,
      bytes: z.int().positive(),
    }),
    signature: SignatureSchema,
  })
  .meta({ id: 'TicketRequest' });
export type TicketRequest = z.infer<typeof TicketRequestSchema>;

/** Where to PUT the bytes, and by when. */
export const TicketSchema = z
  .object({
    /** Takes the bytes by PUT, and by POST the news that they are in the store. */
    url: z.string().max(2_000),
    /**
     * Where the validator's store takes the bytes by PUT, with just these headers besides the length; a POST to `url` then
     * gets the receipt. Absent where the validator takes them itself.
     */
    store: z
      .object({ url: z.url().max(4_000), headers: z.record(z.string().max(100), z.string().max(1_000)) })
      .optional(),
    expiresAt: InstantSchema,
  })
  .meta({ id: 'Ticket' });
export type Ticket = z.infer<typeof TicketSchema>;

const BeforeAfterSchema = z.object({ before: z.number(), after: z.number() });

export const EvaluationSchema = z
  .object({
    hotkey: HotkeySchema,
    /** Loss on pages drawn from the prefix of its assignment that the peer says it trained. */
    assigned: BeforeAfterSchema.extend({ pages: z.array(z.int().nonnegative()) }),
    /** Loss on the window's random pages, the same for all. */
    random: BeforeAfterSchema.extend({ pages: z.array(z.int().nonnegative()) }),
    rating: z.object({ before: RatingSchema, after: RatingSchema }),
  })
  .meta({ id: 'Evaluation' });
export type Evaluation = z.infer<typeof EvaluationSchema>;

/** GET /v1/windows/:w. Everything the put phase seals is null or empty until the window is published. */
export const WindowRecordSchema = z
  .object({
    run: RunIdSchema,
    window: WindowSchema,
    phase: PhaseSchema,
    opensAt: InstantSchema,
    putOpensAt: InstantSchema,
    putClosesAt: InstantSchema,
    publishedAt: InstantSchema.nullable(),
    assignmentSeed: Hex32Schema,
    learningRate: z.number(),
    /** Loss on held-out pages with θ_w and θ_{w+1}, nats a token. */
    lossBefore: z.number().nullable(),
    lossAfter: z.number().nullable(),
    /** Contributions accepted. */
    participants: z.int().nonnegative().nullable(),
    contributions: z.array(
      BlobRefSchema.extend({ hotkey: HotkeySchema, arrivedAt: InstantSchema, pagesTrained: z.int().nonnegative() }),
    ),
    evaluated: z.array(EvaluationSchema),
    aggregated: z.array(HotkeySchema),
    beacon: z.object({
      commit: Sha256Schema,
      reveal: Hex32Schema.nullable(),
      /** The block that ended the put phase, in a run with a chain. */
      block: BlockHeadSchema.optional(),
    }),
    outerStep: BlobRefSchema.nullable(),
    /** Root of θ_{w+1}, after this window's step. */
    stateRoot: Sha256Schema.nullable(),
  })
  .meta({ id: 'WindowRecord' });
export type WindowRecord = z.infer<typeof WindowRecordSchema>;

/** GET /v1/windows/:w/refusals: uploads that were refused, at most 1,000. */
export const RefusalsSchema = z.array(z.object({ hotkey: HotkeySchema, verdict: VerdictSchema })).max(1_000);
export type Refusal = z.infer<typeof RefusalsSchema>[number];

/** GET /v1/windows?from=&limit= : one row a window, oldest first, for charts. */
export const WindowSummarySchema = z
  .object({
    window: WindowSchema,
    lossBefore: z.number().nullable(),
    lossAfter: z.number().nullable(),
    participants: z.int().nonnegative().nullable(),
    aggregated: z.int().nonnegative(),
    stateRoot: Sha256Schema.nullable(),
    outerStep: BlobRefSchema.nullable(),
    /** In the pages that contributions no check caught say they trained. */
    tokens: z.int().nonnegative().nullable(),
    /** Of the contributions accepted. */
    bytes: z.int().nonnegative().nullable(),
    /** Uploads refused until it was published, at most 8 of a peer; null where they were not kept. */
    rejected: z.int().nonnegative().nullable(),
    /**
     * Peers by the check that kept their work out, the first that failed: contributions accepted and not aggregated, and
     * peers whose every upload was refused.
     */
    caught: z.partialRecord(CheckSchema, z.int().nonnegative()),
    /** Contributions whose losses were measured. */
    evaluated: z.int().nonnegative().nullable(),
    /** What those evaluated and not aggregated would have raised the loss on random pages by, summed, in nats a token. */
    keptOut: z.number().nonnegative().nullable(),
  })
  .meta({ id: 'WindowSummary' });
export type WindowSummary = z.infer<typeof WindowSummarySchema>;

/** GET /v1/checkpoints/latest */
export const CheckpointSchema = z
  .object({
    run: RunIdSchema,
    /** The parameters are those that this window trains from. */
    window: WindowSchema,
    stateRoot: Sha256Schema,
    /** Chunks of the flat fp32 little-endian vector in canonical order; their hashes are the tree's leaves. */
    chunks: z.array(BlobRefSchema),
    /** Steps published since, in order: applying them gives the newest parameters. */
    steps: z.array(BlobRefSchema.extend({ window: WindowSchema, stateRoot: Sha256Schema })),
  })
  .meta({ id: 'Checkpoint' });
export type Checkpoint = z.infer<typeof CheckpointSchema>;

const MAX_SAMPLES = 1_000;
const MAX_SAMPLE_CHARACTERS = 4_096;
const SampleTextSchema = z.string().max(MAX_SAMPLE_CHARACTERS);

/** What the model of a window went on with after the same prompts as ever. */
export const SampleSchema = z
  .object({
    /** The window that trains from this model. */
    window: WindowSchema,
    completions: z.array(z.object({ prompt: SampleTextSchema, text: SampleTextSchema })).max(8),
  })
  .meta({ id: 'Sample' });
export type Sample = z.infer<typeof SampleSchema>;

/** GET /v1/samples : oldest first, ever further apart. */
export const SamplesSchema = z.array(SampleSchema).max(MAX_SAMPLES);

/** Milliseconds over which whoever reads anew because of an event should spread its readings; the more listeners, the longer. */
const SpreadSchema = z.int().nonnegative().optional();

/** Server-sent events of GET /v1/events; the event's name is `type`. */
export const EventSchema = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('clock'), clock: ClockSchema }),
    z.object({ type: z.literal('window'), window: WindowSummarySchema, spreadMs: SpreadSchema }),
    // Not the leaderboard itself: of ten thousand peers it is megabytes, which each listener would get, wanted or not.
    z.object({ type: z.literal('leaderboard'), window: WindowSchema, spreadMs: SpreadSchema }),
  ])
  .meta({ id: 'Event' });
export type ValidatorEvent = z.infer<typeof EventSchema>;
