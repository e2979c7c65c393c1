/**
 * SparseLoCo on the GPU that holds parameters and gradients: the fast path of core/scheme/sparseloco/contributor.ts,
 * which is its oracle. Bodies and states are in the same form as the oracle's; sums are fp32 here and double there, so a
 * value at the border between two bins, or one of two of nearly the same magnitude, may fall on the other side. A local
 * step reads back one number, that of the first parameter without a sensible gradient.
 */
import { chunkGrid } from '../../core/numerics/chunks.ts';
import type { SparseLocoParameters } from '../../core/protocol/manifest.ts';
import { scheduledLearningRate } from '../../core/scheme/schedule.ts';
import { adamFactors } from '../../core/scheme/sparseloco/adamw.ts';
import { bodyLayout } from '../../core/scheme/sparseloco/body.ts';
import { AT_VECTORS, decodeState, MAX_FEEDBACK, stateBytes, stateHeader } from '../../core/scheme/sparseloco/state.ts';
import { createOwnBuffers } from './buffers.ts';
import type { GpuCompressor, GpuCompressorOptions } from './compressor.ts';
import { dispatchOf, elementwise, submit, UNIFORM_STRIDE } from './dispatch.ts';
import { ADAMW_THREADS, adamwCode, SQUARES_CODE, squaresGroups } from './kernels/adamw.ts';
import { NOTHING_FOUND } from './kernels/chunks/check.ts';
import { PACK_THREADS, packSparseCode, sparseSections } from './kernels/chunks/pack-sparse.ts';
import { chunkRuns } from './kernels/chunks/runs.ts';
import { PSEUDO_GRADIENT_WORK } from './kernels/chunks/work.ts';
import { createMessages } from './messages.ts';
import { readWord } from './read-back.ts';
import { createRunVector } from './run-vector.ts';

/** No value of a chunk of unit length is as large. */
const SILENCE = 2;
/** Where a body's quantiser begins in that of the kernels, which have a shift first. */
const AT_SCALE = 4;

/** @throws RangeError when a parameter is neither vector nor matrix @throws GPUPipelineError */
export async function createSparseLocoCompressor(
  { context, scheme, parameters, gradients }: GpuCompressorOptions,
  { chunk, topK, inner, feedbackDecay, levels }: SparseLocoParameters,
): Promise<GpuCompressor> {
  const { device, buffers, compile } = context;
  const grids = parameters.map(({ spec }) => chunkGrid(spec, chunk, topK));
  const runs = chunkRuns(parameters, grids);
  const { total } = scheme.layout;
  const layout = bodyLayout(grids, levels);
  const picked = grids.reduce((sum, { count, kept }) => sum + count * kept, 0);
  const groups = runs.map(({ size }) => squaresGroups(size));
  const allGroups = groups.reduce((a, b) => a + b);
  const [squares, adamw] = await Promise.all([
    compile('squares of gradients', SQUARES_CODE),
    compile('AdamW', adamwCode(inner, allGroups)),
  ]);

  const own = createOwnBuffers(device, buffers);
  const [before, first, second] = [0, 1, 2].map(() => createRunVector(context, own, runs)) as [
    ReturnType<typeof createRunVector>,
    ReturnType<typeof createRunVector>,
    ReturnType<typeof createRunVector>,
  ];
  const sums = own.make(4 * allGroups);
  const found = own.make(4);
  const step = own.make(16, GPUBufferUsage.UNIFORM);
  const parts = own.make(UNIFORM_STRIDE * runs.length, GPUBufferUsage.UNIFORM);
  let firstSum = 0;
  const gradientBuffers = new Map(gradients.map(({ spec, buffer }) => [spec.offset, buffer]));
  const dispatches = runs.map(({ buffer, start, grid, size }, i) => {
    device.queue.writeBuffer(parts, i * UNIFORM_STRIDE, Uint32Array.of(start, size, grid.offset, firstSum));
    firstSum += groups[i]!;
    const bound = [
      { buffer: parts, offset: i * UNIFORM_STRIDE, size: UNIFORM_STRIDE },
      step,
      gradientBuffers.get(grid.offset)!,
      sums,
      found,
    ];
    const state = [buffer, first.buffers[i]!, second.buffers[i]!];
    return {
      squares: dispatchOf(device, squares, bound, [groups[i]!]),
      adamw: dispatchOf(device, adamw, [...bound, ...state], [elementwise(ADAMW_THREADS, size)]),
    };
  });

  let messages: Awaited<ReturnType<typeof createMessages>>;
  try {
    messages = await createMessages({
      context,
      runs,
      work: PSEUDO_GRADIENT_WORK,
      workBuffers: runs.map(({ buffer }, i) => [before.buffers[i]!, buffer]),
      decay: feedbackDecay,
      limit: MAX_FEEDBACK,
      transform: false,
      quantiser: { bins: levels, middle: (levels - 1) / 2, shifted: false, silence: SILENCE },
      packing: {
        code: packSparseCode(grids.length, picked, Math.log2(levels)),
        sections: sparseSections(grids, layout),
        workgroups: elementwise(PACK_THREADS, picked),
        bytes: layout.bytes,
        copies: [
          { from: 'quantiser', offset: AT_SCALE, to: 0, bytes: layout.norms },
          { from: 'norms', offset: 0, to: layout.norms, bytes: 4 * grids.reduce((sum, { count }) => sum + count, 0) },
        ],
      },
    });
  } catch (error) {
    own.dispose();
    throw error;
  }

  /** Steps ever taken. */
  let steps = 0;
  /** Whether `before` holds the parameters of a window whose local steps are not yet compressed. */
  let moved = false;

  function copyParameters(direction: 'keep' | 'restore'): void {
    const encoder = device.createCommandEncoder();
    runs.forEach(({ buffer, start, size }, i) => {
      if (direction === 'keep') encoder.copyBufferToBuffer(buffer, 4 * start, before.buffers[i]!, 0, 4 * size);
      else encoder.copyBufferToBuffer(before.buffers[i]!, 0, buffer, 4 * start, 4 * size);
    });
    device.queue.submit([encoder.finish()]);
    moved = direction === 'keep';
  }

  async function localStep(window: number, gradientScale: number): Promise<void> {
    if (!moved) copyParameters('keep');
    const { keep, rate, correction } = adamFactors(inner, scheduledLearningRate(inner, window), steps + 1);
    device.queue.writeBuffer(step, 0, Float32Array.of(gradientScale, keep, rate, correction));
    device.queue.writeBuffer(found, 0, Uint32Array.of(NOTHING_FOUND));
    submit(device, [...dispatches.map(({ squares }) => squares), ...dispatches.map(({ adamw }) => adamw)]);
    const bad = await readWord(context, found);
    if (bad !== NOTHING_FOUND) {
      throw new RangeError(`the gradient of parameter ${bad} is not a finite number of sensible size`);
    }
    steps++;
  }

  function discard(): void {
    if (moved) copyParameters('restore');
  }

  return {
    localStep,

    async compress(window, gradientScale) {
      if (gradientScale !== null) await localStep(window, gradientScale);
      if (!moved) throw new Error('no gradient was accumulated');
      try {
        const bad = await messages.findBad(1);
        if (bad !== undefined) {
          throw new RangeError(`the pseudo-gradient of parameter ${bad} is not a finite number of sensible size`);
        }
        return await messages.make(1);
      } finally {
        discard();
      }
    },

    discard,

    async undo() {
      await Promise.resolve();
      messages.undo();
    },

    stateBytes: stateBytes(total),

    async saveState() {
      const state = stateHeader(total, steps);
      for (const [i, vector] of [first, second, messages.accumulator].entries()) {
        const at = AT_VECTORS + 4 * total * i;
        await vector.read(state.subarray(at, at + 4 * total));
      }
      return state;
    },

    async loadState(bytes) {
      await Promise.resolve();
      const state = decodeState(bytes, total);
      first.write(state.first);
      second.write(state.second);
      messages.accumulator.write(state.feedback);
      steps = state.steps;
      messages.forget();
    },

    bytes: own.bytes + messages.bytes,
    dispatches: 2 * runs.length + messages.dispatches,

    dispose() {
      messages.dispose();
      own.dispose();
    },
  };
}
