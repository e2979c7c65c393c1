/** Ours: what a tab trains with on a GPU. */
import { GraphBuilder } from '../../engine/graph/ir.ts';
import { fusedTrainingGraph } from '../../engine/graph/llama.ts';
import { createGpuTrainer } from '../../engine/gpu/engine.ts';
import { planGraph } from '../../engine/gpu/plan.ts';
import { createProgram } from '../../engine/gpu/program.ts';
import { sharedContext } from '../../engine/web-device.ts';
import type { Contender, ContenderModule } from '../contender.ts';
import { countOperators } from '../count-operators.ts';
import { windowCost } from '../window-cost.ts';

const contender: Contender = {
  async train({ config, sequences, length, precision, parameters, batch }) {
    const context = await sharedContext();
    const trainer = await createGpuTrainer(
      context,
      { config, sequences, length, precision },
      { backend: 'webgpu', device: '', software: false, reasons: [] },
    );
    await trainer.setParameters(parameters);
    return {
      nodes: countOperators(fusedTrainingGraph({ config, sequences, length })),
      async steps(count) {
        // What a step does is queued before its promise waits for the loss, so steps follow each other on the device.
        const losses = await Promise.all(Array.from({ length: count }, () => trainer.accumulate(batch)));
        const last = losses.at(-1)!;
        return last.sum / last.count;
      },
      takeGradient: () => trainer.takeGradient(),
      window: (scheme) => windowCost(trainer, config, scheme, batch, () => context.device.queue.onSubmittedWorkDone()),
    };
  },

  async matmul({ m, k, n }, precision) {
    const context = await sharedContext();
    const { device, buffers } = context;
    const half = precision === 'fp16';
    const g = new GraphBuilder();
    const [a, b] = [g.input('a', [m, k]), g.input('b', [k, n])];
    const plan = planGraph(
      { c: g.gemm(a, b) },
      {
        donated: new Set(),
        workgroupBytes: device.limits.maxComputeWorkgroupStorageSize,
        half,
        halfInputs: new Set(half ? ['a', 'b'] : []),
      },
    );
    const given = new Map([a, b].map((value) => [value, buffers.make(plan.bytesOf(value), GPUBufferUsage.STORAGE)]));
    const program = await createProgram(context, plan, given);
    return async (count) => {
      for (let i = 0; i < count; i++) program.run();
      await device.queue.onSubmittedWorkDone();
    };
  },
};

export const createContender: ContenderModule['createContender'] = () => contender;
