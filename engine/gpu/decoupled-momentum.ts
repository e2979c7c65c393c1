/**
 * Decoupled momentum on the GPU that holds the gradient: the fast path of
 * core/scheme/decoupled-momentum/contributor.ts, which is its oracle. Bodies and states are in the same form as the
 * oracle's; sums are fp32 here and double there, so a value at the border between two bins, or one of two of nearly the
 * same magnitude, may fall on the other side.
 */
import { chunkGrid } from '../../core/numerics/chunks.ts';
import type { DecoupledMomentumParameters } from '../../core/protocol/manifest.ts';
import { BINS, bodyBytes, QUANTISER_BYTES } from '../../core/scheme/decoupled-momentum/body.ts';
import {
  AT_MOMENTUM,
  decodeState,
  MAX_MOMENTUM,
  stateBytes,
  zeroState,
} from '../../core/scheme/decoupled-momentum/state.ts';
import type { GpuCompressor, GpuCompressorOptions } from './compressor.ts';
import { elementwise } from './dispatch.ts';
import { PACK_THREADS, packCode, packSections } from './kernels/chunks/pack.ts';
import { chunkRuns } from './kernels/chunks/runs.ts';
import { GRADIENT_WORK } from './kernels/chunks/work.ts';
import { createMessages } from './messages.ts';

/** @throws RangeError when a parameter is neither vector nor matrix @throws GPUPipelineError */
export async function createDecoupledMomentumCompressor(
  { context, scheme, gradients }: GpuCompressorOptions,
  { chunk, topK, momentum }: DecoupledMomentumParameters,
): Promise<GpuCompressor> {
  const grids = gradients.map(({ spec }) => chunkGrid(spec, chunk, topK));
  const runs = chunkRuns(gradients, grids);
  const { total } = scheme.layout;
  const bytes = bodyBytes(grids);
  const words = Math.ceil(bytes / 4);
  const sections = packSections(grids);
  const messages = await createMessages({
    context,
    runs,
    work: GRADIENT_WORK,
    workBuffers: runs.map(({ buffer }) => [buffer]),
    decay: momentum,
    limit: MAX_MOMENTUM,
    transform: true,
    quantiser: { bins: BINS, middle: BINS / 2, shifted: true, silence: 0 },
    packing: {
      code: packCode(sections.length / 4, words),
      sections,
      workgroups: elementwise(PACK_THREADS, words),
      bytes,
      copies: [{ from: 'quantiser', offset: 0, to: 0, bytes: QUANTISER_BYTES }],
    },
  });

  return {
    localStep: () => Promise.reject(new Error(`${scheme.name} has no local steps`)),

    async compress(window, gradientScale) {
      if (gradientScale === null) throw new Error('no gradient was accumulated');
      const step = scheme.learningRate(window) * gradientScale;
      const bad = await messages.findBad(step);
      if (bad !== undefined) {
        throw new RangeError(`the gradient of parameter ${bad} is not a finite number of sensible size`);
      }
      return messages.make(step);
    },

    discard() {
      // The caller's gradients are all there is.
    },

    async undo() {
      await Promise.resolve();
      messages.undo();
    },

    stateBytes: stateBytes(total),

    async saveState() {
      const state = zeroState(total);
      await messages.accumulator.read(state.subarray(AT_MOMENTUM));
      return state;
    },

    async loadState(state) {
      await Promise.resolve();
      messages.accumulator.write(decodeState(state, total));
      messages.forget();
    },

    bytes: messages.bytes,
    dispatches: messages.dispatches,
    dispose: () => messages.dispose(),
  };
}
