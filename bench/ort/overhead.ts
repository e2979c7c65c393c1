/**
 * `node --import tsx bench/ort/overhead.ts [--preset nano] [--steps 50]` (Node 22 or newer for jax-js): what a step costs
 * the processor. Dawn's null backend takes every call and computes nothing, so all time is the library's own code and
 * WebGPU's checks. On a GPU it is hidden behind the device as long as it is the shorter of the two.
 */
import { parseArgs } from 'node:util';
import type { ContenderModule } from '../contender.ts';
import { installGpuMeter } from '../gpu-meter.ts';
import { median } from '../measure.ts';
import type { ContenderName } from '../report.ts';
import { workload, workloadBatch, WORKLOAD_NAMES, workloadParameters } from '../workload.ts';
import { createSetting, firstLine } from './setting.ts';

const { values } = parseArgs({
  options: { preset: { type: 'string', default: 'nano' }, steps: { type: 'string', default: '50' } },
});
const name = WORKLOAD_NAMES.find((one) => one === values.preset);
if (!name) throw new Error(`${values.preset} is none of ${WORKLOAD_NAMES.join(', ')}`);
const work = workload(name);
const steps = Number(values.steps);

const { surroundings } = await createSetting(['backend=null']);
const meter = installGpuMeter();

/** Installed for benchmarks alone, so its module is not type-checked with the rest. */
const JAX: string = '../peers/jax.ts';
const MODULES: readonly (readonly [ContenderName, () => Promise<ContenderModule>])[] = [
  ['own', () => import('../contenders/own.ts')],
  ['onnxruntime-web', () => import('../contenders/onnxruntime.ts')],
  ['jax-js', () => import(JAX) as Promise<ContenderModule>],
];

console.log(`${name}, 1 x ${work.length} tokens, median of ${steps}`);
for (const [contender, load] of MODULES) {
  try {
    const { train } = await (await load()).createContender(surroundings);
    const training = await train({
      config: work.config,
      sequences: 1,
      length: work.length,
      precision: 'fp32',
      parameters: workloadParameters(work),
      batch: workloadBatch(work, 1),
    });
    for (let i = 0; i < 3; i++) await training.steps(1);
    const before = meter.dispatches;
    await training.steps(1);
    const dispatches = meter.dispatches - before;
    const times: number[] = [];
    for (let i = 0; i < steps; i++) {
      const begun = performance.now();
      await training.steps(1);
      times.push(performance.now() - begun);
    }
    const ms = median(times);
    console.log(
      `  ${contender.padEnd(16)} ${ms.toFixed(2).padStart(7)} ms a step, ${dispatches} dispatches, ${((1_000 * ms) / dispatches).toFixed(1)} µs each`,
    );
  } catch (error) {
    console.log(`  ${contender.padEnd(16)} ${firstLine(error)}`);
  }
}
process.exit(0);
