/**
 * The Llama model in plain loops and double precision: slow, obvious, and the oracle that graphs, kernels and devices
 * are tested against. Nothing but tests imports it.
 */
import { IGNORED_TARGET, type Batch } from '../../core/data/batch.ts';
import type { ModelConfig } from '../../core/model/config.ts';
import { parameterLayout } from '../../core/model/layout.ts';

type Vector = Float64Array<ArrayBuffer>;

/** y = W · x of a row-major [rows, columns] matrix. */
function times(matrix: Vector, x: Vector): Vector {
  const rows = matrix.length / x.length;
  const y = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < x.length; column++) y[row]! += matrix[row * x.length + column]! * x[column]!;
  }
  return y;
}

function plus(a: Vector, b: Vector): Vector {
  return a.map((value, i) => value + b[i]!);
}

function rmsNorm(x: Vector, weight: Vector, epsilon: number): Vector {
  const meanSquare = x.reduce((sum, value) => sum + value * value, 0) / x.length;
  return x.map((value, i) => (value / Math.sqrt(meanSquare + epsilon)) * weight[i]!);
}

/** Rotates one head's vector for position t: pairs are (i, i + d/2), as `transformers` has it. */
function rotate(head: Vector, t: number, theta: number): Vector {
  const half = head.length / 2;
  return head.map((value, i) => {
    const angle = t * theta ** ((-2 * (i % half)) / head.length);
    const partner = i < half ? -head[i + half]! : head[i - half]!;
    return value * Math.cos(angle) + partner * Math.sin(angle);
  });
}

function softmax(scores: readonly number[]): number[] {
  const max = Math.max(...scores);
  const exps = scores.map((score) => Math.exp(score - max));
  const total = exps.reduce((a, b) => a + b, 0);
  return exps.map((value) => value / total);
}

function silu(x: number): number {
  return x / (1 + Math.exp(-x));
}

/** Logits [T, vocab] of one sequence. */
function forward(config: ModelConfig, weight: (name: string) => Vector, tokens: readonly number[]): Vector[] {
  const { hiddenSize, numHeads, numKvHeads, headDim, rmsNormEps, ropeTheta } = config;
  const embeddings = weight('model.embed_tokens.weight');
  let xs = tokens.map((token) => embeddings.slice(token * hiddenSize, (token + 1) * hiddenSize));
  for (let layer = 0; layer < config.numLayers; layer++) {
    const prefix = `model.layers.${layer}`;
    const part = (name: string): Vector => weight(`${prefix}.${name}.weight`);
    const normed = xs.map((x) => rmsNorm(x, part('input_layernorm'), rmsNormEps));
    const heads = (name: string, count: number, turn: boolean): Vector[][] =>
      normed.map((x, t) => {
        const all = times(part(`self_attn.${name}`), x);
        return Array.from({ length: count }, (_, h) => {
          const head = all.slice(h * headDim, (h + 1) * headDim);
          return turn ? rotate(head, t, ropeTheta) : head;
        });
      });
    const q = heads('q_proj', numHeads, true);
    const k = heads('k_proj', numKvHeads, true);
    const v = heads('v_proj', numKvHeads, false);
    const attended = tokens.map((_, t) => {
      const joined = new Float64Array(numHeads * headDim);
      for (let h = 0; h < numHeads; h++) {
        const group = Math.floor(h / (numHeads / numKvHeads));
        const scores = Array.from({ length: t + 1 }, (_unused, s) =>
          q[t]![h]!.reduce((sum, value, i) => sum + (value * k[s]![group]![i]!) / Math.sqrt(headDim), 0),
        );
        for (const [s, share] of softmax(scores).entries()) {
          for (let i = 0; i < headDim; i++) joined[h * headDim + i]! += share * v[s]![group]![i]!;
        }
      }
      return times(part('self_attn.o_proj'), joined);
    });
    xs = xs.map((x, t) => plus(x, attended[t]!));
    xs = xs.map((x) => {
      const inner = rmsNorm(x, part('post_attention_layernorm'), rmsNormEps);
      const up = times(part('mlp.up_proj'), inner);
      const gated = times(part('mlp.gate_proj'), inner).map((value, i) => silu(value) * up[i]!);
      return plus(x, times(part('mlp.down_proj'), gated));
    });
  }
  const head = weight(config.tieWordEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight');
  return xs.map((x) => times(head, rmsNorm(x, weight('model.norm.weight'), rmsNormEps)));
}

function weightsOf(config: ModelConfig, parameters: Vector): (name: string) => Vector {
  const specs = new Map(parameterLayout(config).parameters.map((spec) => [spec.name, spec]));
  return (name) => {
    const { offset, size } = specs.get(name)!;
    return parameters.subarray(offset, offset + size);
  };
}

/** Logits [T][vocab] of what follows each token of a sequence. @param parameters flat, in layout order */
export function referenceLogits(config: ModelConfig, parameters: Vector, tokens: readonly number[]): Vector[] {
  return forward(config, weightsOf(config, parameters), tokens);
}

/** Sum of the batch's next-token cross-entropies, in nats. @param parameters flat, in layout order */
export function referenceLoss(config: ModelConfig, parameters: Vector, batch: Batch): number {
  const weight = weightsOf(config, parameters);
  let loss = 0;
  for (let sequence = 0; sequence < batch.sequences; sequence++) {
    const start = sequence * batch.length;
    const logits = forward(config, weight, [...batch.tokens.subarray(start, start + batch.length)]);
    for (const [t, row] of logits.entries()) {
      const target = batch.targets[start + t]!;
      if (target !== IGNORED_TARGET) loss -= Math.log(softmax([...row])[target]!);
    }
  }
  return loss;
}

/** Central differences of `referenceLoss` by every parameter: the gradient of the loss sum. */
export function referenceGradient(config: ModelConfig, parameters: Vector, batch: Batch): Vector {
  const step = 1e-5;
  const moved = parameters.slice();
  return parameters.map((value, i) => {
    moved[i] = value + step;
    const above = referenceLoss(config, moved, batch);
    moved[i] = value - step;
    const below = referenceLoss(config, moved, batch);
    moved[i] = value;
    return (above - below) / (2 * step);
  });
}
