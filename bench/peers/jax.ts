/** jax-js: the model in its NumPy, differentiated and compiled by it. */
import { blockUntilReady, defaultDevice, init, jit, nn, numpy as np, valueAndGrad } from '@jax-js/jax';
import { IGNORED_TARGET } from '../../core/data/batch.ts';
import type { ModelConfig } from '../../core/model/config.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import type { Contender, ContenderModule } from '../contender.ts';

type Weights = Record<string, np.Array>;

function rmsNorm(x: np.Array, weight: np.Array, epsilon: number): np.Array {
  const square = np.mean(np.square(x.ref), -1, { keepdims: true });
  return x.div(np.sqrt(square.add(epsilon))).mul(weight);
}

/** @param x [B, T, heads, d] @param cos [T, 1, d] */
function rotate(x: np.Array, cos: np.Array, sin: np.Array): np.Array {
  const [first, second] = np.split(x.ref, 2, -1) as [np.Array, np.Array];
  return x.mul(cos).add(np.concatenate([np.negative(second), first], -1).mul(sin));
}

/** The sum of the losses. Every array is given up when it is used, as the library wants it; `.ref` keeps it. */
function lossSum(
  config: ModelConfig,
  [sequences, length]: readonly [number, number],
  { weights, tokens, targets, counts, cos, sin }: Inputs,
): np.Array {
  const { hiddenSize, numLayers, numHeads, numKvHeads, headDim, rmsNormEps, vocabSize, tieWordEmbeddings } = config;
  const rows = sequences * length;
  const embedding = 'model.embed_tokens.weight';
  const linear = (x: np.Array, name: string): np.Array => np.matmul(x, weights[name]!.ref.transpose());
  let x = weights[embedding]!.ref.slice(tokens);
  for (let layer = 0; layer < numLayers; layer++) {
    const prefix = `model.layers.${layer}`;
    const weight = (name: string): np.Array => weights[`${prefix}.${name}.weight`]!.ref;
    const normed = rmsNorm(x.ref, weight('input_layernorm'), rmsNormEps);
    const heads = (name: string, count: number): np.Array =>
      linear(normed.ref, `${prefix}.self_attn.${name}.weight`).reshape([sequences, length, count, headDim]);
    const q = rotate(heads('q_proj', numHeads), cos.ref, sin.ref);
    const k = rotate(heads('k_proj', numKvHeads), cos.ref, sin.ref);
    const v = heads('v_proj', numKvHeads);
    normed.dispose();
    const mixed = nn.dotProductAttention(q, k, v, { isCausal: true }).reshape([rows, numHeads * headDim]);
    x = x.add(linear(mixed, `${prefix}.self_attn.o_proj.weight`));
    const inner = rmsNorm(x.ref, weight('post_attention_layernorm'), rmsNormEps);
    const gate = linear(inner.ref, `${prefix}.mlp.gate_proj.weight`);
    const gated = nn.silu(gate).mul(linear(inner, `${prefix}.mlp.up_proj.weight`));
    x = x.add(linear(gated, `${prefix}.mlp.down_proj.weight`));
  }
  cos.dispose();
  sin.dispose();
  const head = tieWordEmbeddings ? embedding : 'lm_head.weight';
  const last = rmsNorm(x.reshape([rows, hiddenSize]), weights['model.norm.weight']!.ref, rmsNormEps);
  const chosen = np.sum(nn.logSoftmax(linear(last, head)).mul(nn.oneHot(targets, vocabSize)), -1);
  for (const weight of Object.values(weights)) weight.dispose();
  return np.negative(np.sum(chosen.mul(counts)));
}

interface Inputs {
  readonly weights: Weights;
  readonly tokens: np.Array;
  readonly targets: np.Array;
  readonly counts: np.Array;
  readonly cos: np.Array;
  readonly sin: np.Array;
}

function rotaryTable(
  { headDim, ropeTheta }: ModelConfig,
  length: number,
  of: (angle: number) => number,
): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: length * headDim }, (_, i) =>
    of(Math.floor(i / headDim) * ropeTheta ** ((-2 * (i % (headDim / 2))) / headDim)),
  );
}

const contender: Contender = {
  train({ config, sequences, length, precision, parameters, batch }) {
    if (precision !== 'fp32') throw new Error('measured in fp32 only');
    const { parameters: specs, total } = parameterLayout(config);
    const put = (data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>, shape: readonly number[]): np.Array =>
      np.array(data).reshape([...shape]);
    const weights: Weights = Object.fromEntries(
      specs.map(({ name, shape, offset, size }) => [name, put(parameters.slice(offset, offset + size), shape)]),
    );
    const zeros = (): Weights => Object.fromEntries(specs.map(({ name, shape }) => [name, np.zeros([...shape])]));
    let sums = zeros();
    const cos = put(rotaryTable(config, length, Math.cos), [length, 1, config.headDim]);
    const sin = put(rotaryTable(config, length, Math.sin), [length, 1, config.headDim]);
    const counted = batch.targets.map((target) => (target === IGNORED_TARGET ? 0 : 1));
    const predicted = counted.reduce((a, b) => a + b, 0);
    const step = jit((weights: Weights, sums: Weights, rest: Omit<Inputs, 'weights'>): [np.Array, Weights] => {
      const [loss, gradient] = valueAndGrad((weights: Weights) =>
        lossSum(config, [sequences, length], { weights, ...rest }),
      )(weights);
      return [loss, Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum.add(gradient[name]!)]))];
    });
    const refs = (tree: Weights): Weights =>
      Object.fromEntries(Object.entries(tree).map(([name, value]) => [name, value.ref]));
    let accumulated = 0;
    return Promise.resolve({
      nodes: null,
      async steps(count) {
        const losses: Promise<ArrayLike<number>>[] = [];
        for (let i = 0; i < count; i++) {
          let loss: np.Array;
          [loss, sums] = step(refs(weights), sums, {
            tokens: np.array(new Int32Array(batch.tokens)),
            targets: np.array(batch.targets.map((target) => Math.max(0, target))),
            counts: np.array(Float32Array.from(counted)),
            cos: cos.ref,
            sin: sin.ref,
          });
          // Asking for one result hands all of the step's kernels to the device.
          losses.push(loss.data() as Promise<ArrayLike<number>>);
          accumulated += predicted;
        }
        return (await Promise.all(losses))[count - 1]![0]! / predicted;
      },
      async takeGradient() {
        const gradient = new Float32Array(total);
        for (const { name, offset } of specs) gradient.set((await sums[name]!.data()) as Float32Array, offset);
        sums = zeros();
        for (let i = 0; i < total; i++) gradient[i] = gradient[i]! / accumulated;
        accumulated = 0;
        return gradient;
      },
    });
  },

  async matmul({ m, k, n }, precision) {
    const dtype = precision === 'fp16' ? np.float16 : np.float32;
    const a = np.ones([m, k], { dtype });
    const b = np.ones([k, n], { dtype });
    await blockUntilReady([a, b]);
    const product = jit((a: np.Array, b: np.Array) => np.matmul(a, b));
    return async (count) => {
      const waits: Promise<void>[] = [];
      for (let i = 0; i < count; i++) {
        const made = product(a.ref, b.ref);
        // Disposed before it was computed, it need not be.
        waits.push(made.blockUntilReady().then(() => made.dispose()));
      }
      await Promise.all(waits);
    };
  },
};

export const createContender: ContenderModule['createContender'] = async () => {
  const devices = await init('webgpu');
  if (!devices.includes('webgpu')) throw new Error('jax-js finds no WebGPU');
  defaultDevice('webgpu');
  return contender;
};
