/**
 * Where a training step's time goes on a processor, by operator, as onnxruntime's own profiler sees it:
 * `npx tsx bench/ort/profile.ts [PRESET] [SEQUENCES]`. One thread, so that nothing waits for anything.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { parameterLayout } from '../../core/model/layout.ts';
import { batchArrays } from '../../engine/feeds.ts';
import { gradientInput, INPUT, trainingGraph } from '../../engine/graph/llama.ts';
import { writeOnnx } from '../../engine/graph/onnx.ts';
import { workload, WORKLOAD_NAMES, workloadBatch, workloadParameters } from '../workload.ts';

const STEPS = 12;

interface ProfilerEvent {
  readonly cat: string;
  /** Microseconds. */
  readonly dur: number;
  readonly args?: { readonly op_name?: string };
}

const [name = 'nano', count = '4'] = process.argv.slice(2);
const known = WORKLOAD_NAMES.find((each) => each === name);
const sequences = Number(count);
if (!known || !(sequences > 0)) throw new RangeError(`of ${WORKLOAD_NAMES.join(', ')}, and a number of sequences`);
const job = workload(known);
const { config, length } = job;
const rows = sequences * length;
const folder = mkdtempSync(join(tmpdir(), 'profile-'));
const session = await ort.InferenceSession.create(writeOnnx(trainingGraph({ config, sequences, length })), {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  enableProfiling: true,
  profileFilePrefix: join(folder, 'step'),
});
const { tokens, targets, counts } = batchArrays(workloadBatch(job, sequences), {
  sequences,
  length,
  vocabSize: config.vocabSize,
});
const feeds: Record<string, ort.Tensor> = {
  [INPUT.tokens]: new ort.Tensor('int64', tokens, [rows, 1]),
  [INPUT.targets]: new ort.Tensor('int32', targets, [rows, 1]),
  [INPUT.counts]: new ort.Tensor('float32', counts, [rows, 1]),
};
const flat = workloadParameters(job);
for (const { name, shape, offset, size } of parameterLayout(config).parameters) {
  feeds[name] = new ort.Tensor('float32', flat.subarray(offset, offset + size), shape);
  feeds[gradientInput(name)] = new ort.Tensor('float32', new Float32Array(size), shape);
}
const started = performance.now();
for (let step = 0; step < STEPS; step++) await session.run(feeds);
const ms = (performance.now() - started) / STEPS;
session.endProfiling();

// The profiler adds the time to the file's name.
const [file] = readdirSync(folder);
const events = JSON.parse(readFileSync(join(folder, file!), 'utf8')) as ProfilerEvent[];
rmSync(folder, { recursive: true });
const byOperator = new Map<string, number>();
for (const { cat, dur, args } of events) {
  if (cat !== 'Node' || args?.op_name === undefined) continue;
  byOperator.set(args.op_name, (byOperator.get(args.op_name) ?? 0) + dur / 1_000 / STEPS);
}
const inside = [...byOperator.values()].reduce((a, b) => a + b, 0);
console.log(`${name}, ${sequences} x ${length} tokens: ${ms.toFixed(1)} ms a step, profiled`);
for (const [operator, own] of [...byOperator].sort((a, b) => b[1] - a[1]).slice(0, 12)) {
  console.log(
    `${operator.padEnd(14)} ${own.toFixed(2).padStart(8)} ms ${((100 * own) / inside).toFixed(1).padStart(5)} %`,
  );
}
