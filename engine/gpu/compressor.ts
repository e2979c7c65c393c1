/**
 * Decoupled momentum on the GPU that holds the gradient: the fast path of
 * core/scheme/decoupled-momentum/contributor.ts, which is its oracle. A window reads back one number, that of the first
 * parameter without a sensible gradient, and the body. Bodies and states are in the same form as the oracle's; sums are
 * fp32 here and double there, so a value at the border between two bins, or one of two of nearly the same magnitude, may
 * fall on the other side.
 */
import { chunkGrid, type ChunkGrid } from '../../core/numerics/chunks.ts';
import type { DecoupledMomentumParameters } from '../../core/protocol/manifest.ts';
import { bodyBytes, QUANTISER_BYTES } from '../../core/scheme/decoupled-momentum/body.ts';
import { AT_MOMENTUM, decodeState, stateBytes, zeroState } from '../../core/scheme/decoupled-momentum/state.ts';
import type { Compressor } from '../engine.ts';
import type { GpuContext } from './context.ts';
import { CHECK_CODE, CHECK_THREADS, NOTHING_FOUND } from './kernels/momentum/check.ts';
import { basesOf } from './kernels/momentum/chunk-workgroup.ts';
import { dispatchOf, submit } from './dispatch.ts';
import { spread } from './kernel.ts';
import { readBytes } from './read-back.ts';
import { extractCode } from './kernels/momentum/extract.ts';
import { feedBackCode } from './kernels/momentum/feed-back.ts';
import { PACK_THREADS, packCode, packSections } from './kernels/momentum/pack.ts';
import { QUANTISER_SCRATCH_BYTES, quantiseCodes, quantiseGroups, sumsBytes } from './kernels/momentum/quantise.ts';
import { chunkRuns, type DeviceTensor } from './kernels/momentum/runs.ts';

export type { DeviceTensor };

/** Alignment of a uniform's place in its buffer, WebGPU's guaranteed one. */
const UNIFORM_STRIDE = 256;
/** WebGPU's guaranteed limit of workgroups along an axis; beyond it a thread takes several elements. */
const MAX_WORKGROUPS = 65_535;

export interface GpuCompressorOptions {
  readonly context: Pick<GpuContext, 'device' | 'buffers' | 'compile'>;
  readonly parameters: DecoupledMomentumParameters;
  /**
   * Sums of gradients: all tensors of the layout in its order, in buffers usable as STORAGE. They stay the caller's, who
   * sets them to zero after `compress`.
   */
  readonly gradients: readonly DeviceTensor[];
}

export interface GpuCompressor extends Omit<Compressor, 'compress' | 'localStep' | 'discard'> {
  /**
   * @param learningRate η of this window
   * @param gradientScale turns the sum of gradients into their mean: 1 / predicted tokens
   * @returns the body of a contribution
   * @throws RangeError when a gradient is not finite (the state is then unchanged)
   */
  compress(options: { learningRate: number; gradientScale: number }): Promise<Uint8Array<ArrayBuffer>>;
  /** Of device memory that is held from window to window. */
  readonly bytes: number;
  /** Of a window. */
  readonly dispatches: number;
  dispose(): void;
}

/** @throws RangeError when a parameter is neither vector nor matrix @throws GPUPipelineError */
export async function createGpuCompressor(options: GpuCompressorOptions): Promise<GpuCompressor> {
  const { context, parameters, gradients } = options;
  const { device, buffers, compile } = context;
  const grids = gradients.map(({ spec }) => chunkGrid(spec, parameters.chunk, parameters.topK));
  const runs = chunkRuns(gradients, grids);
  const total = gradients.reduce((sum, { spec }) => sum + spec.size, 0);
  const chunks = grids.reduce((sum, { count }) => sum + count, 0);
  const picked = grids.reduce((sum, { count, kept }) => sum + count * kept, 0);
  const messageBytes = bodyBytes(grids);
  const messageWords = Math.ceil(messageBytes / 4);
  const sections = packSections(grids);

  // Before any buffer is made, so that none is left behind when it fails.
  const codes = quantiseCodes(picked);
  const [checking, moments, deviation, encode, table, pack, extracting, feedingBack] = await Promise.all([
    compile('check gradient', CHECK_CODE),
    compile('moments of values', codes.moments),
    compile('spread of values', codes.spread),
    compile('encode values', codes.encode),
    compile('table of bins', codes.table),
    compile('pack body', packCode(sections.length / 4, messageWords)),
    Promise.all(runs.map(({ grid }) => compile(`extract ${grid.rows}x${grid.columns}`, extractCode(grid)))),
    Promise.all(runs.map(({ grid }) => compile(`feed back ${grid.rows}x${grid.columns}`, feedBackCode(grid)))),
  ]);

  const own: GPUBuffer[] = [];
  const make = (bytes: number, usage: GPUBufferUsageFlags = GPUBufferUsage.STORAGE): GPUBuffer => {
    const buffer = buffers.make(bytes, usage | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST);
    own.push(buffer);
    return buffer;
  };
  const upload = (data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): GPUBuffer => {
    const buffer = make(data.byteLength);
    device.queue.writeBuffer(buffer, 0, data);
    return buffer;
  };
  const momenta = runs.map(({ size }) => make(4 * size));
  const picks = make(4 * picked);
  const values = make(4 * picked);
  const norms = make(4 * chunks);
  const sums = make(sumsBytes(picked));
  const quantiser = make(QUANTISER_SCRATCH_BYTES);
  const body = make(4 * messageWords);
  const found = make(4);
  const window = make(16, GPUBufferUsage.UNIFORM);
  const runUniforms = make(UNIFORM_STRIDE * runs.length, GPUBufferUsage.UNIFORM);
  runs.forEach(({ start, grid, size, firstChunk, firstPick }, i) => {
    const { offset, stride, across, count } = grid;
    const uniform = Uint32Array.of(start, offset, size, stride, across, count, firstChunk, firstPick);
    device.queue.writeBuffer(runUniforms, i * UNIFORM_STRIDE, uniform);
  });
  const bases = new Map<string, GPUBuffer>();
  const basesFor = (grid: ChunkGrid): GPUBuffer => {
    const shape = `${grid.rows}x${grid.columns}`;
    const buffer = bases.get(shape) ?? upload(basesOf(grid));
    bases.set(shape, buffer);
    return buffer;
  };

  const uniformsOf = (run: number): GPUBufferBinding[] => [
    { buffer: runUniforms, offset: run * UNIFORM_STRIDE, size: UNIFORM_STRIDE },
    { buffer: window },
  ];
  const elementwise = (threads: number, size: number): number => Math.min(MAX_WORKGROUPS, Math.ceil(size / threads));
  const check = runs.map(({ buffer, size }, i) =>
    dispatchOf(device, checking, [...uniformsOf(i), momenta[i]!, buffer, found], [elementwise(CHECK_THREADS, size)]),
  );
  const extract = runs.map(({ buffer, grid }, i) => {
    const bound = [...uniformsOf(i), momenta[i]!, basesFor(grid), picks, norms, buffer, values];
    return dispatchOf(device, extracting[i]!, bound, spread(grid.count).workgroups);
  });
  const groups = quantiseGroups(picked);
  const sectionBuffer = upload(sections);
  const encodeBody = [
    dispatchOf(device, moments, [sums, values], [groups]),
    dispatchOf(device, deviation, [sums, quantiser, values], [groups]),
    dispatchOf(device, encode, [sums, quantiser, values, picks], [groups]),
    dispatchOf(device, table, [sums, quantiser], [1]),
    dispatchOf(device, pack, [picks, sectionBuffer, body], [elementwise(PACK_THREADS, messageWords)]),
  ];
  const moveBySent = runs.map(({ grid }, i) => {
    const bound = [...uniformsOf(i), momenta[i]!, basesFor(grid), picks, norms, quantiser];
    return dispatchOf(device, feedingBack[i]!, bound, spread(grid.count).workgroups);
  });

  const setWindow = (step: number, sign: 1 | -1): void => {
    device.queue.writeBuffer(window, 0, Float32Array.of(parameters.momentum, step, sign));
  };
  /** Whether picks, norms and quantiser are of a message that the momentum lacks. */
  let sent = false;

  return {
    async compress({ learningRate, gradientScale }) {
      setWindow(learningRate * gradientScale, -1);
      device.queue.writeBuffer(found, 0, Uint32Array.of(NOTHING_FOUND));
      submit(device, check);
      const first = new Uint32Array(1);
      await readBytes(context, found, new Uint8Array(first.buffer));
      if (first[0] !== NOTHING_FOUND) {
        throw new RangeError(`the gradient of parameter ${first[0]!} is not a finite number of sensible size`);
      }
      submit(device, [...extract, ...encodeBody, ...moveBySent]);
      sent = true;
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(quantiser, 0, body, 0, QUANTISER_BYTES);
      device.queue.submit([encoder.finish()]);
      const bytes = new Uint8Array(messageBytes);
      await readBytes(context, body, bytes);
      return bytes;
    },

    async undo() {
      await Promise.resolve();
      if (!sent) return;
      sent = false;
      setWindow(0, 1);
      submit(device, moveBySent);
    },

    stateBytes: stateBytes(total),

    async saveState() {
      const bytes = zeroState(total);
      for (const [i, { grid, size }] of runs.entries()) {
        const at = AT_MOMENTUM + 4 * grid.offset;
        await readBytes(context, momenta[i]!, bytes.subarray(at, at + 4 * size));
      }
      return bytes;
    },

    async loadState(bytes) {
      await Promise.resolve();
      const momentum = decodeState(bytes, total);
      runs.forEach(({ grid, size }, i) => {
        device.queue.writeBuffer(momenta[i]!, 0, momentum, grid.offset, size);
      });
      sent = false;
    },

    bytes: own.reduce((sum, { size }) => sum + size, 0),
    dispatches: check.length + extract.length + encodeBody.length + moveBySent.length,

    dispose() {
      for (const buffer of own) buffers.free(buffer);
      own.length = 0;
    },
  };
}
