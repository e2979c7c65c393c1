/**
 * `config.json` of `transformers`' LlamaForCausalLM to and from our model configuration. What our graphs do not
 * compute (scaled rotary embeddings, biases, other activations) is refused by name, never dropped in silence.
 */
import * as z from 'zod';
import { ModelConfigSchema, type ModelConfig } from './config.ts';

/** `config.json` is not a Llama configuration that we can train; the message says why. */
export class HfConfigError extends Error {
  override readonly name = 'HfConfigError';
}

/** What `transformers` assumes where a member is missing (LlamaConfig). */
const DEFAULTS = {
  maxPositionEmbeddings: 2048,
  ropeTheta: 10_000,
  rmsNormEps: 1e-6,
  initializerRange: 0.02,
} as const;

const RopeSchema = z.looseObject({
  rope_type: z.string().optional(),
  /** The older name of `rope_type`. */
  type: z.string().optional(),
  rope_theta: z.number().optional(),
});

const HfConfigSchema = z.looseObject({
  model_type: z.string(),
  architectures: z.array(z.string()).nullish(),
  vocab_size: z.number(),
  hidden_size: z.number(),
  intermediate_size: z.number(),
  num_hidden_layers: z.number(),
  num_attention_heads: z.number(),
  num_key_value_heads: z.number().nullish(),
  head_dim: z.number().nullish(),
  max_position_embeddings: z.number().optional(),
  rms_norm_eps: z.number().optional(),
  initializer_range: z.number().optional(),
  tie_word_embeddings: z.boolean().optional(),
  rope_theta: z.number().optional(),
  rope_scaling: RopeSchema.nullish(),
  /** `transformers` 5 has theta and the scaling in here. */
  rope_parameters: RopeSchema.nullish(),
  partial_rotary_factor: z.number().optional(),
  hidden_act: z.string().optional(),
  attention_bias: z.boolean().optional(),
  mlp_bias: z.boolean().optional(),
  quantization_config: z.unknown().optional(),
});

type HfConfig = z.infer<typeof HfConfigSchema>;

/** The first feature of a configuration that we do not compute, in words. */
function unsupported(hf: HfConfig): string | undefined {
  if (hf.model_type !== 'llama') return `model_type ${hf.model_type}`;
  const architecture = hf.architectures?.find((name) => name !== 'LlamaForCausalLM');
  if (architecture !== undefined) return `architecture ${architecture}`;
  if ((hf.hidden_act ?? 'silu') !== 'silu') return `hidden_act ${String(hf.hidden_act)}`;
  if (hf.attention_bias === true) return 'attention_bias';
  if (hf.mlp_bias === true) return 'mlp_bias';
  if ((hf.partial_rotary_factor ?? 1) !== 1) return 'partial_rotary_factor';
  if (hf.quantization_config !== undefined && hf.quantization_config !== null) return 'quantization_config';
  for (const rope of [hf.rope_scaling, hf.rope_parameters]) {
    const type = rope?.rope_type ?? rope?.type ?? 'default';
    if (type !== 'default') return `rotary embeddings of type ${type}`;
  }
  return undefined;
}

/** Faults of a value in words, by path. */
function faults(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': ')).join('; ');
}

/**
 * @param json the parsed `config.json`
 * @throws HfConfigError when a member is missing, of a wrong type, or asks for what we do not compute
 */
export function fromHfConfig(json: unknown): ModelConfig {
  const parsed = HfConfigSchema.safeParse(json);
  if (!parsed.success) throw new HfConfigError(`config.json: ${faults(parsed.error)}`);
  const hf = parsed.data;
  const feature = unsupported(hf);
  if (feature !== undefined) {
    throw new HfConfigError(`config.json: ${feature} is not supported; only plain LlamaForCausalLM models are`);
  }
  const config = ModelConfigSchema.safeParse({
    vocabSize: hf.vocab_size,
    hiddenSize: hf.hidden_size,
    intermediateSize: hf.intermediate_size,
    numLayers: hf.num_hidden_layers,
    numHeads: hf.num_attention_heads,
    numKvHeads: hf.num_key_value_heads ?? hf.num_attention_heads,
    headDim: hf.head_dim ?? hf.hidden_size / hf.num_attention_heads,
    contextLength: hf.max_position_embeddings ?? DEFAULTS.maxPositionEmbeddings,
    ropeTheta: hf.rope_parameters?.rope_theta ?? hf.rope_scaling?.rope_theta ?? hf.rope_theta ?? DEFAULTS.ropeTheta,
    rmsNormEps: hf.rms_norm_eps ?? DEFAULTS.rmsNormEps,
    tieWordEmbeddings: hf.tie_word_embeddings ?? false,
    initializerRange: hf.initializer_range ?? DEFAULTS.initializerRange,
  } satisfies Record<keyof ModelConfig, unknown>);
  if (!config.success) throw new HfConfigError(`config.json: ${faults(config.error)}`);
  return config.data;
}

/**
 * The `config.json` of a model. Has the older names (`rope_theta`, `torch_dtype`), which `transformers` 4 needs and 5
 * still reads.
 *
 * @param special ids of the tokens that begin and end a text; null where the tokenizer has none
 */
export function toHfConfig(
  config: ModelConfig,
  special: { readonly begin: number | null; readonly end: number | null },
): Record<string, unknown> {
  return {
    architectures: ['LlamaForCausalLM'],
    attention_bias: false,
    attention_dropout: 0,
    bos_token_id: special.begin,
    eos_token_id: special.end,
    head_dim: config.headDim,
    hidden_act: 'silu',
    hidden_size: config.hiddenSize,
    initializer_range: config.initializerRange,
    intermediate_size: config.intermediateSize,
    max_position_embeddings: config.contextLength,
    mlp_bias: false,
    model_type: 'llama',
    num_attention_heads: config.numHeads,
    num_hidden_layers: config.numLayers,
    num_key_value_heads: config.numKvHeads,
    pretraining_tp: 1,
    rms_norm_eps: config.rmsNormEps,
    rope_scaling: null,
    rope_theta: config.ropeTheta,
    tie_word_embeddings: config.tieWordEmbeddings,
    torch_dtype: 'float32',
    use_cache: true,
    vocab_size: config.vocabSize,
  };
}
