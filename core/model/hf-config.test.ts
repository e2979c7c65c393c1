import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHfConfig, HfConfigError, toHfConfig } from './hf-config.ts';
import { PRESET_NAMES, PRESETS } from './presets.ts';

const nano = PRESETS.nano.model;
const special = { begin: 0, end: 0 };

describe('config.json', () => {
  it.each(PRESET_NAMES)('of preset %s reads back as it was', (name) => {
    const { model } = PRESETS[name];
    expect(fromHfConfig(JSON.parse(JSON.stringify(toHfConfig(model, special))))).toEqual(model);
  });

  it('has the members that transformers looks at', () => {
    expect(toHfConfig(nano, special)).toMatchObject({
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      hidden_act: 'silu',
      head_dim: 32,
      num_key_value_heads: 2,
      rope_theta: 10_000,
      tie_word_embeddings: true,
      torch_dtype: 'float32',
      eos_token_id: 0,
    });
  });

  it('fills in what LlamaConfig defaults to', () => {
    const minimal = {
      model_type: 'llama',
      vocab_size: 32_000,
      hidden_size: 2048,
      intermediate_size: 8192,
      num_hidden_layers: 16,
      num_attention_heads: 8,
    };
    expect(fromHfConfig(minimal)).toEqual(PRESETS['paper-1b'].model);
  });

  it('reads rope_parameters of transformers 5', () => {
    const rest = toHfConfig(nano, special);
    delete rest['rope_theta'];
    delete rest['rope_scaling'];
    const config = fromHfConfig({
      ...rest,
      rope_parameters: { rope_type: 'default', rope_theta: 5e5 },
      dtype: 'float32',
    });
    expect(config).toEqual({ ...nano, ropeTheta: 5e5 });
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['another family', { model_type: 'mistral' }, /model_type mistral is not supported/],
    ['another head', { architectures: ['LlamaForSequenceClassification'] }, /architecture LlamaForSequenceClass/],
    ['another activation', { hidden_act: 'gelu' }, /hidden_act gelu/],
    ['attention biases', { attention_bias: true }, /attention_bias/],
    ['MLP biases', { mlp_bias: true }, /mlp_bias/],
    ['partial rotation', { partial_rotary_factor: 0.5 }, /partial_rotary_factor/],
    ['quantised weights', { quantization_config: { bits: 4 } }, /quantization_config/],
    ['scaled rotation', { rope_scaling: { rope_type: 'llama3', factor: 8 } }, /type llama3/],
    ['scaled rotation, old form', { rope_scaling: { type: 'linear', factor: 2 } }, /type linear/],
    ['scaled rotation, new form', { rope_parameters: { rope_type: 'yarn', rope_theta: 1e4 } }, /type yarn/],
    ['a missing size', { vocab_size: undefined }, /vocab_size/],
    ['a size that is no number', { hidden_size: '64' }, /hidden_size/],
    ['heads that do not divide', { num_key_value_heads: 3 }, /numKvHeads/],
    ['a head size that is no whole number', { head_dim: null, hidden_size: 129 }, /headDim/],
  ])('refuses %s', (_, change, message) => {
    const json = { ...toHfConfig(nano, special), ...change };
    expect(() => fromHfConfig(json)).toThrow(HfConfigError);
    expect(() => fromHfConfig(json)).toThrow(message);
  });

  it('fails only with its own error on any JSON', () => {
    const base = toHfConfig(nano, special);
    const damaged = fc
      .tuple(fc.constantFrom(...Object.keys(base)), fc.jsonValue())
      .map(([key, value]) => ({ ...base, [key]: value }));
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), damaged), (json) => {
        try {
          fromHfConfig(json);
        } catch (error) {
          expect(error).toBeInstanceOf(HfConfigError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
