/** onnxruntime-web's WebAssembly: what a tab without a GPU trains with. A tab only. */
import { chooseBackend, createWebTrainer } from '../../engine/web.ts';
import { trainingGraph } from '../../engine/graph/llama.ts';
import type { Contender, ContenderModule } from '../contender.ts';
import { countOperators } from '../count-operators.ts';
import { windowCost } from '../window-cost.ts';

const contender: Contender = {
  async train({ config, sequences, length, precision, parameters, batch }) {
    if (precision !== 'fp32') throw new Error('the graph is written in fp32');
    const backend = await chooseBackend({ force: 'wasm' });
    const trainer = await createWebTrainer({ config, sequences, length, backend });
    await trainer.setParameters(parameters);
    return {
      nodes: countOperators(trainingGraph({ config, sequences, length })),
      async steps(count) {
        let mean = NaN;
        for (let step = 0; step < count; step++) {
          const { sum, count: predicted } = await trainer.accumulate(batch);
          mean = sum / predicted;
        }
        return mean;
      },
      takeGradient: () => trainer.takeGradient(),
      window: (scheme) => windowCost(trainer, config, scheme, batch, () => Promise.resolve()),
    };
  },
  matmul: () => Promise.reject(new Error('its products are not the adapter’s')),
};

export const createContender: ContenderModule['createContender'] = () => contender;
