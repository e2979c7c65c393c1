/** The run manifest: everything that must be the same for every peer of a run, signed by its validator. */
import * as z from 'zod';
import { ModelConfigSchema } from '../model/config.ts';
import {
  BlobRefSchema,
  InstantSchema,
  PublicKeySchema,
  RunIdSchema,
  Sha256Schema,
  SignatureSchema,
} from './primitives.ts';
import { shownText } from './shown-text.ts';
import { SPOKEN } from './versions.ts';

const fraction = z.number().min(0).max(1);

/** DeMo as the paper ran it (facts: DeMo decay 0.999, chunk 64, k 32, η 4e-4). */
export const DecoupledMomentumSchema = z.strictObject({
  name: z.literal('decoupled-momentum'),
  /** Peak learning rate η of the sign step. */
  learningRate: z.number().positive().max(1),
  /** Windows of linear warm-up from 0.1 η to η; then cosine to 0.1 η over `cosineWindows`. */
  warmupWindows: z.int().nonnegative(),
  cosineWindows: z.int().positive(),
  /** Momentum decay β. */
  momentum: fraction,
  /** Largest chunk edge; the edge used is the largest divisor of a dimension up to this. */
  chunk: z.int().min(2).max(64),
  /** Coefficients kept a chunk, at most. */
  topK: z.int().min(1).max(4096),
});

export type DecoupledMomentumParameters = z.infer<typeof DecoupledMomentumSchema>;

/** SparseLoCo (arXiv 2508.15706, and Covenant-72B, arXiv 2603.08163): local AdamW steps, a sparse pseudo-gradient. */
export const SparseLocoSchema = z.strictObject({
  name: z.literal('sparseloco'),
  /** α of the outer step θ ← θ - α · mean of the pseudo-gradients. */
  outerLearningRate: z.number().positive().max(2),
  /** The local optimiser, AdamW; its moments stay with the contributor. */
  inner: z.strictObject({
    learningRate: z.number().positive().max(1),
    /** Windows of linear warm-up from 0.1 of the peak; then cosine to 0.1 of it over `cosineWindows`. */
    warmupWindows: z.int().nonnegative(),
    cosineWindows: z.int().positive(),
    beta1: fraction,
    beta2: fraction,
    epsilon: z.number().positive(),
    weightDecay: z.number().nonnegative(),
    /** Largest Euclidean norm of a step's gradient over all parameters: a longer one is scaled down. */
    maxGradientNorm: z.number().positive(),
    /** Pages whose mean gradient makes a step: H is the pages trained over these. */
    pagesPerStep: z.int().positive(),
  }),
  /** β of the error feedback e ← β·e + Δ - what was sent. */
  feedbackDecay: fraction,
  /** Largest chunk edge; the edge used is the largest divisor of a dimension up to this. */
  chunk: z.int().min(2).max(64),
  /** Values kept a chunk, at most; a chunk of no more values is sent whole. */
  topK: z.int().min(1).max(4096),
  /** Values that a code can take: 2, 4 or 8 bits on the wire. */
  levels: z.union([z.literal(4), z.literal(16), z.literal(256)]),
  /** The mean of a coordinate: over all aggregated contributions (the paper) or those that sent it (templar's code). */
  mean: z.enum(['contributions', 'senders']),
});

export type SparseLocoParameters = z.infer<typeof SparseLocoSchema>;

export const SchemeParametersSchema = z.discriminatedUnion('name', [DecoupledMomentumSchema, SparseLocoSchema]);
export type SchemeParameters = z.infer<typeof SchemeParametersSchema>;

/** What all profiles of Gauntlet have (facts 3.1-3.6). */
const sharedGauntlet = {
  /** Peers loss-scored a window, at most. */
  evaluationsPerWindow: z.int().positive(),
  /** Time for the loss scores of a window: an evaluation that cannot begin in it is left to a later window. */
  evaluationSeconds: z.number().positive(),
  /** c of β_t = c·η: LossScore is taken at this fraction of the outer step. */
  evaluationStepScale: fraction,
  /** Pages an evaluation draws, of the assigned and of the random data each. */
  evaluationPages: z.int().positive(),
  /** γ of the proof-of-computation average μ. */
  pocDecay: fraction,
  rating: z.strictObject({
    mu: z.number(),
    sigma: z.number().positive(),
    beta: z.number().positive(),
    tau: z.number().nonnegative(),
    /** ordinal = mu - z·sigma. */
    z: z.number(),
  }),
  /** Match score of a drawn peer that delivered nothing valid. */
  missingScore: z.number(),
  /** How a sync sample's distances become one. */
  syncStatistic: z.enum(['mean', 'interquartile-mean']),
  /** Sync gate: more sign-steps apart than this fails. */
  syncThreshold: z.number().positive(),
  /** Sync score reaches 0 at this many sign-steps: (1 - min(x, max) / max) ^ exponent. */
  syncMax: z.number().positive(),
  syncExponent: z.number().positive(),
  /** A failed fast check multiplies the peer's gate by this; a clean window takes one such cut back. */
  gateFactor: fraction,
  /** At most this many peers are aggregated a window. */
  topG: z.int().positive(),
  /** Until it was evaluated this often, a peer without a positive score may be aggregated. */
  probationEvaluations: z.int().nonnegative(),
  /** A peer that delivered in none of this many windows is inactive: not drawn, not punished further. */
  activeWindows: z.int().positive(),
  /** After this many windows without delivery its rating, μ and gate start afresh. */
  resetAfterWindows: z.int().positive(),
};

/** The paper's mechanism with the constants of its code (facts 2.1, 3.1-3.6). */
export const PaperGauntletSchema = z.strictObject({
  profile: z.literal('paper'),
  ...sharedGauntlet,
  /** Weights are proportional to max(0, score) ^ power. */
  weightPower: z.number().positive(),
});

/** The newest reference code, templar 2.1 (facts 3.5-3.9). */
export const TemplarGauntletSchema = z.strictObject({
  profile: z.literal('templar-2.1'),
  ...sharedGauntlet,
  /** Evaluations are drawn from one of so many bins of equal size by ordinal, where each holds enough peers. */
  evaluationBins: z.int().positive(),
  /** From this window on, μ below the floor counts as 0. */
  pocFloor: z.strictObject({ value: fraction, fromWindow: z.int().nonnegative() }),
  /** A window without a contribution of a peer that has a weight. */
  missing: z.strictObject({
    /** Factor of the first, second, … miss in a row; the last one holds for all further ones. */
    factors: z.array(fraction).min(1).max(8),
    /** Windows looked back on, and the share of misses in so many that makes a peer naughty. */
    history: z.int().positive().max(32),
    naughtyShare: fraction,
    naughtyWindows: z.int().positive(),
  }),
  /** Evaluations that raise the loss on random pages. */
  negative: z.strictObject({
    /** Evaluations looked back on; where more than `share` of so many are negative the factor applies. */
    history: z.int().positive().max(32),
    share: fraction,
    factor: fraction,
    /** As many in a row exclude from aggregation until a positive one. */
    inRow: z.int().positive(),
    /** Where the peer in this place of the window is negative as well, nobody is cut: it is not the peers. */
    guardPlace: z.int().positive(),
  }),
  /** Shared indices of two contributions; the later upload is cut, by a factor of 0 all the way to a fresh start. */
  overlap: z.strictObject({
    /** Honest peers' indices overlap strongly at the beginning of a run. */
    fromWindow: z.int().nonnegative(),
    /** By share, ascending. */
    tiers: z
      .array(z.strictObject({ share: fraction, factor: fraction, naughtyWindows: z.int().nonnegative() }))
      .min(1)
      .max(8),
  }),
  weights: z.strictObject({
    /** Peers that share `gatherShare` of what is not burnt, the first `topRatio` times the last, linear between. */
    gather: z.int().positive(),
    topRatio: z.number().min(1),
    gatherShare: fraction,
    /** Peers that stand by: each gets `reserveDecay` of the one before. */
    reserve: z.int().nonnegative(),
    reserveDecay: fraction,
    /** Share of all weight that goes to nobody. */
    burnShare: fraction,
  }),
});

/** No Gauntlet: whatever has the right form is aggregated, for comparison. */
export const NoGauntletSchema = z.strictObject({ profile: z.literal('none'), ...sharedGauntlet });

export const GauntletParametersSchema = z.discriminatedUnion('profile', [
  PaperGauntletSchema,
  TemplarGauntletSchema,
  NoGauntletSchema,
]);

export type GauntletParameters = z.infer<typeof GauntletParametersSchema>;
export type PaperGauntlet = z.infer<typeof PaperGauntletSchema>;
export type TemplarGauntlet = z.infer<typeof TemplarGauntletSchema>;
export type NoGauntlet = z.infer<typeof NoGauntletSchema>;

/** A Substrate hash: 32 bytes in hex with 0x. */
export const BlockHashSchema = z.string().regex(/^0x[0-9a-f]{64}$/, 'must be 0x and 64 lower-case hex digits');

/** A node's JSON-RPC socket. */
export const ChainEndpointSchema = z
  .string()
  .max(200)
  .regex(/^wss?:\/\/[^\s/?#@]+(\/[^\s#]*)?$/, 'must be a ws:// or wss:// URL without credentials');

/** The Bittensor subnet that a run hangs on: who is registered there may contribute, and its blocks are the clock. */
export const RunChainSchema = z
  .strictObject({
    /** Names the chain whatever the endpoint. */
    genesisHash: BlockHashSchema,
    /** In the order in which they are tried. */
    endpoints: z.array(ChainEndpointSchema).min(1).max(8),
    netuid: z.int().min(0).max(65_535),
    /** Finalised blocks from a window's opening to its put phase, and from there to its end. */
    trainBlocks: z.int().positive().max(7_200),
    putBlocks: z.int().positive().max(7_200),
    /** Planned time between blocks: what deadlines are foretold with, never what they are judged by. */
    blockSeconds: z.number().positive().max(600),
  })
  .meta({ id: 'RunChain' });
export type RunChain = z.infer<typeof RunChainSchema>;

export const RunManifestSchema = z
  .strictObject({
    /** What the run is of from beginning to end, see versions.ts. */
    protocol: z.int().min(SPOKEN.oldest).max(SPOKEN.newest),
    name: shownText(80),
    createdAt: InstantSchema,
    preset: shownText(40),
    model: ModelConfigSchema,
    tokenizer: BlobRefSchema.extend({ vocabSize: z.int().positive() }),
    data: z.strictObject({
      /** Blob of `pages` concatenated 32-byte SHA-256 hashes: page i is the blob with hash i. */
      index: BlobRefSchema,
      /** All pages, held-out ones included. */
      pages: z.int().positive(),
      /** The last pages of the index are never assigned: the run's loss is measured on them. */
      heldOutPages: z.int().positive(),
      /** Sequences of `model.contextLength` tokens a page. */
      pageSequences: z.int().positive(),
      /** Width of a token id in a page, little-endian. */
      tokenBytes: z.union([z.literal(2), z.literal(4)]),
      description: z.string().max(500),
      licence: z.string().max(500),
    }),
    scheme: SchemeParametersSchema,
    gauntlet: GauntletParametersSchema,
    training: z.strictObject({
      /** Pages assigned to a peer a window: the most it may train. */
      pagesPerWindow: z.int().positive().max(65_536),
    }),
    window: z.strictObject({
      /** Planned lengths of the phases (with a chain, its blocks decide); judge ends when the work is done, within a window. */
      trainSeconds: z.number().positive(),
      putSeconds: z.number().positive(),
    }),
    checkpoint: z.strictObject({
      /** Bytes a chunk of the flat fp32 vector, a multiple of 4: the leaves of the state root. */
      chunkBytes: z.int().min(4096).multipleOf(4),
      /** State root of θ_1. */
      initialRoot: Sha256Schema,
      /** A checkpoint is published every so many windows; outer steps are kept between. */
      everyWindows: z.int().positive(),
    }),
    /** Whether peers without a wallet may take part. */
    guests: z.boolean(),
    /** Absent in a run of its own: its scores and weights are then nobody's currency. */
    chain: RunChainSchema.optional(),
    validator: z.strictObject({ publicKey: PublicKeySchema }),
  })
  .meta({ id: 'RunManifest' });

export type RunManifest = z.infer<typeof RunManifestSchema>;

/** GET /v1/run. The signature is over domain `manifest` and the canonical JSON (RFC 8785) of `manifest`. */
export const SignedManifestSchema = z
  .strictObject({ run: RunIdSchema, manifest: RunManifestSchema, signature: SignatureSchema })
  .meta({ id: 'SignedManifest' });

export type SignedManifest = z.infer<typeof SignedManifestSchema>;
