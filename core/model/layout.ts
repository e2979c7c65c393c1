/**
 * Where each parameter lies in the flat fp32 vector that a state root is taken of. The order is canonical:
 * every peer, scheme and checkpoint of a run uses it. Names and shapes are those of `transformers`' LlamaForCausalLM,
 * so a linear weight is [out, in].
 */
import type { ModelConfig } from './config.ts';

export interface ParameterSpec {
  readonly name: string;
  /** [n] or [rows, columns], row-major. */
  readonly shape: readonly number[];
  /** First element in the flat vector. */
  readonly offset: number;
  /** Elements. */
  readonly size: number;
}

export interface ParameterLayout {
  readonly parameters: readonly ParameterSpec[];
  /** Elements in the flat vector. */
  readonly total: number;
}

/** The parameters of a model in canonical order. */
export function parameterLayout(config: ModelConfig): ParameterLayout {
  const { vocabSize, hiddenSize, intermediateSize, numLayers, numHeads, numKvHeads, headDim } = config;
  const parameters: ParameterSpec[] = [];
  let offset = 0;
  const add = (name: string, ...shape: number[]): void => {
    const size = shape.reduce((a, b) => a * b, 1);
    parameters.push({ name, shape, offset, size });
    offset += size;
  };
  add('model.embed_tokens.weight', vocabSize, hiddenSize);
  for (let layer = 0; layer < numLayers; layer++) {
    const prefix = `model.layers.${layer}`;
    add(`${prefix}.input_layernorm.weight`, hiddenSize);
    add(`${prefix}.self_attn.q_proj.weight`, numHeads * headDim, hiddenSize);
    add(`${prefix}.self_attn.k_proj.weight`, numKvHeads * headDim, hiddenSize);
    add(`${prefix}.self_attn.v_proj.weight`, numKvHeads * headDim, hiddenSize);
    add(`${prefix}.self_attn.o_proj.weight`, hiddenSize, numHeads * headDim);
    add(`${prefix}.post_attention_layernorm.weight`, hiddenSize);
    add(`${prefix}.mlp.gate_proj.weight`, intermediateSize, hiddenSize);
    add(`${prefix}.mlp.up_proj.weight`, intermediateSize, hiddenSize);
    add(`${prefix}.mlp.down_proj.weight`, hiddenSize, intermediateSize);
  }
  add('model.norm.weight', hiddenSize);
  if (!config.tieWordEmbeddings) add('lm_head.weight', vocabSize, hiddenSize);
  return { parameters, total: offset };
}
