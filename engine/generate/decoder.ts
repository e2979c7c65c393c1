/**
 * The Llama model one token at a time on the processor, keys and values of earlier tokens kept: what talking to a model
 * needs and training does not. Plain loops over the parameters where they lie: no graph, no second copy of the model.
 */
import type { ModelConfig } from '../../core/model/config.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import { rotaryTables } from '../graph/rotary.ts';

type Vector = Float32Array<ArrayBuffer>;

export interface Decoder {
  /** Tokens taken so far, at most `contextLength`. */
  readonly length: number;
  /**
   * Takes the next token.
   *
   * @returns logits [vocabSize] of what follows it; overwritten by the next call
   * @throws RangeError for a token outside the vocabulary, or when the context is full
   */
  take(token: number): Vector;
  /** Forgets all tokens. */
  reset(): void;
}

interface Layer {
  readonly attentionNorm: Vector;
  readonly query: Vector;
  readonly key: Vector;
  readonly value: Vector;
  readonly output: Vector;
  readonly feedForwardNorm: Vector;
  readonly gate: Vector;
  readonly up: Vector;
  readonly down: Vector;
  /** [contextLength, numKvHeads * headDim] */
  readonly keys: Vector;
  readonly values: Vector;
}

/** y = W · x of a row-major [y.length, x.length] matrix. Four sums, since one would wait for each addition. */
function multiply(y: Vector, matrix: Vector, x: Vector): void {
  const columns = x.length;
  const whole = columns - (columns % 4);
  for (let row = 0, at = 0; row < y.length; row++) {
    let [a, b, c, d] = [0, 0, 0, 0];
    let column = 0;
    for (; column < whole; column += 4, at += 4) {
      a += matrix[at]! * x[column]!;
      b += matrix[at + 1]! * x[column + 1]!;
      c += matrix[at + 2]! * x[column + 2]!;
      d += matrix[at + 3]! * x[column + 3]!;
    }
    for (; column < columns; column++, at++) a += matrix[at]! * x[column]!;
    y[row] = a + b + (c + d);
  }
}

function normalise(y: Vector, x: Vector, weight: Vector, epsilon: number): void {
  let squares = 0;
  for (const value of x) squares += value * value;
  const scale = 1 / Math.sqrt(squares / x.length + epsilon);
  for (let i = 0; i < x.length; i++) y[i] = x[i]! * scale * weight[i]!;
}

function add(x: Vector, change: Vector): void {
  for (let i = 0; i < x.length; i++) x[i]! += change[i]!;
}

/** Turns each head of x by its position; pairs are (i, i + headDim / 2), as `transformers` has it. */
function rotate(x: Vector, headDim: number, cos: Vector, sin: Vector): void {
  const half = headDim / 2;
  for (let head = 0; head < x.length; head += headDim) {
    for (let i = 0; i < half; i++) {
      const [low, high] = [x[head + i]!, x[head + half + i]!];
      x[head + i] = low * cos[i]! - high * sin[i]!;
      x[head + half + i] = high * cos[i]! + low * sin[i]!;
    }
  }
}

/** @param parameters flat fp32 vector [layout.total] in layout order; read, not copied */
export function createDecoder(config: ModelConfig, parameters: Vector): Decoder {
  const { hiddenSize, intermediateSize, numHeads, numKvHeads, headDim, contextLength, vocabSize, rmsNormEps } = config;
  const layout = parameterLayout(config);
  if (parameters.length !== layout.total) {
    throw new RangeError(`the model has ${layout.total} parameters, not ${parameters.length}`);
  }
  const specs = new Map(layout.parameters.map((spec) => [spec.name, spec]));
  const weight = (name: string): Vector => {
    const { offset, size } = specs.get(`${name}.weight`)!;
    return parameters.subarray(offset, offset + size);
  };
  const kvSize = numKvHeads * headDim;
  const layers = Array.from({ length: config.numLayers }, (_, i): Layer => {
    const part = (name: string): Vector => weight(`model.layers.${i}.${name}`);
    return {
      attentionNorm: part('input_layernorm'),
      query: part('self_attn.q_proj'),
      key: part('self_attn.k_proj'),
      value: part('self_attn.v_proj'),
      output: part('self_attn.o_proj'),
      feedForwardNorm: part('post_attention_layernorm'),
      gate: part('mlp.gate_proj'),
      up: part('mlp.up_proj'),
      down: part('mlp.down_proj'),
      keys: new Float32Array(contextLength * kvSize),
      values: new Float32Array(contextLength * kvSize),
    };
  });
  const embeddings = weight('model.embed_tokens');
  const finalNorm = weight('model.norm');
  const head = config.tieWordEmbeddings ? embeddings : weight('lm_head');
  const { cos, sin } = rotaryTables(config, contextLength);

  const x = new Float32Array(hiddenSize);
  const normed = new Float32Array(hiddenSize);
  const change = new Float32Array(hiddenSize);
  const query = new Float32Array(numHeads * headDim);
  const attended = new Float32Array(numHeads * headDim);
  const scores = new Float32Array(contextLength);
  const gate = new Float32Array(intermediateSize);
  const up = new Float32Array(intermediateSize);
  const logits = new Float32Array(vocabSize);
  let length = 0;

  /** Causal attention of the newest token to all there are. */
  function attend({ keys, values }: Layer): void {
    attended.fill(0);
    const scale = 1 / Math.sqrt(headDim);
    for (let h = 0; h < numHeads; h++) {
      const own = h * headDim;
      const shared = Math.floor(h / (numHeads / numKvHeads)) * headDim;
      let largest = -Infinity;
      for (let t = 0; t <= length; t++) {
        let dot = 0;
        for (let i = 0; i < headDim; i++) dot += query[own + i]! * keys[t * kvSize + shared + i]!;
        scores[t] = dot * scale;
        largest = Math.max(largest, scores[t]!);
      }
      let total = 0;
      for (let t = 0; t <= length; t++) total += scores[t] = Math.exp(scores[t]! - largest);
      for (let t = 0; t <= length; t++) {
        const share = scores[t]! / total;
        for (let i = 0; i < headDim; i++) attended[own + i]! += share * values[t * kvSize + shared + i]!;
      }
    }
  }

  function attention(layer: Layer): void {
    const key = layer.keys.subarray(length * kvSize, (length + 1) * kvSize);
    const half = headDim / 2;
    const turn = [cos, sin].map((table) => table.subarray(length * half, (length + 1) * half)) as [Vector, Vector];
    normalise(normed, x, layer.attentionNorm, rmsNormEps);
    multiply(query, layer.query, normed);
    multiply(key, layer.key, normed);
    multiply(layer.values.subarray(length * kvSize, (length + 1) * kvSize), layer.value, normed);
    rotate(query, headDim, ...turn);
    rotate(key, headDim, ...turn);
    attend(layer);
    multiply(change, layer.output, attended);
    add(x, change);
  }

  function feedForward(layer: Layer): void {
    normalise(normed, x, layer.feedForwardNorm, rmsNormEps);
    multiply(gate, layer.gate, normed);
    multiply(up, layer.up, normed);
    for (let i = 0; i < intermediateSize; i++) gate[i] = (gate[i]! / (1 + Math.exp(-gate[i]!))) * up[i]!;
    multiply(change, layer.down, gate);
    add(x, change);
  }

  return {
    get length() {
      return length;
    },
    take(token) {
      if (!Number.isInteger(token) || token < 0 || token >= vocabSize) {
        throw new RangeError(`token ${token} is not in a vocabulary of ${vocabSize}`);
      }
      if (length === contextLength) throw new RangeError(`the context of ${contextLength} tokens is full`);
      x.set(embeddings.subarray(token * hiddenSize, (token + 1) * hiddenSize));
      for (const layer of layers) {
        attention(layer);
        feedForward(layer);
      }
      normalise(normed, x, finalNorm, rmsNormEps);
      multiply(logits, head, normed);
      length++;
      return logits;
    },
    reset() {
      length = 0;
    },
  };
}
