/** The model in TensorFlow.js: somebody else's autodiff, for tests and benchmarks. */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { IGNORED_TARGET, type Batch } from '../../core/data/batch.ts';
import type { ModelConfig } from '../../core/model/config.ts';
import { parameterLayout } from '../../core/model/layout.ts';

function rmsNorm(x: tf.Tensor, weight: tf.Tensor, epsilon: number): tf.Tensor {
  return tf.mul(tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon))), weight);
}

/** x [B, T, heads, d]; cos, sin [1, T, 1, d] */
function rotate(x: tf.Tensor, { cos, sin }: Constants): tf.Tensor {
  const [first, second] = tf.split(x, 2, -1) as [tf.Tensor, tf.Tensor];
  return tf.add(tf.mul(x, cos), tf.mul(tf.concat([tf.neg(second), first], -1), sin));
}

/** What depends neither on parameters nor on the batch. */
interface Constants {
  readonly cos: tf.Tensor;
  readonly sin: tf.Tensor;
  readonly groupOfHead: tf.Tensor1D;
  /** [T, T]: -1e9 where a position must not look. */
  readonly blocked: tf.Tensor;
}

function constants({ numHeads, numKvHeads, headDim, ropeTheta }: ModelConfig, length: number): Constants {
  const angles = tf.tensor4d(
    Array.from(
      { length: length * headDim },
      (_, i) => Math.floor(i / headDim) * ropeTheta ** ((-2 * (i % (headDim / 2))) / headDim),
    ),
    [1, length, 1, headDim],
  );
  return {
    cos: tf.cos(angles),
    sin: tf.sin(angles),
    groupOfHead: tf.tensor1d(
      Array.from({ length: numHeads }, (_, head) => Math.floor(head / (numHeads / numKvHeads))),
      'int32',
    ),
    blocked: tf.mul(tf.sub(1, tf.linalg.bandPart(tf.ones([length, length]), -1, 0)), -1e9),
  };
}

/** @returns the loss sum of a batch of such sequences as a function of the parameters by name */
export function tfjsLoss(
  config: ModelConfig,
  length: number,
): (weights: ReadonlyMap<string, tf.Tensor>, batch: Batch) => tf.Scalar {
  const made = constants(config, length);
  return (weights, batch) => lossSum(config, made, weights, batch);
}

function lossSum(
  config: ModelConfig,
  made: Constants,
  weights: ReadonlyMap<string, tf.Tensor>,
  batch: Batch,
): tf.Scalar {
  const { hiddenSize, numHeads, numKvHeads, headDim, rmsNormEps, vocabSize } = config;
  const { sequences, length } = batch;
  const rows = sequences * length;
  const weight = (name: string): tf.Tensor => weights.get(name)!;
  const linear = (x: tf.Tensor, name: string): tf.Tensor => tf.matMul(x, weight(name), false, true);

  let x: tf.Tensor = tf.gather(weight('model.embed_tokens.weight'), tf.tensor1d(batch.tokens, 'int32'));
  for (let layer = 0; layer < config.numLayers; layer++) {
    const prefix = `model.layers.${layer}`;
    const normed = rmsNorm(x, weight(`${prefix}.input_layernorm.weight`), rmsNormEps);
    const heads = (name: string, count: number): tf.Tensor =>
      tf.reshape(linear(normed, `${prefix}.self_attn.${name}.weight`), [sequences, length, count, headDim]);
    const repeat = (t: tf.Tensor): tf.Tensor => (numHeads === numKvHeads ? t : tf.gather(t, made.groupOfHead, 2));
    const headsFirst = (t: tf.Tensor): tf.Tensor => tf.transpose(t, [0, 2, 1, 3]);
    const q = headsFirst(rotate(heads('q_proj', numHeads), made));
    const k = headsFirst(repeat(rotate(heads('k_proj', numKvHeads), made)));
    const v = headsFirst(repeat(heads('v_proj', numKvHeads)));
    const scores = tf.add(tf.div(tf.matMul(q, k, false, true), Math.sqrt(headDim)), made.blocked);
    const mixed = tf.reshape(headsFirst(tf.matMul(tf.softmax(scores), v)), [rows, numHeads * headDim]);
    x = tf.add(x, linear(mixed, `${prefix}.self_attn.o_proj.weight`));
    const inner = rmsNorm(x, weight(`${prefix}.post_attention_layernorm.weight`), rmsNormEps);
    const gate = linear(inner, `${prefix}.mlp.gate_proj.weight`);
    const gated = tf.mul(tf.mul(gate, tf.sigmoid(gate)), linear(inner, `${prefix}.mlp.up_proj.weight`));
    x = tf.add(x, linear(gated, `${prefix}.mlp.down_proj.weight`));
  }
  const head = config.tieWordEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight';
  const logits = linear(rmsNorm(tf.reshape(x, [rows, hiddenSize]), weight('model.norm.weight'), rmsNormEps), head);
  const targets = [...batch.targets];
  const oneHot = tf.oneHot(
    tf.tensor1d(
      targets.map((target) => Math.max(0, target)),
      'int32',
    ),
    vocabSize,
  );
  const counts = tf.tensor1d(targets.map((target) => (target === IGNORED_TARGET ? 0 : 1)));
  return tf.neg(tf.sum(tf.mul(tf.sum(tf.mul(tf.logSoftmax(logits), oneHot), -1), counts)));
}

/** Loss sum and its gradient, flat in layout order. */
export function tfjsLossAndGradient(
  config: ModelConfig,
  parameters: Float32Array,
  batch: Batch,
): { loss: number; gradient: Float32Array } {
  const specs = parameterLayout(config).parameters;
  return tf.tidy(() => {
    const tensors = specs.map(({ shape, offset, size }) =>
      tf.tensor(parameters.slice(offset, offset + size), [...shape]),
    );
    const loss = tfjsLoss(config, batch.length);
    const differentiate = tf.valueAndGrads((...values: tf.Tensor[]) =>
      loss(new Map(specs.map(({ name }, i) => [name, values[i]!])), batch),
    );
    const { value, grads } = differentiate(tensors);
    const gradient = new Float32Array(parameters.length);
    for (const [i, { offset }] of specs.entries()) gradient.set(grads[i]!.dataSync(), offset);
    return { loss: value.dataSync()[0]!, gradient };
  });
}
