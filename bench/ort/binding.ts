/**
 * `npx tsx bench/ort/binding.ts [--preset nano] [--batch 1] [--steps 3]`: a training step of onnxruntime-web's WebGPU
 * provider with its 2 x parameters of gradients in buffers of ours, in buffers that it makes, and read back; and with
 * graph capture.
 */
import * as ort from 'onnxruntime-web/webgpu';
import { parseArgs } from 'node:util';
import { parameterLayout } from '../../core/model/layout.ts';
import { batchArrays } from '../../engine/feeds.ts';
import { readFloats } from '../../engine/gpu/read-back.ts';
import { gradientInput, gradientOutput, INPUT, LOSS, trainingGraph } from '../../engine/graph/llama.ts';
import { writeOnnx } from '../../engine/graph/onnx.ts';
import { createOrtSession } from '../contenders/onnxruntime.ts';
import { median } from '../measure.ts';
import { WORKLOAD_NAMES, workload, workloadBatch, workloadParameters } from '../workload.ts';
import { createSetting, firstLine } from './setting.ts';

const { values } = parseArgs({
  options: {
    preset: { type: 'string', default: 'micro' },
    batch: { type: 'string', default: '1' },
    steps: { type: 'string', default: '5' },
  },
});
const name = WORKLOAD_NAMES.find((one) => one === values.preset);
if (!name) throw new Error(`${values.preset} is none of ${WORKLOAD_NAMES.join(', ')}`);
const work = workload(name);
const { config, length } = work;
const sequences = Number(values.batch);
const rows = sequences * length;

const { context, surroundings } = await createSetting();
const { device, buffers } = context;
const { parameters: specs } = parameterLayout(config);
const model = writeOnnx(trainingGraph({ config, sequences, length }));
const parameters = workloadParameters(work);
const arrays = batchArrays(workloadBatch(work, sequences), { sequences, length, vocabSize: config.vocabSize });

type Typed = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>;

function onDevice(data: Typed, dataType: 'float32' | 'int32' | 'int64', dims: readonly number[]): ort.Tensor {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const buffer = buffers.make(data.byteLength, usage);
  device.queue.writeBuffer(buffer, 0, data);
  return ort.Tensor.fromGpuBuffer(buffer, { dataType, dims });
}

const zeros = (nameOf: (parameter: string) => string): Record<string, ort.Tensor> =>
  Object.fromEntries(
    specs.map(({ name, shape, size }) => [nameOf(name), onDevice(new Float32Array(size), 'float32', shape)]),
  );
const weights = Object.fromEntries(
  specs.map(({ name, shape, offset, size }) => [
    name,
    onDevice(parameters.slice(offset, offset + size), 'float32', shape),
  ]),
);
const resident = { ...weights, ...zeros(gradientInput) };
const hostBatch = {
  [INPUT.tokens]: new ort.Tensor('int64', arrays.tokens, [rows, 1]),
  [INPUT.targets]: new ort.Tensor('int32', arrays.targets, [rows, 1]),
  [INPUT.counts]: new ort.Tensor('float32', arrays.counts, [rows, 1]),
};
const deviceBatch = {
  [INPUT.tokens]: onDevice(arrays.tokens, 'int64', [rows, 1]),
  [INPUT.targets]: onDevice(arrays.targets, 'int32', [rows, 1]),
  [INPUT.counts]: onDevice(arrays.counts, 'float32', [rows, 1]),
};
/** Another batch's tokens, to see that a captured graph reads what is in the buffers now. */
const otherTokens = arrays.tokens.toReversed();
const ours = { [LOSS]: onDevice(new Float32Array(1), 'float32', [1]), ...zeros(gradientOutput) };

interface Way {
  readonly name: string;
  readonly options?: ort.InferenceSession.SessionOptions;
  readonly feeds: Record<string, ort.Tensor>;
  readonly fetches?: Record<string, ort.Tensor>;
}

const WAYS: readonly Way[] = [
  { name: 'gradients into our buffers, batch from memory', feeds: { ...resident, ...hostBatch }, fetches: ours },
  { name: 'gradients into our buffers, batch on the device', feeds: { ...resident, ...deviceBatch }, fetches: ours },
  {
    name: 'gradients into buffers of the runtime',
    options: { preferredOutputLocation: 'gpu-buffer' },
    feeds: { ...resident, ...hostBatch },
  },
  { name: 'gradients read back', feeds: { ...resident, ...hostBatch } },
  {
    name: 'graph capture, gradients into our buffers',
    options: { enableGraphCapture: true, preferredOutputLocation: 'gpu-buffer' },
    feeds: { ...resident, ...deviceBatch },
    fetches: ours,
  },
  {
    name: 'graph capture, into buffers of the runtime',
    options: { enableGraphCapture: true, preferredOutputLocation: 'gpu-buffer' },
    feeds: { ...resident, ...deviceBatch },
  },
];

/** One step. @returns its time, and the sum of the losses */
async function step(
  session: ort.InferenceSession,
  { feeds, fetches, options }: Way,
): Promise<[ms: number, loss: number]> {
  const begun = performance.now();
  const results = await (fetches ? session.run(feeds, fetches) : session.run(feeds));
  await device.queue.onSubmittedWorkDone();
  const ms = performance.now() - begun;
  const loss = results[LOSS]!;
  const [sum] =
    loss.location === 'gpu-buffer'
      ? await readFloats(context, [{ buffer: loss.gpuBuffer, size: 1 }])
      : (loss.data as Float32Array);
  // A captured graph goes on writing to the same buffers.
  if (!fetches && !options?.enableGraphCapture) for (const made of Object.values(results)) made.dispose();
  return [ms, sum!];
}

console.log(`${name}, ${sequences} x ${length} tokens, median of ${values.steps} steps, the ways taking turns`);
const running: { way: Way; session: ort.InferenceSession; times: number[] }[] = [];
for (const way of WAYS) {
  let phase = 'creating the session';
  try {
    const session = await createOrtSession(model, device, surroundings, way.options);
    for (phase of ['first step', 'second step', 'third step']) await step(session, way);
    running.push({ way, session, times: [] });
  } catch (error) {
    console.log(`  ${way.name.padEnd(50)} ${phase}: ${firstLine(error)}`);
  }
}
for (let i = 0; i < Number(values.steps); i++) {
  for (const { way, session, times } of running) times.push((await step(session, way))[0]);
}
const tokens = deviceBatch[INPUT.tokens];
for (const { way, session, times } of running) {
  const losses = [(await step(session, way))[1]];
  if (way.feeds[INPUT.tokens] === tokens) {
    device.queue.writeBuffer(tokens.gpuBuffer, 0, otherTokens);
    losses.push((await step(session, way))[1]);
    device.queue.writeBuffer(tokens.gpuBuffer, 0, arrays.tokens);
  }
  const shown = losses.map((loss) => loss.toFixed(4)).join(', with other tokens ');
  console.log(`  ${way.name.padEnd(50)} ${median(times).toFixed(1)} ms, loss ${shown}`);
}
process.exit(0);
