/**
 * Memory as a number: what training takes on a device, how much of a device may be taken, and which way of training fits.
 * Arithmetic alone: nothing is allocated, and nothing is found out by failing.
 */
import { parameterLayout } from '../../core/model/layout.ts';
import { PRESET_NAMES, PRESETS, type PresetName } from '../../core/model/presets.ts';
import type { ModelConfig } from '../../core/model/config.ts';
import type { SchemeParameters } from '../../core/protocol/manifest.ts';
import { parameterGroups } from '../graph/parameter-groups.ts';
import { planTraining, type Precision } from './engine.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** Tokens of a micro-batch beyond which a GPU is busy anyway, and pausing and deadlines only get coarser. */
const ENOUGH_TOKENS = 4096;
/** A software adapter is slow: what matters is that a micro-batch ends. */
const ENOUGH_TOKENS_IN_SOFTWARE = 256;
/** Of what a browser says the machine has: the rest is the system's, the other tabs' and the screen's. */
const SHARE_OF_DEVICE_MEMORY = 0.5;
/** Browsers without `navigator.deviceMemory` run on machines with at least this, mostly. */
const ASSUMED_DEVICE_GIB = 8;
/** Vectors of the parameters' size that a compressor holds between windows. */
const OPTIMISER_VECTORS: Readonly<Record<SchemeParameters['name'], number>> = {
  // The momentum, which is the error feedback too.
  'decoupled-momentum': 1,
  // AdamW's two moments, the error feedback, and the parameters that the window began with.
  sparseloco: 4,
};
/** Kept free of the compressor's passing buffers, the runtime's own, and fragmentation. */
const RESERVE = 0.1;

/** How a model is trained on a device. */
export interface TrainingShape {
  readonly sequences: number;
  readonly recompute: boolean;
  readonly precision: Precision;
}

/** Bytes on the device, by what they hold. */
export interface TrainingMemory {
  readonly parameters: number;
  /** fp16 copies of the matrices. */
  readonly halfCopies: number;
  readonly gradients: number;
  /** What the scheme keeps from window to window. */
  readonly optimiser: number;
  readonly activations: number;
  readonly total: number;
  /** The largest single buffer. */
  readonly largest: number;
}

/** @param workgroupBytes shared memory of a workgroup; it decides tile sizes */
export function trainingMemory(
  {
    config,
    scheme,
    length,
  }: { readonly config: ModelConfig; readonly scheme: SchemeParameters['name']; readonly length?: number },
  shape: TrainingShape,
  workgroupBytes = 16_384,
): TrainingMemory {
  const groups = parameterGroups(config);
  const parameters = 4 * groups.reduce((sum, { size }) => sum + size, 0);
  const halfCopies =
    shape.precision === 'fp16'
      ? groups.reduce((sum, { size, shape }) => sum + (shape.length === 2 ? 2 * size : 0), 0)
      : 0;
  const plan = planTraining({ config, ...shape, ...(length === undefined ? {} : { length }) }, workgroupBytes);
  const optimiser = OPTIMISER_VECTORS[scheme] * parameters;
  const parts = { parameters, halfCopies, gradients: parameters, optimiser, activations: plan.slotBytes };
  return { ...parts, total: Object.values(parts).reduce((a, b) => a + b), largest: plan.largestBytes };
}

export interface MemoryBudget {
  /** Bytes that training may take on the device. */
  readonly bytes: number;
  /** Bytes of one buffer, at most. */
  readonly buffer: number;
  /** Where the numbers are from, in a sentence. */
  readonly reason: string;
}

/**
 * @param limits the adapter's; they bound a buffer and say nothing about memory as a whole
 * @param deviceMemoryGib what the browser says the machine has; it says no more than its own upper bound
 * @param chosenMib the user's setting
 */
export function memoryBudget({
  limits,
  deviceMemoryGib,
  chosenMib,
}: {
  readonly limits: Pick<GPUSupportedLimits, 'maxBufferSize' | 'maxStorageBufferBindingSize'>;
  readonly deviceMemoryGib?: number | undefined;
  readonly chosenMib?: number | undefined;
}): MemoryBudget {
  const buffer = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
  if (chosenMib !== undefined) {
    return { bytes: chosenMib * MIB, buffer, reason: `You allow ${bytesInWords(chosenMib * MIB)}.` };
  }
  const gib = deviceMemoryGib ?? ASSUMED_DEVICE_GIB;
  const bytes = SHARE_OF_DEVICE_MEMORY * gib * GIB;
  const known = deviceMemoryGib === undefined ? 'does not say how much memory the machine has' : `reports ${gib} GiB`;
  return {
    bytes,
    buffer,
    reason: `The browser ${known}; ${bytesInWords(bytes)} of it may be used unless you allow more.`,
  };
}

export function bytesInWords(bytes: number): string {
  if (bytes >= GIB) return `${(bytes / GIB).toFixed(1)} GiB`;
  return bytes < 10 * MIB ? `${(bytes / MIB).toFixed(1)} MiB` : `${Math.ceil(bytes / MIB)} MiB`;
}

/** A row of the planner's table. */
export interface Candidate {
  readonly shape: TrainingShape;
  readonly memory: TrainingMemory;
  /** Why not, in words; undefined where it fits. */
  readonly refusal?: string;
}

export interface Fit {
  readonly chosen: TrainingShape;
  readonly memory: TrainingMemory;
  /** Everything that was weighed, the preferred first. */
  readonly table: readonly Candidate[];
}

/** The model cannot be trained within the budget. */
export class DoesNotFitError extends Error {
  override readonly name = 'DoesNotFitError';
  readonly remedy: string;
  readonly table: readonly Candidate[];

  constructor(message: string, remedy: string, table: readonly Candidate[]) {
    super(message);
    this.remedy = remedy;
    this.table = table;
  }
}

function refusalOf({ total, largest }: TrainingMemory, budget: MemoryBudget): string | undefined {
  if (largest > budget.buffer) {
    return `a buffer of ${bytesInWords(largest)} is needed, the adapter has ${bytesInWords(budget.buffer)} at most`;
  }
  const usable = budget.bytes * (1 - RESERVE);
  return total > usable ? `${bytesInWords(total)} are needed, ${bytesInWords(usable)} may be used` : undefined;
}

/** Larger micro-batches first; computing a block twice costs more than a smaller micro-batch does. */
function shapesOf(pageSequences: number, tokens: number, length: number, precision: Precision): TrainingShape[] {
  const divisors = Array.from({ length: pageSequences }, (_, i) => pageSequences - i).filter(
    (sequences) => pageSequences % sequences === 0 && (sequences === 1 || sequences * length <= tokens),
  );
  return [false, true].flatMap((recompute) => divisors.map((sequences) => ({ sequences, recompute, precision })));
}

export interface FitOptions {
  readonly config: ModelConfig;
  readonly scheme: SchemeParameters['name'];
  /** Sequences of a page: micro-batches are whole parts of one. */
  readonly pageSequences: number;
  readonly precision: Precision;
  readonly budget: MemoryBudget;
  readonly software: boolean;
  readonly workgroupBytes?: number;
}

/** @throws DoesNotFitError with a smaller model that would, when nothing fits */
export function fitTraining(options: FitOptions): Fit {
  const { config, scheme, pageSequences, precision, budget, software, workgroupBytes } = options;
  const tokens = software ? ENOUGH_TOKENS_IN_SOFTWARE : ENOUGH_TOKENS;
  const table = shapesOf(pageSequences, tokens, config.contextLength, precision).map((shape): Candidate => {
    const memory = trainingMemory({ config, scheme }, shape, workgroupBytes);
    const refusal = refusalOf(memory, budget);
    return { shape, memory, ...(refusal === undefined ? {} : { refusal }) };
  });
  const best = table.find(({ refusal }) => refusal === undefined);
  if (best) return { chosen: best.shape, memory: best.memory, table };
  const smallest = table.at(-1)!;
  const other = largestFitting(options);
  throw new DoesNotFitError(
    `This model does not fit this device: ${smallest.refusal!}, even one sequence at a time. ${budget.reason}`,
    other === undefined
      ? 'Allow more memory in the settings, or use a device with more.'
      : `Allow more memory in the settings, or join a run of the size “${other}” or smaller.`,
    table,
  );
}

/** The largest smaller preset that would fit. */
function largestFitting({ config, scheme, budget, precision, workgroupBytes }: FitOptions): PresetName | undefined {
  const { total } = parameterLayout(config);
  return PRESET_NAMES.findLast((name) => {
    if (parameterLayout(PRESETS[name].model).total >= total) return false;
    const memory = trainingMemory(
      { config: PRESETS[name].model, scheme },
      { sequences: 1, recompute: true, precision },
      workgroupBytes,
    );
    return refusalOf(memory, budget) === undefined;
  });
}

/** A 32-bit runtime's memory less what it, its stacks and a graph's activations need. */
const HOST_BYTES = 2 * GIB;
/** Parameters and gradients, each in the runtime's memory and on their way there. */
const HOST_BYTES_A_PARAMETER = 16;

/** @throws DoesNotFitError for a model that WASM cannot address */
export function requireHostMemory(config: ModelConfig): void {
  const needed = HOST_BYTES_A_PARAMETER * parameterGroups(config).reduce((sum, { size }) => sum + size, 0);
  if (needed <= HOST_BYTES) return;
  throw new DoesNotFitError(
    `This model needs ${bytesInWords(needed)} without a GPU; WebAssembly has room for ${bytesInWords(HOST_BYTES)}.`,
    'Use a device with a GPU, or join a run with a smaller model.',
    [],
  );
}

/** The planner's table as text, a line a candidate. */
export function describeFit(table: readonly Candidate[]): string {
  const line = ({ shape, memory, refusal }: Candidate): string =>
    [
      `${shape.sequences} ${shape.sequences === 1 ? 'sequence' : 'sequences'}`.padEnd(13),
      (shape.recompute ? 'recomputed' : 'whole').padEnd(11),
      shape.precision,
      bytesInWords(memory.total).padStart(10),
      `(activations ${bytesInWords(memory.activations)})`,
      refusal ?? 'fits',
    ].join(' ');
  return table.map(line).join('\n');
}
