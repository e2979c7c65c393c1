import { describe, expect, test } from 'vitest';
import type { ModelConfig } from '../../core/model/config.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import { PRESET_NAMES, PRESETS } from '../../core/model/presets.ts';
import { tinyConfig } from '../testing/tiny-model.ts';
import { sizeOf } from './ir.ts';
import { parameterGroups } from './parameter-groups.ts';

const CONFIGS: [string, ModelConfig][] = [
  ...PRESET_NAMES.map((name): [string, ModelConfig] => [name, PRESETS[name].model]),
  ['grouped queries, tied', tinyConfig(true)],
  ['grouped queries, untied', tinyConfig(false)],
  ['one head for all keys and values', { ...tinyConfig(true), numKvHeads: 1 }],
  ['a head each for keys and values', { ...tinyConfig(true), numKvHeads: 4 }],
  ['heads narrower than the model', { ...tinyConfig(true), headDim: 2 }],
];

describe.each(CONFIGS)('the groups of %s', (_name, config) => {
  const groups = parameterGroups(config);
  const { parameters, total } = parameterLayout(config);

  test('are the flat vector: every parameter once, in order, without gaps', () => {
    expect(groups.flatMap(({ members }) => members)).toEqual(parameters);
    let end = 0;
    for (const { offset, size, shape, members } of groups) {
      expect(offset).toBe(end);
      expect(sizeOf(shape)).toBe(size);
      expect(members.map((member) => member.offset)).toEqual(
        members.map((_, i) => offset + members.slice(0, i).reduce((sum, member) => sum + member.size, 0)),
      );
      end += size;
    }
    expect(end).toBe(total);
  });

  test('have names of their own, and the shapes that the fused graph multiplies by', () => {
    const shapes = new Map(groups.map(({ name, shape }) => [name, shape]));
    expect(shapes.size).toBe(groups.length);
    const { numLayers, numHeads, numKvHeads, headDim, hiddenSize, intermediateSize, vocabSize } = config;
    for (let layer = 0; layer < numLayers; layer++) {
      const of = (name: string) => shapes.get(`model.layers.${layer}.${name}.weight`);
      expect(of('self_attn.qkv_proj')).toEqual([(numHeads + 2 * numKvHeads) * headDim, hiddenSize]);
      expect(of('mlp.gate_up_proj')).toEqual([2 * intermediateSize, hiddenSize]);
      expect(of('self_attn.o_proj')).toEqual([hiddenSize, numHeads * headDim]);
      expect(of('mlp.down_proj')).toEqual([hiddenSize, intermediateSize]);
      expect(of('input_layernorm')).toEqual([hiddenSize]);
      expect(of('post_attention_layernorm')).toEqual([hiddenSize]);
    }
    expect(shapes.get('model.embed_tokens.weight')).toEqual([vocabSize, hiddenSize]);
    expect(shapes.get('lm_head.weight')).toEqual(config.tieWordEmbeddings ? undefined : [vocabSize, hiddenSize]);
    expect(shapes.get('model.norm.weight')).toEqual([hiddenSize]);
    expect(groups).toHaveLength(6 * numLayers + (config.tieWordEmbeddings ? 2 : 3));
  });

  test('queries stand above keys above values, gates above ups, with the same columns', () => {
    for (const { members, shape } of groups) {
      for (const member of members) expect(member.shape.slice(1)).toEqual(shape.slice(1));
      if (members.length === 1) continue;
      const kinds = members.map(({ name }) => /\.(\w+)_proj\.weight$/.exec(name)![1]);
      expect(kinds.join()).toBe(members.length === 3 ? 'q,k,v' : 'gate,up');
    }
  });
});
