/** Floating-point operations of a training step, by the formula that the field reports utilisation with. */
import type { ModelConfig } from '../core/model/config.ts';
import { parameterLayout } from '../core/model/layout.ts';

/**
 * PaLM (arXiv 2204.02311, appendix B): 6·N + 12·L·H·Q·T a token, forward and backward. N counts the parameters that
 * are multiplied: every matrix but an embedding that is only looked up (a tied one is the output's matrix as well).
 * L layers, H heads of Q dimensions, T tokens of context. Causal attention is counted in full, recomputation not at all.
 */
export function trainingFlops(config: ModelConfig, sequences: number, length: number): number {
  const { numLayers, numHeads, headDim, tieWordEmbeddings } = config;
  const multiplied = parameterLayout(config)
    .parameters.filter(({ shape }) => shape.length === 2)
    .filter(({ name }) => tieWordEmbeddings || name !== 'model.embed_tokens.weight')
    .reduce((sum, { size }) => sum + size, 0);
  return sequences * length * (6 * multiplied + 12 * numLayers * numHeads * headDim * length);
}
