/** The parts of the model in fused operators, for the executor in `engine/gpu`. */
import type { AttentionShape } from './ir.ts';
import type { LlamaInputs, LlamaParts } from './llama.ts';
import { rotaryTables } from './rotary.ts';

/** @param lossScale what the gradient of the losses is multiplied by */
export function fusedParts(lossScale: number): (inputs: LlamaInputs) => LlamaParts {
  return ({ g, shape, weight, tokens, targets, counts }) => {
    const { config, length } = shape;
    const { numHeads: heads, numKvHeads: kvHeads, headDim, rmsNormEps } = config;
    const shapeOfAttention: AttentionShape = { length, heads, kvHeads, headDim };
    const tables = rotaryTables(config, length);
    const cos = g.constant(tables.cos, [length, headDim / 2]);
    const sin = g.constant(tables.sin, [length, headDim / 2]);
    const transposed = { transB: true };
    return {
      embed: () => g.gather(weight('model.embed_tokens.weight'), tokens),
      attention(x, prefix) {
        const normed = g.rmsNorm(x, weight(`${prefix}.input_layernorm.weight`), rmsNormEps);
        const projections = g.gemm(normed, weight(`${prefix}.self_attn.qkv_proj.weight`), transposed);
        const mixed = g.attention(g.rotate(projections, cos, sin, shapeOfAttention), shapeOfAttention);
        return g.gemm(mixed, weight(`${prefix}.self_attn.o_proj.weight`), transposed, x);
      },
      feedForward(x, prefix) {
        const normed = g.rmsNorm(x, weight(`${prefix}.post_attention_layernorm.weight`), rmsNormEps);
        const gateUp = g.gemm(normed, weight(`${prefix}.mlp.gate_up_proj.weight`), transposed);
        return g.gemm(g.swiGlu(gateUp), weight(`${prefix}.mlp.down_proj.weight`), transposed, x);
      },
      losses(x, head) {
        const normed = g.rmsNorm(x, weight('model.norm.weight'), rmsNormEps);
        return g.crossEntropy(g.gemm(normed, weight(head), transposed), targets, counts, lossScale);
      },
    };
  };
}
