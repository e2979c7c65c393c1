/**
 * The presets: for each model size everything that a run manifest needs by default. Gauntlet's constants are the
 * reference's in all of them; what differs is the model, the window and the learning rate.
 */
import type {
  DecoupledMomentumParameters,
  GauntletParameters,
  PaperGauntlet,
  RunManifest,
  SchemeParameters,
  SparseLocoParameters,
} from '../protocol/manifest.ts';
import type { ModelConfig } from './config.ts';

export const PRESET_NAMES = ['micro', 'nano', 'mini', 'small', 'base', 'paper-1b'] as const;

export type PresetName = (typeof PRESET_NAMES)[number];

export interface Preset {
  readonly name: PresetName;
  readonly model: ModelConfig;
  readonly data: {
    /** Sequences of `model.contextLength` tokens a page. */
    readonly pageSequences: number;
    /** Pages held out at the end of the index, if the corpus has that much held-out text. */
    readonly heldOutPages: number;
    /** Bytes of UTF-8 text used at most, so that tests are quick; null takes the whole corpus. */
    readonly corpusBytes: number | null;
  };
  /** What each scheme takes in this preset. */
  readonly schemes: {
    readonly 'decoupled-momentum': DecoupledMomentumParameters;
    readonly sparseloco: SparseLocoParameters;
  };
  /** One of them: that which a run has unless it is told otherwise. */
  readonly scheme: SchemeParameters;
  readonly gauntlet: GauntletParameters;
  readonly training: RunManifest['training'];
  readonly window: RunManifest['window'];
  readonly checkpoint: Pick<RunManifest['checkpoint'], 'chunkBytes' | 'everyWindows'>;
}

/** The reference's constants (Gauntlet, arXiv 2505.21684, and its code of that time: templar v0.2.84). */
export const REFERENCE_GAUNTLET: PaperGauntlet = {
  profile: 'paper',
  evaluationsPerWindow: 5,
  evaluationSeconds: 60,
  evaluationStepScale: 0.2,
  evaluationPages: 2,
  pocDecay: 0.95,
  rating: { mu: 25, sigma: 25 / 3, beta: 7, tau: 0.1, z: 3 },
  missingScore: -99,
  syncStatistic: 'mean',
  syncThreshold: 3,
  syncMax: 5,
  syncExponent: 2.5,
  gateFactor: 0.75,
  weightPower: 2,
  topG: 15,
  probationEvaluations: 4,
  activeWindows: 2,
  resetAfterWindows: 25,
};

/** The scheme as the paper's 1.2 B run had it: η 4e-4, 250 windows of warm-up, one cosine over 20,000 windows. */
export const REFERENCE_DECOUPLED_MOMENTUM: DecoupledMomentumParameters = {
  name: 'decoupled-momentum',
  learningRate: 4e-4,
  warmupWindows: 250,
  cosineWindows: 20_000,
  momentum: 0.999,
  chunk: 64,
  topK: 32,
};

/**
 * SparseLoCo as the newest reference has it (templar 2.1; Covenant-72B, arXiv 2603.08163): H = 30 steps of 192 sequences
 * of 2,048 tokens, 1,500 of them of warm-up and a cosine over 140,000. α is that of most of the run, the mean the paper's.
 */
export const REFERENCE_SPARSELOCO: SparseLocoParameters = {
  name: 'sparseloco',
  outerLearningRate: 1,
  inner: {
    learningRate: 1.17e-4,
    warmupWindows: 50,
    cosineWindows: 4_667,
    beta1: 0.9,
    beta2: 0.95,
    epsilon: 1e-8,
    weightDecay: 0.1,
    maxGradientNorm: 1,
    pagesPerStep: 48,
  },
  feedbackDecay: 0.95,
  chunk: 64,
  topK: 64,
  levels: 4,
  mean: 'contributions',
};

/** A preset's schemes, each with its departures from the reference. */
function schemes(
  byDefault: SchemeParameters['name'],
  momentum: Partial<DecoupledMomentumParameters>,
  { inner, ...local }: Partial<Omit<SparseLocoParameters, 'inner'>> & { inner: Partial<SparseLocoParameters['inner']> },
): Pick<Preset, 'scheme' | 'schemes'> {
  const both: Preset['schemes'] = {
    'decoupled-momentum': { ...REFERENCE_DECOUPLED_MOMENTUM, ...momentum },
    sparseloco: { ...REFERENCE_SPARSELOCO, ...local, inner: { ...REFERENCE_SPARSELOCO.inner, ...inner } },
  };
  return { schemes: both, scheme: both[byDefault] };
}

/** What the Llama family shares, as `LlamaConfig` defaults to it. */
const LLAMA = { ropeTheta: 10_000, rmsNormEps: 1e-6, initializerRange: 0.02 } as const;

const MIB = 2 ** 20;

/*
 * The small presets' runs are short: no warm-up, a larger η and a shorter cosine. Nano's, and micro's local ones, are the
 * best of a sweep (docs/measurements/learning-rates.md); the others' are guesses until they are swept. SparseLoCo, which
 * learnt far faster in it, is nano's default; the others keep the paper's scheme until they are swept.
 */
export const PRESETS: { readonly [Name in PresetName]: Preset & { readonly name: Name } } = {
  /** 0.1 M parameters: automated tests, also on a software GPU. */
  micro: {
    name: 'micro',
    model: {
      ...LLAMA,
      vocabSize: 512,
      hiddenSize: 64,
      intermediateSize: 128,
      numLayers: 2,
      numHeads: 4,
      numKvHeads: 2,
      headDim: 16,
      contextLength: 64,
      tieWordEmbeddings: true,
    },
    data: { pageSequences: 8, heldOutPages: 8, corpusBytes: 1_500_000 },
    ...schemes(
      'decoupled-momentum',
      { learningRate: 8e-3, warmupWindows: 0, cosineWindows: 500 },
      { inner: { learningRate: 8e-3, warmupWindows: 0, cosineWindows: 500, pagesPerStep: 1 } },
    ),
    gauntlet: REFERENCE_GAUNTLET,
    training: { pagesPerWindow: 16 },
    window: { trainSeconds: 6, putSeconds: 3 },
    checkpoint: { chunkBytes: 64 * 1024, everyWindows: 5 },
  },
  /** 1.05 M parameters: the embedded demonstration, trainable on a processor alone. */
  nano: {
    name: 'nano',
    model: {
      ...LLAMA,
      vocabSize: 2048,
      hiddenSize: 128,
      intermediateSize: 384,
      numLayers: 4,
      numHeads: 4,
      numKvHeads: 2,
      headDim: 32,
      contextLength: 128,
      tieWordEmbeddings: true,
    },
    data: { pageSequences: 8, heldOutPages: 32, corpusBytes: null },
    ...schemes(
      'sparseloco',
      { learningRate: 6e-3, warmupWindows: 0, cosineWindows: 40 },
      { inner: { learningRate: 6e-3, warmupWindows: 0, cosineWindows: 200, pagesPerStep: 1 } },
    ),
    gauntlet: REFERENCE_GAUNTLET,
    training: { pagesPerWindow: 64 },
    window: { trainSeconds: 18, putSeconds: 6 },
    checkpoint: { chunkBytes: MIB, everyWindows: 20 },
  },
  /** 10 M parameters: a laptop's integrated GPU. */
  mini: {
    name: 'mini',
    model: {
      ...LLAMA,
      vocabSize: 4096,
      hiddenSize: 384,
      intermediateSize: 896,
      numLayers: 6,
      numHeads: 6,
      numKvHeads: 2,
      headDim: 64,
      contextLength: 256,
      tieWordEmbeddings: true,
    },
    data: { pageSequences: 8, heldOutPages: 32, corpusBytes: null },
    ...schemes(
      'decoupled-momentum',
      { learningRate: 2e-3, warmupWindows: 0, cosineWindows: 2_000 },
      { inner: { learningRate: 1e-3, warmupWindows: 0, cosineWindows: 2_000, pagesPerStep: 2 } },
    ),
    gauntlet: REFERENCE_GAUNTLET,
    training: { pagesPerWindow: 64 },
    window: { trainSeconds: 45, putSeconds: 15 },
    checkpoint: { chunkBytes: 4 * MIB, everyWindows: 20 },
  },
  /** 25 M parameters. */
  small: {
    name: 'small',
    model: {
      ...LLAMA,
      vocabSize: 4096,
      hiddenSize: 512,
      intermediateSize: 1344,
      numLayers: 8,
      numHeads: 8,
      numKvHeads: 4,
      headDim: 64,
      contextLength: 512,
      tieWordEmbeddings: true,
    },
    data: { pageSequences: 4, heldOutPages: 32, corpusBytes: null },
    ...schemes(
      'decoupled-momentum',
      { learningRate: 1e-3, warmupWindows: 10, cosineWindows: 5_000 },
      { inner: { learningRate: 8e-4, warmupWindows: 10, cosineWindows: 5_000, pagesPerStep: 2 } },
    ),
    gauntlet: REFERENCE_GAUNTLET,
    training: { pagesPerWindow: 64 },
    window: { trainSeconds: 72, putSeconds: 24 },
    checkpoint: { chunkBytes: 8 * MIB, everyWindows: 20 },
  },
  /** 158 M parameters: the blocks of the reference's 150M.json, with a small tied vocabulary. Supply a real corpus. */
  base: {
    name: 'base',
    model: {
      ...LLAMA,
      vocabSize: 8192,
      hiddenSize: 1024,
      intermediateSize: 2688,
      numLayers: 12,
      numHeads: 16,
      numKvHeads: 16,
      headDim: 64,
      contextLength: 1024,
      tieWordEmbeddings: true,
    },
    data: { pageSequences: 4, heldOutPages: 32, corpusBytes: null },
    ...schemes(
      'decoupled-momentum',
      { learningRate: 6e-4, warmupWindows: 100, cosineWindows: 10_000 },
      { inner: { learningRate: 4e-4, warmupWindows: 50, cosineWindows: 10_000, pagesPerStep: 2 } },
    ),
    gauntlet: REFERENCE_GAUNTLET,
    training: { pagesPerWindow: 64 },
    window: { trainSeconds: 72, putSeconds: 24 },
    checkpoint: { chunkBytes: 8 * MIB, everyWindows: 50 },
  },
  /** 1,204,881,408 parameters: the paper's run (1B.json of the reference); 8 blocks of 12 s a window. */
  'paper-1b': {
    name: 'paper-1b',
    model: {
      ...LLAMA,
      vocabSize: 32_000,
      hiddenSize: 2048,
      intermediateSize: 8192,
      numLayers: 16,
      numHeads: 8,
      numKvHeads: 8,
      headDim: 256,
      contextLength: 2048,
      tieWordEmbeddings: false,
    },
    data: { pageSequences: 4, heldOutPages: 32, corpusBytes: null },
    // A window is one of the reference's steps; here it is 24.
    ...schemes('decoupled-momentum', {}, { inner: { pagesPerStep: 2 } }),
    gauntlet: REFERENCE_GAUNTLET,
    // 48 pages of 8,192 tokens: the paper's target of about 400,000 tokens a peer and round.
    training: { pagesPerWindow: 48 },
    window: { trainSeconds: 72, putSeconds: 24 },
    checkpoint: { chunkBytes: 8 * MIB, everyWindows: 100 },
  },
};

export function isPresetName(name: string): name is PresetName {
  return (PRESET_NAMES as readonly string[]).includes(name);
}

/** Tokens of one page. */
export function pageTokens(preset: Preset): number {
  return preset.data.pageSequences * preset.model.contextLength;
}
