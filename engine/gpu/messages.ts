/**
 * What the schemes' compressors share: a window's work is folded into an accumulator, the largest of each chunk are taken
 * out and packed, and what receivers decode of them is taken off. A window reads back one number, that of the first
 * parameter whose accumulator would not be of sensible size, and the body.
 */
import type { ChunkGrid } from '../../core/numerics/chunks.ts';
import { createOwnBuffers } from './buffers.ts';
import type { GpuContext } from './context.ts';
import { dispatchOf, elementwise, submit, UNIFORM_STRIDE, type Dispatch } from './dispatch.ts';
import { spread } from './kernel.ts';
import { CHECK_THREADS, checkCode, NOTHING_FOUND } from './kernels/chunks/check.ts';
import { basesOf } from './kernels/chunks/chunk-workgroup.ts';
import { extractCode } from './kernels/chunks/extract.ts';
import { feedBackCode, feedBackTransformedCode } from './kernels/chunks/feed-back.ts';
import {
  QUANTISER_SCRATCH_BYTES,
  quantiseCodes,
  quantiseGroups,
  sumsBytes,
  type QuantiserRule,
} from './kernels/chunks/quantise.ts';
import type { ChunkRun } from './kernels/chunks/runs.ts';
import type { Work } from './kernels/chunks/work.ts';
import { readBytes, readWord } from './read-back.ts';
import { createRunVector, type RunVector } from './run-vector.ts';

/** How picks become a body: a kernel that binds picks, sections and the zeroed body, then copies. */
interface Packing {
  readonly code: string;
  readonly sections: Uint32Array<ArrayBuffer>;
  readonly workgroups: number;
  /** Of the body. */
  readonly bytes: number;
  /** What goes into the body as it is. */
  readonly copies: readonly {
    readonly from: 'quantiser' | 'norms';
    readonly offset: number;
    readonly to: number;
    readonly bytes: number;
  }[];
}

interface MessagesOptions {
  readonly context: Pick<GpuContext, 'device' | 'buffers' | 'compile'>;
  readonly runs: readonly ChunkRun[];
  readonly work: Work;
  /** The buffers of the work's arrays, for each run. */
  readonly workBuffers: readonly (readonly GPUBuffer[])[];
  /** What remains of the accumulator from one window to the next. */
  readonly decay: number;
  /** Largest magnitude in the accumulator. */
  readonly limit: number;
  readonly transform: boolean;
  readonly quantiser: QuantiserRule;
  readonly packing: Packing;
}

interface Messages {
  readonly accumulator: RunVector;
  /** @param step size of the work @returns the first parameter whose accumulator would not be of sensible size */
  findBad(step: number): Promise<number | undefined>;
  /** Folds in, takes out, and feeds back. @returns the body */
  make(step: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Gives the accumulator back what the last message took; once. */
  undo(): void;
  /** The last message is not one of this accumulator. */
  forget(): void;
  readonly bytes: number;
  /** Of a window. */
  readonly dispatches: number;
  dispose(): void;
}

/** @throws GPUPipelineError; nothing is left behind then */
export async function createMessages(options: MessagesOptions): Promise<Messages> {
  const { context, runs, work, workBuffers, decay, limit, transform, packing } = options;
  const { device, buffers, compile } = context;
  const chunks = runs.reduce((sum, { grid }) => sum + grid.count, 0);
  const picked = runs.reduce((sum, { grid }) => sum + grid.count * grid.kept, 0);

  // Before any buffer is made, so that none is left behind when it fails.
  const codes = quantiseCodes(picked, options.quantiser);
  const { silence } = options.quantiser;
  const feedBack = transform ? feedBackTransformedCode : feedBackCode;
  const ofShape = (label: string, code: (grid: ChunkGrid) => string): Promise<GPUComputePipeline[]> =>
    Promise.all(runs.map(({ grid }) => compile(`${label} ${grid.rows}x${grid.columns}`, code(grid))));
  const [checking, moments, deviation, encode, table, pack, extracting, feedingBack] = await Promise.all([
    compile('check work', checkCode(work, limit)),
    compile('moments of values', codes.moments),
    compile('spread of values', codes.spread),
    compile('encode values', codes.encode),
    compile('table of bins', codes.table),
    compile('pack body', packing.code),
    ofShape('extract', (grid) => extractCode(grid, { work, transform, silence })),
    ofShape('feed back', feedBack),
  ]);

  const own = createOwnBuffers(device, buffers);
  const accumulator = createRunVector(context, own, runs);
  const picks = own.make(4 * picked);
  const values = own.make(4 * picked);
  const norms = own.make(4 * chunks);
  const sums = own.make(sumsBytes(picked));
  const quantiser = own.make(QUANTISER_SCRATCH_BYTES);
  const body = own.make(packing.bytes);
  const found = own.make(4);
  const window = own.make(16, GPUBufferUsage.UNIFORM);
  const runUniforms = own.make(UNIFORM_STRIDE * runs.length, GPUBufferUsage.UNIFORM);
  runs.forEach(({ start, grid, size, firstChunk, firstPick }, i) => {
    const { offset, stride, across, count } = grid;
    const uniform = Uint32Array.of(start, offset, size, stride, across, count, firstChunk, firstPick);
    device.queue.writeBuffer(runUniforms, i * UNIFORM_STRIDE, uniform);
  });
  const bases = new Map<string, GPUBuffer>();
  /** Bound last, where there is a transform. */
  const basesFor = (grid: ChunkGrid): GPUBuffer[] => {
    if (!transform) return [];
    const shape = `${grid.rows}x${grid.columns}`;
    const buffer = bases.get(shape) ?? own.upload(basesOf(grid));
    bases.set(shape, buffer);
    return [buffer];
  };

  const bound = (i: number): (GPUBuffer | GPUBufferBinding)[] => [
    { buffer: runUniforms, offset: i * UNIFORM_STRIDE, size: UNIFORM_STRIDE },
    window,
    accumulator.buffers[i]!,
  ];
  const check = runs.map(({ size }, i) =>
    dispatchOf(device, checking, [...bound(i), found, ...workBuffers[i]!], [elementwise(CHECK_THREADS, size)]),
  );
  const perChunk = (
    pipelines: readonly GPUComputePipeline[],
    more: (i: number) => readonly GPUBuffer[],
  ): readonly Dispatch[] =>
    runs.map(({ grid }, i) =>
      dispatchOf(device, pipelines[i]!, [...bound(i), ...more(i), ...basesFor(grid)], spread(grid.count).workgroups),
    );
  const extract = perChunk(extracting, (i) => [picks, norms, values, ...workBuffers[i]!]);
  const moveBySent = perChunk(feedingBack, () => [picks, norms, quantiser]);
  const groups = quantiseGroups(picked);
  const encodeBody = [
    dispatchOf(device, moments, [sums, values], [groups]),
    dispatchOf(device, deviation, [sums, quantiser, values], [groups]),
    dispatchOf(device, encode, [sums, quantiser, values, picks], [groups]),
    dispatchOf(device, table, [sums, quantiser], [1]),
    dispatchOf(device, pack, [picks, own.upload(packing.sections), body], [packing.workgroups]),
  ];

  const setWindow = (step: number, sign: 1 | -1): void => {
    device.queue.writeBuffer(window, 0, Float32Array.of(decay, step, sign));
  };
  /** Whether picks, norms and quantiser are of a message that the accumulator lacks. */
  let sent = false;

  return {
    accumulator,

    async findBad(step) {
      setWindow(step, -1);
      device.queue.writeBuffer(found, 0, Uint32Array.of(NOTHING_FOUND));
      submit(device, check);
      const first = await readWord(context, found);
      return first === NOTHING_FOUND ? undefined : first;
    },

    async make(step) {
      setWindow(step, -1);
      const clear = device.createCommandEncoder();
      clear.clearBuffer(body);
      device.queue.submit([clear.finish()]);
      submit(device, [...extract, ...encodeBody, ...moveBySent]);
      sent = true;
      const copy = device.createCommandEncoder();
      for (const { from, offset, to, bytes } of packing.copies) {
        copy.copyBufferToBuffer(from === 'norms' ? norms : quantiser, offset, body, to, bytes);
      }
      device.queue.submit([copy.finish()]);
      const bytes = new Uint8Array(packing.bytes);
      await readBytes(context, body, bytes);
      return bytes;
    },

    undo() {
      if (!sent) return;
      sent = false;
      setWindow(0, 1);
      submit(device, moveBySent);
    },

    forget() {
      sent = false;
    },

    bytes: own.bytes,
    dispatches: check.length + extract.length + encodeBody.length + moveBySent.length,
    dispose: () => own.dispose(),
  };
}
