/** A state dict, as `transformers` saves LlamaForCausalLM, to the flat parameter vector and back. */
import type { ModelConfig } from './config.ts';
import { parameterLayout, type ParameterLayout, type ParameterSpec } from './layout.ts';
import type { NamedTensor } from './safetensors.ts';

/** A state dict is not that of the model; the message says which tensor. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
}

export interface StateDictPlan {
  /** The tensors to copy, in layout order. */
  readonly load: readonly ParameterSpec[];
  /** A tied model's `lm_head.weight`, saved although it is the embedding: it must be the same values. */
  readonly duplicate: { readonly name: string; readonly of: ParameterSpec } | null;
  readonly total: number;
}

/** Buffers of older `transformers`, computed and not trained. */
const IGNORED = /(^|\.)rotary_emb\.inv_freq$/;

const dims = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/**
 * Compares a state dict's names and shapes with the model's, before any values are read.
 *
 * @throws CheckpointError for a missing, unknown or misshapen tensor
 */
export function planStateDict(config: ModelConfig, shapes: ReadonlyMap<string, readonly number[]>): StateDictPlan {
  const layout = parameterLayout(config);
  const known = new Map(layout.parameters.map((spec) => [spec.name, spec]));
  const embedding = layout.parameters[0]!;
  const tiedHead = config.tieWordEmbeddings && shapes.has('lm_head.weight');

  const check = (name: string, spec: ParameterSpec): void => {
    const shape = shapes.get(name);
    if (shape === undefined) throw new CheckpointError(`tensor ${name} is missing`);
    if (dims(shape) !== dims(spec.shape)) {
      throw new CheckpointError(`tensor ${name} is ${dims(shape)}, the model has ${dims(spec.shape)}`);
    }
  };
  for (const spec of layout.parameters) check(spec.name, spec);
  if (tiedHead) check('lm_head.weight', embedding);
  for (const name of shapes.keys()) {
    if (!known.has(name) && !IGNORED.test(name) && !(tiedHead && name === 'lm_head.weight')) {
      throw new CheckpointError(`tensor ${name} is not one of the model's`);
    }
  }
  return {
    load: layout.parameters,
    duplicate: tiedHead ? { name: 'lm_head.weight', of: embedding } : null,
    total: layout.total,
  };
}

/**
 * Copies one tensor to its place.
 *
 * @param flat [layout.total]
 * @throws CheckpointError for a value that is not finite
 */
export function placeTensor(flat: Float32Array, spec: ParameterSpec, values: Float32Array): void {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new CheckpointError(`tensor ${spec.name} has ${values[bad]!} at element ${bad}`);
  flat.set(values, spec.offset);
}

/** @throws CheckpointError when a tied model's second copy of the embedding is not a copy */
export function checkDuplicate(flat: Float32Array, plan: StateDictPlan, values: Float32Array): void {
  if (plan.duplicate === null) return;
  const { name, of } = plan.duplicate;
  const same = values.every((value, i) => value === flat[of.offset + i]);
  if (!same) throw new CheckpointError(`tensor ${name} differs from ${of.name}, but the model ties them`);
}

/**
 * The flat parameter vector of a state dict.
 *
 * @throws CheckpointError for a missing, unknown, misshapen or non-finite tensor
 */
export function parametersFromStateDict(
  config: ModelConfig,
  tensors: ReadonlyMap<string, NamedTensor>,
): Float32Array<ArrayBuffer> {
  const plan = planStateDict(config, new Map([...tensors].map(([name, { shape }]) => [name, shape])));
  const flat = new Float32Array(plan.total);
  for (const spec of plan.load) placeTensor(flat, spec, tensors.get(spec.name)!.values);
  if (plan.duplicate !== null) checkDuplicate(flat, plan, tensors.get(plan.duplicate.name)!.values);
  return flat;
}

/**
 * The state dict of a flat parameter vector, as views into it.
 *
 * @throws RangeError when the vector is not `layout.total` long
 */
export function stateDictOf(layout: ParameterLayout, flat: Float32Array): NamedTensor[] {
  if (flat.length !== layout.total) {
    throw new RangeError(`${flat.length} parameters for a model of ${layout.total}`);
  }
  return layout.parameters.map(({ name, shape, offset, size }) => ({
    name,
    shape,
    values: flat.subarray(offset, offset + size),
  }));
}
