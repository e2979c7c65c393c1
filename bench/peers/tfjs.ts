/** TensorFlow.js on its WebGPU backend: the model that checks our gradients. */
import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { IGNORED_TARGET } from '../../core/data/batch.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import { tfjsLoss } from '../../engine/testing/tfjs-llama.ts';
import type { Contender, ContenderModule } from '../contender.ts';

const contender: Contender = {
  train({ config, length, precision, parameters, batch }) {
    if (precision !== 'fp32') throw new Error('its WebGPU backend computes in fp32');
    const { parameters: specs, total } = parameterLayout(config);
    const weights = specs.map(({ shape, offset, size }) =>
      tf.tensor(parameters.slice(offset, offset + size), [...shape]),
    );
    const zeros = (): tf.Tensor[] => specs.map(({ shape }) => tf.zeros([...shape]));
    let sums = zeros();
    const lossSum = tfjsLoss(config, length);
    const differentiate = tf.valueAndGrads((...values: tf.Tensor[]) =>
      lossSum(new Map(specs.map(({ name }, i) => [name, values[i]!])), batch),
    );
    const predicted = batch.targets.filter((target) => target !== IGNORED_TARGET).length;
    let accumulated = 0;

    /** Queues a step. @returns the loss sum */
    function step(): tf.Tensor {
      const [loss, ...added] = tf.tidy(() => {
        const { value, grads } = differentiate(weights);
        return [value, ...grads.map((gradient, i) => tf.add(sums[i]!, gradient))];
      }) as [tf.Tensor, ...tf.Tensor[]];
      tf.dispose(sums);
      sums = added;
      accumulated += predicted;
      return loss;
    }

    return Promise.resolve({
      nodes: null,
      async steps(count) {
        const losses: Promise<Float32Array>[] = [];
        for (let i = 0; i < count; i++) {
          const loss = step();
          losses.push(loss.data<'float32'>().finally(() => loss.dispose()));
        }
        return (await Promise.all(losses)).at(-1)![0]! / predicted;
      },
      async takeGradient() {
        const gradient = new Float32Array(total);
        for (const [i, { offset }] of specs.entries()) gradient.set(await sums[i]!.data<'float32'>(), offset);
        for (let i = 0; i < total; i++) gradient[i] = gradient[i]! / accumulated;
        tf.dispose(sums);
        sums = zeros();
        accumulated = 0;
        return gradient;
      },
    });
  },

  async matmul({ m, k, n }, precision) {
    if (precision !== 'fp32') throw new Error('its WebGPU backend computes in fp32');
    const a = tf.randomUniform([m, k]);
    const b = tf.randomUniform([k, n]);
    await Promise.all([a.data(), b.data()]);
    return async (count) => {
      for (let i = 1; i < count; i++) tf.matMul(a, b).dispose();
      const last = tf.matMul(a, b);
      // One element of it, read from the device.
      await tf.slice(last, [0, 0], [1, 1]).data();
      last.dispose();
    };
  },
};

export const createContender: ContenderModule['createContender'] = async () => {
  if (!(await tf.setBackend('webgpu'))) throw new Error('TensorFlow.js finds no WebGPU');
  return contender;
};
