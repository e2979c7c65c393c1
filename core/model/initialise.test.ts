import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { describe, expect, it } from 'vitest';
import { flushSubnormals, initialParameters } from './initialise.ts';
import { parameterLayout } from './layout.ts';
import { PRESETS } from './presets.ts';

const config = PRESETS.nano.model;
const layout = parameterLayout(config);
const parameters = initialParameters(config, new Uint8Array(32));

function tensor(name: string): Float32Array {
  const { offset, size } = layout.parameters.find((spec) => spec.name === name)!;
  return parameters.subarray(offset, offset + size);
}

function moments(values: Float32Array): { mean: number; deviation: number; kurtosis: number } {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const central = (power: number): number => values.reduce((sum, v) => sum + (v - mean) ** power, 0) / values.length;
  return { mean, deviation: Math.sqrt(central(2)), kurtosis: central(4) / central(2) ** 2 };
}

describe('initial parameters', () => {
  it('are frozen for a seed', () => {
    expect(bytesToHex(sha256(new Uint8Array(parameters.buffer)))).toBe(
      'ddf59eb9a12323d862d3c11e0db07d0f0e0f033046b96daa163a9e5f5b76076f',
    );
  });

  it('differ by seed and by tensor', () => {
    expect(initialParameters(config, Uint8Array.of(1))).not.toEqual(parameters);
    const [a, b] = [0, 1].map((layer) => tensor(`model.layers.${layer}.self_attn.q_proj.weight`));
    expect(a).not.toEqual(b);
  });

  it('are 1 in norms', () => {
    for (const name of ['model.norm.weight', 'model.layers.0.input_layernorm.weight']) {
      expect(tensor(name).every((value) => value === 1)).toBe(true);
    }
  });

  it.each([
    ['model.embed_tokens.weight', 0.02],
    ['model.layers.3.mlp.gate_proj.weight', 0.02],
    ['model.layers.0.self_attn.o_proj.weight', 0.02 / Math.sqrt(8)],
    ['model.layers.0.mlp.down_proj.weight', 0.02 / Math.sqrt(8)],
  ])('are near normal in %s', (name, expected) => {
    const { mean, deviation, kurtosis } = moments(tensor(name));
    expect(Math.abs(mean)).toBeLessThan(expected * 0.03);
    expect(deviation / expected).toBeCloseTo(1, 1);
    // Irwin-Hall of 12 has 2.9, the normal 3, the uniform 1.8.
    expect(kurtosis).toBeCloseTo(2.9, 0);
  });

  it('have no subnormal and nothing that is not finite', () => {
    expect(parameters.every((v) => v === 0 || (Math.abs(v) >= 2 ** -126 && Number.isFinite(v)))).toBe(true);
  });
});

describe('flushSubnormals', () => {
  it('makes +0 of subnormals and of -0, and leaves the rest', () => {
    const values = Float32Array.of(1e-40, -1e-40, -0, 2 ** -126, -1);
    flushSubnormals(values);
    expect([...values]).toEqual([0, 0, 0, 2 ** -126, -1]);
  });
});
