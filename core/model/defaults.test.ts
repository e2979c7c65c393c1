import { describe, expect, it } from 'vitest';
import {
  DecoupledMomentumSchema,
  PaperGauntletSchema,
  RunManifestSchema,
  type PaperGauntlet,
} from '../protocol/manifest.ts';
import { ModelConfigSchema } from './config.ts';
import { parameterLayout } from './layout.ts';
import { isPresetName, pageTokens, PRESET_NAMES, PRESETS } from './presets.ts';

describe('presets', () => {
  it('of the paper counts exactly 1,204,881,408 parameters', () => {
    expect(parameterLayout(PRESETS['paper-1b'].model).total).toBe(1_204_881_408);
  });

  it('have the sizes they are named for', () => {
    const totals = PRESET_NAMES.map((name) => [name, parameterLayout(PRESETS[name].model).total]);
    expect(Object.fromEntries(totals)).toEqual({
      micro: 106_816,
      nano: 1_049_728,
      mini: 10_130_304,
      small: 24_912_384,
      base: 157_836_288,
      'paper-1b': 1_204_881_408,
    });
  });

  it('base has the blocks of the reference 150M.json, which untied at 32,000 tokens counts 214,983,680', () => {
    const model = { ...PRESETS.base.model, vocabSize: 32_000, tieWordEmbeddings: false };
    expect(parameterLayout(model).total).toBe(214_983_680);
  });

  it.each(PRESET_NAMES)('%s satisfies the manifest schema', (name) => {
    const preset = PRESETS[name];
    const { training, window, checkpoint } = RunManifestSchema.shape;
    expect(preset.name).toBe(name);
    expect(ModelConfigSchema.parse(preset.model)).toEqual(preset.model);
    expect(DecoupledMomentumSchema.parse(preset.scheme)).toEqual(preset.scheme);
    expect(PaperGauntletSchema.parse(preset.gauntlet)).toEqual(preset.gauntlet);
    expect(training.parse(preset.training)).toEqual(preset.training);
    expect(window.parse(preset.window)).toEqual(preset.window);
    expect(checkpoint.omit({ initialRoot: true }).parse(preset.checkpoint)).toEqual(preset.checkpoint);
  });

  it.each(PRESET_NAMES)('%s has matrix dimensions that 64 x 64 chunks tile, or a micro head', (name) => {
    const { hiddenSize, intermediateSize, vocabSize, numHeads, numKvHeads, headDim } = PRESETS[name].model;
    const floor = name === 'micro' ? 32 : 64;
    for (const size of [hiddenSize, intermediateSize, vocabSize, numHeads * headDim, numKvHeads * headDim]) {
      expect(size % floor).toBe(0);
    }
  });

  it('gives a peer of the paper preset about 400,000 tokens a window', () => {
    const preset = PRESETS['paper-1b'];
    expect(pageTokens(preset) * preset.training.pagesPerWindow).toBe(393_216);
  });

  it('are known by name', () => {
    expect(isPresetName('nano')).toBe(true);
    expect(isPresetName('toString')).toBe(false);
  });
});

describe('defaults against the reference', () => {
  // One line a constant, with where it stands: V = neurons/validator.py, M = neurons/miner.py, H = hparams.json of
  // templar v0.2.84; P = the paper.
  it.each<[keyof PaperGauntlet, unknown]>([
    ['syncStatistic', 'mean'], // V:2429-2491
    ['profile', 'paper'],
    ['evaluationsPerWindow', 5], // P: about 5 peers a validator and round
    ['evaluationStepScale', 0.2], // H eval_lr_factor
    ['pocDecay', 0.95], // H binary_score_ma_alpha 0.05
    ['rating', { mu: 25, sigma: 25 / 3, beta: 7, tau: 0.1, z: 3 }], // V:196 PlackettLuce(beta=7, tau=0.1)
    ['missingScore', -99], // H missing_gradient_penalty_score
    ['syncThreshold', 3], // P; V:2429-2491
    ['syncMax', 5], // V:2429-2491
    ['syncExponent', 2.5], // V:2429-2491
    ['gateFactor', 0.75], // P
    ['weightPower', 2], // P; V:3043-3068
    ['topG', 15], // P; H max_topk_peers
    ['activeWindows', 2], // V: no gradient in the last 2 windows
    ['resetAfterWindows', 25], // V: full reset after more than 25 windows
    // Ours, for runs of few peers on small data:
    ['evaluationPages', 2],
    ['probationEvaluations', 4],
  ])('Gauntlet %s', (key, value) => {
    for (const name of PRESET_NAMES) expect(PRESETS[name].gauntlet).toHaveProperty(key, value);
  });

  it('the paper preset has the scheme of the 1.2 B run', () => {
    expect(PRESETS['paper-1b'].scheme).toEqual({
      name: 'decoupled-momentum',
      learningRate: 4e-4,
      warmupWindows: 250,
      cosineWindows: 20_000,
      momentum: 0.999,
      chunk: 64,
      topK: 32,
    });
  });

  it('every preset keeps chunk 64 and 32 coefficients', () => {
    for (const name of PRESET_NAMES) expect(PRESETS[name].scheme).toMatchObject({ chunk: 64, topK: 32 });
  });

  it('the paper preset has its model', () => {
    expect(PRESETS['paper-1b'].model).toMatchObject({
      numLayers: 16,
      hiddenSize: 2048,
      numHeads: 8,
      numKvHeads: 8,
      intermediateSize: 8192,
      vocabSize: 32_000,
      contextLength: 2048,
      ropeTheta: 10_000,
      tieWordEmbeddings: false,
    });
  });
});
