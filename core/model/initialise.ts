/**
 * Initial parameters from a seed, the same bits in every engine: integer draws, one division, one multiplication and
 * one rounding to fp32 a value; no logarithm or cosine, whose last bit engines may choose.
 */
import { createRandom, seedFrom } from '../numerics/prng.ts';
import type { ModelConfig } from './config.ts';
import { parameterLayout } from './layout.ts';

/** Smallest normal fp32 magnitude. */
const MIN_NORMAL = 2 ** -126;

/** The projections that write into the residual stream, two a layer. */
const RESIDUAL = /\.(?:o_proj|down_proj)\.weight$/;
const NORM = /norm\.weight$/;

/**
 * Norm weights are 1. Every other matrix is normal with mean 0 and standard deviation `initializerRange`; the residual
 * projections have that divided by √(2 · layers), as in GPT-2, so that the residual stream does not grow with depth.
 *
 * The normal is a sum of 12 uniforms less 6 (Irwin-Hall: variance 1, exactly symmetric, within ±6), each the 16-bit
 * half of a draw; a value is a multiple of 2^-16 deviations, so none is subnormal. Each tensor has a stream of its own,
 * named by it.
 *
 * @param seed 32 bytes, or any
 * @returns flat fp32 vector in layout order
 */
export function initialParameters(config: ModelConfig, seed: Uint8Array): Float32Array<ArrayBuffer> {
  const layout = parameterLayout(config);
  const flat = new Float32Array(layout.total);
  for (const { name, offset, size } of layout.parameters) {
    if (NORM.test(name)) {
      flat.fill(1, offset, offset + size);
      continue;
    }
    const scale = RESIDUAL.test(name) ? Math.sqrt(2 * config.numLayers) : 1;
    const deviation = config.initializerRange / scale;
    const random = createRandom(seedFrom('model/initialise', seed, name));
    for (let i = offset; i < offset + size; i++) {
      // 12 halves with mean 32767.5 each, so the sum is centred by 393210.
      let sum = -393_210;
      for (let draw = 0; draw < 6; draw++) {
        const bits = random.uint32();
        sum += (bits & 0xffff) + (bits >>> 16);
      }
      flat[i] = (sum / 65_536) * deviation;
    }
  }
  return flat;
}

/**
 * Sets every subnormal to +0, in place: a GPU may flush them, and then peers would part. For parameters from elsewhere.
 */
export function flushSubnormals(parameters: Float32Array): void {
  for (let i = 0; i < parameters.length; i++) {
    if (Math.abs(parameters[i]!) < MIN_NORMAL) parameters[i] = 0;
  }
}
