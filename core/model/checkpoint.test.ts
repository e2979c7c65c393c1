import { describe, expect, it } from 'vitest';
import { CheckpointError, parametersFromStateDict, stateDictOf } from './checkpoint.ts';
import { parameterLayout } from './layout.ts';
import { PRESETS } from './presets.ts';
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from './safetensors.ts';

const config = PRESETS.micro.model;
const layout = parameterLayout(config);
const flat = Float32Array.from({ length: layout.total }, (_, i) => Math.sin(i));
const stateDict = (): Map<string, NamedTensor> =>
  new Map(stateDictOf(layout, flat).map((tensor) => [tensor.name, tensor]));

describe('state dict', () => {
  it('goes through a file and back', () => {
    const { tensors } = decodeSafetensors(encodeSafetensors(stateDictOf(layout, flat)));
    expect(parametersFromStateDict(config, tensors)).toEqual(flat);
  });

  it('of a tied model has no head of its own, of an untied one it has', () => {
    expect(stateDict().has('lm_head.weight')).toBe(false);
    const untied = parameterLayout({ ...config, tieWordEmbeddings: false });
    expect(stateDictOf(untied, new Float32Array(untied.total)).at(-1)!.name).toBe('lm_head.weight');
  });

  it('may have a copy of the tied embedding and old rotary buffers', () => {
    const tensors = stateDict();
    tensors.set('lm_head.weight', { ...tensors.get('model.embed_tokens.weight')!, name: 'lm_head.weight' });
    const inverse = 'model.layers.0.self_attn.rotary_emb.inv_freq';
    tensors.set(inverse, { name: inverse, shape: [8], values: new Float32Array(8) });
    expect(parametersFromStateDict(config, tensors)).toEqual(flat);
  });

  const change = (name: string, tensor: Partial<NamedTensor> | null) => (tensors: Map<string, NamedTensor>) => {
    if (tensor === null) tensors.delete(name);
    else tensors.set(name, { name, shape: [1], values: new Float32Array(1), ...tensors.get(name), ...tensor });
  };

  it.each<[string, (tensors: Map<string, NamedTensor>) => void, RegExp]>([
    ['a missing tensor', change('model.norm.weight', null), /model\.norm\.weight is missing/],
    ['an unknown tensor', change('model.layers.2.mlp.up_proj.weight', {}), /layers\.2.* is not one of the model's/],
    ['a bias', change('model.layers.0.self_attn.q_proj.bias', {}), /q_proj\.bias is not one/],
    [
      'a transposed tensor',
      change('model.layers.0.mlp.up_proj.weight', { shape: [64, 128] }),
      /is \[64, 128\], the model/,
    ],
    [
      'a value that is not finite',
      change('model.norm.weight', { values: new Float32Array(64).fill(NaN) }),
      /has NaN at/,
    ],
    [
      'a head that is not the tied embedding',
      change('lm_head.weight', { shape: [512, 64], values: new Float32Array(512 * 64) }),
      /differs from model\.embed_tokens\.weight/,
    ],
  ])('refuses %s', (_, damage, message) => {
    const tensors = stateDict();
    damage(tensors);
    expect(() => parametersFromStateDict(config, tensors)).toThrow(CheckpointError);
    expect(() => parametersFromStateDict(config, tensors)).toThrow(message);
  });

  it('refuses a vector of another length', () => {
    expect(() => stateDictOf(layout, new Float32Array(3))).toThrow(RangeError);
  });
});
