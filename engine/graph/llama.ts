/**
 * The Llama family as a graph: RMSNorm, rotary embeddings in the convention of `transformers` (rotate_half), causal
 * attention with grouped queries, SwiGLU, tied or untied output, and the sum of next-token cross-entropies.
 */
import type { ModelConfig } from '../../core/model/config.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import { accumulateGradients } from './autodiff.ts';
import { GraphBuilder, type Value } from './ir.ts';

/** Added to the score of a position that must not be seen; e^(this) is 0 in fp32. */
const MASKED = -1e9;

export interface LlamaShape {
  readonly config: ModelConfig;
  /** Sequences B. */
  readonly sequences: number;
  /** Tokens T of each. */
  readonly length: number;
}

/** Names of the inputs that are not parameters. */
export const INPUT = {
  /** int64 [B·T, 1] */
  tokens: 'tokens',
  /** int32 [B·T, 1]: the next token, any id where it does not count. */
  targets: 'targets',
  /** float32 [B·T, 1]: 1 where a target counts, else 0. */
  counts: 'counts',
} as const;

/** Name of the scalar output: the sum of the losses. */
export const LOSS = 'loss';

export const gradientInput = (parameter: string): string => `grad_in.${parameter}`;
export const gradientOutput = (parameter: string): string => `grad_out.${parameter}`;

interface Model {
  readonly g: GraphBuilder;
  readonly parameters: ReadonlyMap<string, Value>;
  readonly loss: Value;
}

/** cos and sin of the rotary angles, [T, 1, headDim], times `scale`. */
function rotaryTables(config: ModelConfig, length: number, scale: number): { cos: Float32Array; sin: Float32Array } {
  const { headDim, ropeTheta } = config;
  const cos = new Float32Array(length * headDim);
  const sin = new Float32Array(length * headDim);
  for (let t = 0; t < length; t++) {
    for (let i = 0; i < headDim; i++) {
      const pair = i % (headDim / 2);
      const angle = t * ropeTheta ** ((-2 * pair) / headDim);
      cos[t * headDim + i] = scale * Math.cos(angle);
      sin[t * headDim + i] = scale * Math.sin(angle);
    }
  }
  return { cos, sin };
}

/** The matrix R with x · R = rotate_half(x): the second half negated, then the first. One product instead of four nodes. */
function rotateHalf(headDim: number): Float32Array {
  const half = headDim / 2;
  const matrix = new Float32Array(headDim * headDim);
  for (let i = 0; i < half; i++) {
    matrix[(i + half) * headDim + i] = -1;
    matrix[i * headDim + i + half] = 1;
  }
  return matrix;
}

function causalMask(length: number): Float32Array {
  return Float32Array.from({ length: length * length }, (_, i) => (i % length > Math.floor(i / length) ? MASKED : 0));
}

function buildLoss({ config, sequences, length }: LlamaShape): Model {
  const { hiddenSize, vocabSize, numHeads, numKvHeads, headDim, rmsNormEps } = config;
  const group = numHeads / numKvHeads;
  const rows = sequences * length;
  const g = new GraphBuilder();
  const parameters = new Map(
    parameterLayout(config).parameters.map(({ name, shape }) => [name, g.input(name, shape)] as const),
  );
  const weight = (name: string): Value => parameters.get(name)!;

  const tokens = g.input(INPUT.tokens, [rows, 1], 'int64');
  const targets = g.input(INPUT.targets, [rows, 1], 'int32');
  const counts = g.input(INPUT.counts, [rows, 1]);

  const inverseHidden = g.scalar(1 / hiddenSize);
  const epsilon = g.scalar(rmsNormEps);
  const rotation = g.constant(rotateHalf(headDim), [headDim, headDim]);
  const mask = g.constant(causalMask(length), [length, length]);
  const table = (scale: number): { cos: Value; sin: Value } => {
    const { cos, sin } = rotaryTables(config, length, scale);
    return { cos: g.constant(cos, [length, 1, headDim]), sin: g.constant(sin, [length, 1, headDim]) };
  };
  // The scores' 1/√d is in the queries' tables.
  const queryTable = table(headDim ** -0.5);
  const keyTable = table(1);

  const linear = (x: Value, name: string): Value => g.gemm(x, weight(name), { transB: true });

  const norm = (x: Value, name: string): Value => {
    const meanSquare = g.mul(g.reduce('ReduceSum', g.mul(x, x), [1]), inverseHidden);
    return g.mul(g.div(x, g.unary('Sqrt', g.add(meanSquare, epsilon))), weight(name));
  };

  /** [B·T, heads·d] → [B, T, heads, d], rotated. */
  const rotate = (x: Value, heads: number, { cos, sin }: { cos: Value; sin: Value }): Value => {
    const shape = [sequences, length, heads, headDim];
    const turned = g.reshape(g.gemm(g.reshape(x, [rows * heads, headDim]), rotation), shape);
    return g.add(g.mul(g.reshape(x, shape), cos), g.mul(turned, sin));
  };

  const attention = (x: Value, prefix: string): Value => {
    const q = rotate(linear(x, `${prefix}.q_proj.weight`), numHeads, queryTable);
    const k = rotate(linear(x, `${prefix}.k_proj.weight`), numKvHeads, keyTable);
    const v = g.reshape(linear(x, `${prefix}.v_proj.weight`), [sequences, length, numKvHeads, headDim]);
    // The queries of a group stand under one another, so that each key-value head is one product and nothing is copied.
    const batch = sequences * numKvHeads;
    const queries = g.reshape(
      g.transpose(g.reshape(q, [sequences, length, numKvHeads, group, headDim]), [0, 2, 3, 1, 4]),
      [batch, group * length, headDim],
    );
    const keys = g.reshape(g.transpose(k, [0, 2, 3, 1]), [batch, headDim, length]);
    const values = g.reshape(g.transpose(v, [0, 2, 1, 3]), [batch, length, headDim]);
    const scores = g.reshape(g.matmul(queries, keys), [batch * group, length, length]);
    const weights = g.reshape(g.softmax(g.add(scores, mask)), [batch, group * length, length]);
    const mixed = g.reshape(g.matmul(weights, values), [sequences, numKvHeads, group, length, headDim]);
    const joined = g.reshape(g.transpose(mixed, [0, 3, 1, 2, 4]), [rows, numHeads * headDim]);
    return linear(joined, `${prefix}.o_proj.weight`);
  };

  const feedForward = (x: Value, prefix: string): Value => {
    const gate = linear(x, `${prefix}.gate_proj.weight`);
    const activated = g.mul(g.mul(gate, g.unary('Sigmoid', gate)), linear(x, `${prefix}.up_proj.weight`));
    return linear(activated, `${prefix}.down_proj.weight`);
  };

  let x = g.gather(weight('model.embed_tokens.weight'), tokens);
  for (let layer = 0; layer < config.numLayers; layer++) {
    const prefix = `model.layers.${layer}`;
    x = g.add(x, attention(norm(x, `${prefix}.input_layernorm.weight`), `${prefix}.self_attn`));
    x = g.add(x, feedForward(norm(x, `${prefix}.post_attention_layernorm.weight`), `${prefix}.mlp`));
  }
  const head = config.tieWordEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight';
  const logits = linear(norm(x, 'model.norm.weight'), head);

  const shifted = g.sub(logits, g.reduce('ReduceMax', logits, [1]));
  const logSum = g.unary('Log', g.reduce('ReduceSum', g.unary('Exp', shifted), [1]));
  const vocabulary = g.constant(
    Int32Array.from({ length: vocabSize }, (_, id) => id),
    [1, vocabSize],
  );
  const picked = g.reduce('ReduceSum', g.mul(shifted, g.equals(targets, vocabulary)), [1]);
  const losses = g.mul(g.sub(logSum, picked), counts);
  return { g, parameters, loss: g.reshape(g.reduce('ReduceSum', losses, [0, 1]), [1]) };
}

/** Outputs of the forward graph: the loss. */
export function forwardGraph(shape: LlamaShape): Record<string, Value> {
  return { [LOSS]: buildLoss(shape).loss };
}

/** Outputs of the training graph: the loss, and for each parameter the accumulator with its gradient added. */
export function trainingGraph(shape: LlamaShape): Record<string, Value> {
  const { g, parameters, loss } = buildLoss(shape);
  const wanted = [...parameters].map(([name, parameter]) => ({
    name,
    parameter,
    accumulator: g.input(gradientInput(name), parameter.shape),
  }));
  const gradients = accumulateGradients(g, loss, wanted);
  return { [LOSS]: loss, ...Object.fromEntries(wanted.map(({ name }, i) => [gradientOutput(name), gradients[i]!])) };
}
