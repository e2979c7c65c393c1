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

export const PROTOCOL_VERSION = 1;

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

export const SchemeParametersSchema = z.discriminatedUnion('name', [DecoupledMomentumSchema]);

/** Gauntlet's constants; the defaults are the reference's (facts 3.1-3.6). */
export const GauntletParametersSchema = z.strictObject({
  profile: z.literal('paper'),
  /** Peers loss-scored a window. */
  evaluationsPerWindow: z.int().positive(),
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
  /** Sync gate: more sign-steps apart than this fails. */
  syncThreshold: z.number().positive(),
  /** Sync score reaches 0 at this many sign-steps: (1 - min(x, max) / max) ^ exponent. */
  syncMax: z.number().positive(),
  syncExponent: z.number().positive(),
  /** A failed fast check multiplies the peer's gate by this; a clean window takes one such cut back. */
  gateFactor: fraction,
  /** Weights are proportional to max(0, score) ^ power. */
  weightPower: z.number().positive(),
  /** At most this many peers are aggregated a window. */
  topG: z.int().positive(),
  /** Until it was evaluated this often, a peer without a positive score may be aggregated. */
  probationEvaluations: z.int().nonnegative(),
  /** A peer that delivered in none of this many windows is inactive: not drawn, not punished further. */
  activeWindows: z.int().positive(),
  /** After this many windows without delivery its rating, μ and gate start afresh. */
  resetAfterWindows: z.int().positive(),
});

export type GauntletParameters = z.infer<typeof GauntletParametersSchema>;

export const RunManifestSchema = z
  .strictObject({
    protocol: z.literal(PROTOCOL_VERSION),
    name: z.string().min(1).max(80),
    createdAt: InstantSchema,
    preset: z.string().min(1).max(40),
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
      /** Planned lengths of the phases; judge ends when the work is done, within a window. */
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
    validator: z.strictObject({ publicKey: PublicKeySchema }),
  })
  .meta({ id: 'RunManifest' });

export type RunManifest = z.infer<typeof RunManifestSchema>;

/** GET /v1/run. The signature is over domain `manifest` and the canonical JSON (RFC 8785) of `manifest`. */
export const SignedManifestSchema = z
  .strictObject({ run: RunIdSchema, manifest: RunManifestSchema, signature: SignatureSchema })
  .meta({ id: 'SignedManifest' });

export type SignedManifest = z.infer<typeof SignedManifestSchema>;
