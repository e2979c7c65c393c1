import { describe, expect, it } from 'vitest';
import {
  PaperGauntletSchema,
  RunManifestSchema,
  SchemeParametersSchema,
  type PaperGauntlet,
} from '../protocol/manifest.ts';
import { ModelConfigSchema } from './config.ts';
import { parameterLayout } from './layout.ts';
import { isPresetName, pageTokens, PRESET_NAMES, PRESETS, REFERENCE_SPARSELOCO } from './presets.ts';

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
    for (const scheme of Object.values(preset.schemes)) expect(SchemeParametersSchema.parse(scheme)).toEqual(scheme);
    expect(preset.scheme).toBe(preset.schemes[preset.scheme.name]);
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
    expect(PRESETS['paper-1b'].schemes['decoupled-momentum']).toEqual({
      name: 'decoupled-momentum',
      learningRate: 4e-4,
      warmupWindows: 250,
      cosineWindows: 20_000,
      momentum: 0.999,
      chunk: 64,
      topK: 32,
    });
  });

  it('the paper preset has SparseLoCo as templar 2.1 and Covenant-72B had it, in steps of fewer pages', () => {
    expect(REFERENCE_SPARSELOCO).toEqual({
      name: 'sparseloco',
      outerLearningRate: 1, // Covenant-72B: 1, then 0.65
      inner: {
        learningRate: 1.17e-4, // H inner optimiser: AdamW 0.9, 0.95, 1e-8, weight decay 0.1, clip 1
        warmupWindows: 1_500 / 30, // steps over H
        cosineWindows: Math.round(140_000 / 30),
        beta1: 0.9,
        beta2: 0.95,
        epsilon: 1e-8,
        weightDecay: 0.1,
        maxGradientNorm: 1,
        pagesPerStep: 192 / PRESETS['paper-1b'].data.pageSequences, // sequences of 2,048 tokens
      },
      feedbackDecay: 0.95,
      chunk: 64,
      topK: 64,
      levels: 4,
      mean: 'contributions', // the paper's 1/R; its code divides by the senders
    });
    const { sparseloco } = PRESETS['paper-1b'].schemes;
    expect({ ...sparseloco, inner: { ...sparseloco.inner, pagesPerStep: 48 } }).toEqual(REFERENCE_SPARSELOCO);
  });

  it('every preset keeps chunk 64, and 32 coefficients or 64 values', () => {
    for (const name of PRESET_NAMES) {
      const { sparseloco, 'decoupled-momentum': decoupled } = PRESETS[name].schemes;
      expect(decoupled).toMatchObject({ chunk: 64, topK: 32, momentum: 0.999 });
      expect(sparseloco).toMatchObject({ chunk: 64, topK: 64, feedbackDecay: 0.95 });
    }
  });

  it.each(PRESET_NAMES)('%s takes several local steps a window', (name) => {
    const { schemes, training } = PRESETS[name];
    expect(training.pagesPerWindow / schemes.sparseloco.inner.pagesPerStep).toBeGreaterThanOrEqual(10);
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
