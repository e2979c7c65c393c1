/**
 * The Llama-family configuration a run trains, and the presets. Pure data: no arithmetic on tensors here.
 */
import * as z from 'zod';

const positive = z.int().positive();

/** Configuration of a Llama-family decoder (RMSNorm, RoPE, SwiGLU, optional GQA, tied or untied output). */
export const ModelConfigSchema = z
  .strictObject({
    vocabSize: positive.max(1_000_000),
    hiddenSize: positive.max(65_536),
    intermediateSize: positive.max(262_144),
    numLayers: positive.max(1_024),
    numHeads: positive.max(1_024),
    /** Grouped-query attention: key and value heads, a divisor of `numHeads`. */
    numKvHeads: positive.max(1_024),
    headDim: positive.max(1_024),
    /** Tokens a sequence. */
    contextLength: positive.max(131_072),
    ropeTheta: z.number().positive(),
    rmsNormEps: z.number().positive(),
    tieWordEmbeddings: z.boolean(),
    /** Standard deviation of the normal initialisation of every matrix (norm weights start at 1). */
    initializerRange: z.number().positive(),
  })
  .refine((c) => c.numHeads % c.numKvHeads === 0, 'numHeads must be a multiple of numKvHeads')
  .refine((c) => c.headDim % 2 === 0, 'headDim must be even, for rotary embeddings');

export type ModelConfig = z.infer<typeof ModelConfigSchema>;
