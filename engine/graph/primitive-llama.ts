/** The parts of the model in operators that ONNX has, for onnxruntime. */
import type { Value } from './ir.ts';
import type { LlamaInputs, LlamaParts } from './llama.ts';
import { rotaryTables } from './rotary.ts';

/** Added to the score of a position that must not be seen; e^(this) is 0 in fp32. */
const MASKED = -1e9;

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

export function primitiveParts({ g, shape, weight, tokens, targets, counts }: LlamaInputs): LlamaParts {
  const { config, sequences, length } = shape;
  const { hiddenSize, vocabSize, numHeads, numKvHeads, headDim, rmsNormEps } = config;
  const group = numHeads / numKvHeads;
  const rows = sequences * length;
  const inverseHidden = g.scalar(1 / hiddenSize);
  const epsilon = g.scalar(rmsNormEps);
  const rotation = g.constant(rotateHalf(headDim), [headDim, headDim]);
  const mask = g.constant(causalMask(length), [length, length]);
  const rotary = rotaryTables(config, length);
  const table = (scale: number): { cos: Value; sin: Value } => {
    const both = (half: Float32Array): Value =>
      // Both halves of a head turn by the same angles.
      g.constant(
        Float32Array.from({ length: length * headDim }, (_, i) => {
          const pair = (i % headDim) % (headDim / 2);
          return scale * half[Math.floor(i / headDim) * (headDim / 2) + pair]!;
        }),
        [length, 1, headDim],
      );
    return { cos: both(rotary.cos), sin: both(rotary.sin) };
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

  return {
    embed: () => g.gather(weight('model.embed_tokens.weight'), tokens),
    attention: (x, prefix) => g.add(x, attention(norm(x, `${prefix}.input_layernorm.weight`), `${prefix}.self_attn`)),
    feedForward: (x, prefix) =>
      g.add(x, feedForward(norm(x, `${prefix}.post_attention_layernorm.weight`), `${prefix}.mlp`)),
    losses(x, head) {
      const logits = linear(norm(x, 'model.norm.weight'), head);
      const shifted = g.sub(logits, g.reduce('ReduceMax', logits, [1]));
      const logSum = g.unary('Log', g.reduce('ReduceSum', g.unary('Exp', shifted), [1]));
      const vocabulary = g.constant(
        Int32Array.from({ length: vocabSize }, (_, id) => id),
        [1, vocabSize],
      );
      const picked = g.reduce('ReduceSum', g.mul(shifted, g.equals(targets, vocabulary)), [1]);
      return g.mul(g.sub(logSum, picked), counts);
    },
  };
}
