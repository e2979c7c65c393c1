/** Rotary position embeddings (arXiv 2104.09864) as tables. */
import type { ModelConfig } from '../../core/model/config.ts';

/** cos and sin of the rotary angles, [T, headDim / 2]. */
export function rotaryTables(
  { headDim, ropeTheta }: ModelConfig,
  length: number,
): { cos: Float32Array<ArrayBuffer>; sin: Float32Array<ArrayBuffer> } {
  const half = headDim / 2;
  const angles = Array.from({ length: length * half }, (_, i) => {
    return Math.floor(i / half) * ropeTheta ** ((-2 * (i % half)) / headDim);
  });
  return { cos: Float32Array.from(angles, Math.cos), sin: Float32Array.from(angles, Math.sin) };
}
