/**
 * The Llama family as a graph: RMSNorm, rotary embeddings in the convention of `transformers` (rotate_half), causal
 * attention with grouped queries, SwiGLU, tied or untied output, and the sum of next-token cross-entropies. How the parts
 * fit together stands here, once; what they are made of differs by who runs them.
 */
import type { ModelConfig } from '../../core/model/config.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import { accumulateGradients, type Accumulated } from './autodiff.ts';
import { fusedParts } from './fused-llama.ts';
import { GraphBuilder, type Value } from './ir.ts';
import { parameterGroups } from './parameter-groups.ts';
import { primitiveParts } from './primitive-llama.ts';

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

/** What the parts of a model are made from. */
export interface LlamaInputs {
  readonly g: GraphBuilder;
  readonly shape: LlamaShape;
  readonly weight: (name: string) => Value;
  readonly tokens: Value;
  readonly targets: Value;
  readonly counts: Value;
}

/** The model's parts; x is the residual stream, [B·T, hidden]. */
export interface LlamaParts {
  readonly embed: () => Value;
  /** @param prefix of the layer's parameters @returns x with the attention of its norm added */
  readonly attention: (x: Value, prefix: string) => Value;
  /** @returns x with the SwiGLU of its norm added */
  readonly feedForward: (x: Value, prefix: string) => Value;
  /** @param head name of the output matrix @returns each row's loss, [B·T, 1] */
  readonly losses: (x: Value, head: string) => Value;
}

/** Parameters that the graph takes as one input each. */
type WeightInput = Pick<Value, 'shape'> & { readonly name: string };

interface Model extends LlamaParts {
  readonly g: GraphBuilder;
  readonly weights: ReadonlyMap<string, Value>;
  readonly block: (x: Value, layer: number) => Value;
  readonly loss: (x: Value) => Value;
}

function model(shape: LlamaShape, inputs: readonly WeightInput[], partsOf: (inputs: LlamaInputs) => LlamaParts): Model {
  const rows = shape.sequences * shape.length;
  const g = new GraphBuilder();
  const weights = new Map(inputs.map(({ name, shape }) => [name, g.input(name, shape)] as const));
  const parts = partsOf({
    g,
    shape,
    weight(name) {
      const value = weights.get(name);
      if (!value) throw new RangeError(`the model has no parameter ${name}`);
      return value;
    },
    tokens: g.input(INPUT.tokens, [rows, 1], 'int64'),
    targets: g.input(INPUT.targets, [rows, 1], 'int32'),
    counts: g.input(INPUT.counts, [rows, 1]),
  });
  const head = shape.config.tieWordEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight';
  return {
    ...parts,
    g,
    weights,
    block: (x, layer) => parts.feedForward(parts.attention(x, `model.layers.${layer}`), `model.layers.${layer}`),
    loss: (x) => g.reshape(g.reduce('ReduceSum', parts.losses(x, head), [0, 1]), [1]),
  };
}

function lossOf({ embed, block, loss }: Model, { config }: LlamaShape): Value {
  let x = embed();
  for (let layer = 0; layer < config.numLayers; layer++) x = block(x, layer);
  return loss(x);
}

/** Each weight with the accumulator of its gradient. */
function accumulatorsOf({ g, weights }: Model): (Accumulated & { readonly name: string })[] {
  return [...weights].map(([name, parameter]) => ({
    name,
    parameter,
    accumulator: g.input(gradientInput(name), parameter.shape),
  }));
}

/** Outputs of the forward graph in ONNX's operators: the loss. */
export function forwardGraph(shape: LlamaShape): Record<string, Value> {
  return { [LOSS]: lossOf(model(shape, parameterLayout(shape.config).parameters, primitiveParts), shape) };
}

/** Outputs of the training graph: the loss, and for each parameter the accumulator with its gradient added. */
export function trainingGraph(shape: LlamaShape): Record<string, Value> {
  const built = model(shape, parameterLayout(shape.config).parameters, primitiveParts);
  const loss = lossOf(built, shape);
  const wanted = accumulatorsOf(built);
  const gradients = accumulateGradients(built.g, loss, wanted);
  return { [LOSS]: loss, ...Object.fromEntries(wanted.map(({ name }, i) => [gradientOutput(name), gradients[i]!])) };
}

/** As `forwardGraph`, in fused operators on parameter groups. */
export function fusedForwardGraph(shape: LlamaShape): Record<string, Value> {
  return { [LOSS]: lossOf(model(shape, parameterGroups(shape.config), fusedParts(1)), shape) };
}

export interface FusedTraining {
  /** What gradients are multiplied by on their way to the accumulators: small ones vanish in half precision. */
  readonly lossScale?: number;
  /** Keeps only what enters each block and computes the inside again on the way back: less memory, a third more work. */
  readonly recompute?: boolean;
}

/** As `trainingGraph`, in fused operators on parameter groups. */
export function fusedTrainingGraph(
  shape: LlamaShape,
  { lossScale = 1, recompute = false }: FusedTraining = {},
): Record<string, Value> {
  const built = model(shape, parameterGroups(shape.config), fusedParts(lossScale));
  const { g } = built;
  const wanted = accumulatorsOf(built);
  const options = { scale: lossScale };
  const results = (loss: Value, gradients: readonly Value[]): Record<string, Value> => ({
    [LOSS]: loss,
    ...Object.fromEntries(wanted.map(({ name }, i) => [gradientOutput(name), gradients[i]!])),
  });
  if (!recompute) {
    const loss = lossOf(built, shape);
    return results(loss, accumulateGradients(g, loss, wanted, options));
  }

  const entering = [built.embed()];
  for (let layer = 0; layer < shape.config.numLayers; layer++) entering.push(built.block(entering[layer]!, layer));
  const loss = built.loss(entering.at(-1)!);
  let sums = wanted.map(({ accumulator }) => accumulator!);
  /** Takes the gradient of one part of the model: adds to the sums, and gives the gradient of what entered it. */
  const through = (output: Value, entered: Value | undefined, gradient?: Value): Value | undefined => {
    const own = wanted.map(({ parameter }, i) => ({ parameter, accumulator: sums[i]! }));
    const both = entered ? [...own, { parameter: entered }] : own;
    const gradients = accumulateGradients(g, output, both, { ...options, ...(gradient ? { gradient } : {}) });
    sums = gradients.slice(0, wanted.length);
    return gradients[wanted.length];
  };
  let gradient = through(loss, entering.at(-1));
  for (let layer = shape.config.numLayers - 1; layer >= 0; layer--) {
    const entered = entering[layer]!;
    gradient = through(built.block(entered, layer), entered, gradient);
  }
  through(entering[0]!, undefined, gradient);
  return results(loss, sums);
}
