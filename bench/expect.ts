/** The reference that contenders are compared with: onnxruntime's processor provider. Node only. */
import { createNodeTrainer } from '../engine/node.ts';
import { expectationOf, type Expectation } from './expectation.ts';
import { workload, workloadBatch, workloadParameters, type WorkloadName } from './workload.ts';

export async function expectOnProcessor(name: WorkloadName, sequences: number): Promise<Expectation> {
  const work = workload(name);
  const trainer = await createNodeTrainer({ config: work.config, sequences, length: work.length });
  try {
    await trainer.setParameters(workloadParameters(work));
    const { sum, count } = await trainer.accumulate(workloadBatch(work, sequences));
    return expectationOf(work.config, sum / count, await trainer.takeGradient());
  } finally {
    await trainer.dispose();
  }
}
