/**
 * Creates what a run consists of before its first window: tokenizer, pages, index and initial parameters, as blobs and
 * as the parts of a manifest. Deterministic in preset, corpus and seed. Node only.
 */
import { createHash } from 'node:crypto';
import { encodePageIndex, type PageFormat } from '../../core/data/pages.ts';
import { toTokenizerJson } from '../../core/data/tokenizer.ts';
import { stateRoot } from '../../core/lockstep/state-root.ts';
import type { ModelConfig } from '../../core/model/config.ts';
import { flushSubnormals, initialParameters } from '../../core/model/initialise.ts';
import { PRESETS, type Preset, type PresetName } from '../../core/model/presets.ts';
import type { RunManifest } from '../../core/protocol/manifest.ts';
import { NEWEST_PROTOCOL } from '../../core/protocol/spoken.ts';
import type { BlobRef } from '../../core/protocol/primitives.ts';
import { arrangeCorpus } from './arrange.ts';
import { readCheckpointDir, type CheckpointFolder } from './checkpoint-files.ts';
import { CorpusError, embeddedCorpus, fingerprint, readCorpus, type Corpus } from './corpus.ts';
import { readCachedData, writeCachedData, type TokenisedData } from './data-cache.ts';
import { bpeEncoder, encoderOf, tokenisePages, trainTokenizer, type Encoder } from './tokenise.ts';

export type ArtefactStage = 'corpus' | 'tokenizer' | 'pages' | 'parameters' | 'blobs';

export interface RunArtefactOptions {
  readonly preset: PresetName;
  /** Of the initial parameters. */
  readonly seed: Uint8Array;
  /** The operator's text files; the embedded corpus when there are none. */
  readonly corpus?: readonly string[];
  /** A checkpoint folder to go on from: its model, parameters and tokenizer replace the preset's. */
  readonly fromCheckpointDir?: string;
  readonly blobs: { put(bytes: Uint8Array<ArrayBuffer>): Promise<BlobRef> };
  /** Folder in which tokenised data is kept, so that the next start with the same corpus is quick. */
  readonly cacheDir?: string;
  /** Called with the share of a stage that is done, 0 to 1. */
  readonly onProgress?: (stage: ArtefactStage, fraction: number) => void;
}

/** The parts of a manifest that follow from preset and data; a run adds its name, time, keys and who may join. */
export type ManifestParts = Omit<RunManifest, 'name' | 'createdAt' | 'guests' | 'validator'>;

export interface RunArtefacts {
  readonly manifest: ManifestParts;
  /** Flat fp32 vector θ_1 in layout order. */
  readonly initialParameters: Float32Array<ArrayBuffer>;
  readonly tokenizerJson: Uint8Array<ArrayBuffer>;
}

/** Blobs stored at once. */
const CONCURRENT_PUTS = 16;

/** Stores blobs a few at a time. @returns their references in order */
async function putAll(
  blobs: RunArtefactOptions['blobs'],
  items: readonly Uint8Array<ArrayBuffer>[],
  progress: (fraction: number) => void,
): Promise<BlobRef[]> {
  const refs: BlobRef[] = [];
  for (let start = 0; start < items.length; start += CONCURRENT_PUTS) {
    const batch = items.slice(start, start + CONCURRENT_PUTS);
    refs.push(...(await Promise.all(batch.map((bytes) => blobs.put(bytes)))));
    progress(refs.length / items.length);
  }
  return refs;
}

interface DataRequest {
  readonly preset: Preset;
  readonly model: ModelConfig;
  readonly corpus: Corpus;
  readonly checkpoint: CheckpointFolder | null;
  readonly progress: (stage: ArtefactStage, fraction: number) => void;
}

function pageFormatOf(preset: Preset, model: ModelConfig, vocabSize: number): PageFormat {
  return {
    sequences: preset.data.pageSequences,
    length: model.contextLength,
    tokenBytes: model.vocabSize > 65_536 ? 4 : 2,
    vocabSize,
  };
}

/** At most `count` items, evenly spaced: the first ones would leave out the sources with little held-out text. */
function evenly<T>(items: readonly T[], count: number): readonly T[] {
  if (items.length <= count) return items;
  return Array.from({ length: count }, (_, i) => items[Math.floor(((i + 0.5) * items.length) / count)]!);
}

async function tokenise({ preset, model, corpus, checkpoint, progress }: DataRequest): Promise<TokenisedData> {
  const { train, heldOut } = arrangeCorpus(corpus, preset.data.corpusBytes);
  let tokenizerJson: Uint8Array<ArrayBuffer>;
  let encoder: Encoder;
  if (checkpoint === null) {
    const tokenizer = await trainTokenizer(train, model.vocabSize, (fraction) => {
      progress('tokenizer', fraction);
    });
    tokenizerJson = new TextEncoder().encode(JSON.stringify(toTokenizerJson(tokenizer)));
    encoder = bpeEncoder(tokenizer);
  } else {
    if (checkpoint.tokenizerJson === null) throw new CorpusError('the checkpoint has no tokenizer.json');
    tokenizerJson = checkpoint.tokenizerJson;
    encoder = encoderOf(tokenizerJson, model.vocabSize, checkpoint.endOfTextId);
  }
  const format = pageFormatOf(preset, model, encoder.vocabSize);
  const trainPages = await tokenisePages(train, encoder, format, (fraction) => {
    progress('pages', fraction);
  });
  const heldOutPages = await tokenisePages(heldOut, encoder, format, () => undefined);
  return {
    tokenizerJson,
    vocabSize: encoder.vocabSize,
    trainPages,
    heldOutPages: evenly(heldOutPages, preset.data.heldOutPages),
  };
}

/** Raised when the tokenised data of the same input would come out differently. */
const DATA_VERSION = 1;

function cacheKey({ preset, model, corpus, checkpoint }: DataRequest): string {
  const tokenizer = checkpoint?.tokenizerJson;
  const input = [
    DATA_VERSION,
    fingerprint(corpus),
    preset.data,
    model.vocabSize,
    model.contextLength,
    tokenizer ? createHash('sha256').update(tokenizer).digest('hex') : 'trained',
    checkpoint?.endOfTextId ?? null,
  ];
  return createHash('sha256').update(JSON.stringify(input)).digest('hex');
}

async function tokenisedData(request: DataRequest, cacheDir: string | undefined): Promise<TokenisedData> {
  if (cacheDir === undefined) return tokenise(request);
  const key = cacheKey(request);
  const cached = await readCachedData(cacheDir, key);
  if (cached !== null) return cached;
  const data = await tokenise(request);
  await writeCachedData(cacheDir, key, data);
  return data;
}

function checkEnough(preset: Preset, { trainPages, heldOutPages }: TokenisedData): void {
  const { pagesPerWindow } = preset.training;
  if (trainPages.length < pagesPerWindow) {
    throw new CorpusError(
      `the corpus has ${trainPages.length} pages to train; preset ${preset.name} assigns ${pagesPerWindow} a window`,
    );
  }
  if (heldOutPages.length === 0) throw new CorpusError('the held-out text does not fill one page');
}

/**
 * Creates a run's artefacts and stores its blobs. Held-out pages come last in the index.
 *
 * @throws CorpusError when the corpus cannot be used, HfConfigError, SafetensorsError or CheckpointError when the
 * checkpoint cannot, and whatever `blobs.put` throws
 */
export async function createRunArtefacts(options: RunArtefactOptions): Promise<RunArtefacts> {
  const preset = PRESETS[options.preset];
  const progress = options.onProgress ?? (() => undefined);
  progress('corpus', 0);
  const checkpoint =
    options.fromCheckpointDir === undefined ? null : await readCheckpointDir(options.fromCheckpointDir);
  const model = checkpoint?.config ?? preset.model;
  const corpus = options.corpus?.length ? await readCorpus(options.corpus) : await embeddedCorpus();
  progress('corpus', 1);

  const data = await tokenisedData({ preset, model, corpus, checkpoint, progress }, options.cacheDir);
  checkEnough(preset, data);

  progress('parameters', 0);
  const parameters = checkpoint?.parameters ?? initialParameters(model, options.seed);
  flushSubnormals(parameters);
  const sha256 = (bytes: Uint8Array): Promise<Uint8Array> =>
    Promise.resolve(createHash('sha256').update(bytes).digest());
  const { root } = await stateRoot(parameters, preset.checkpoint.chunkBytes, sha256);
  progress('parameters', 1);

  const tokenizer = await options.blobs.put(data.tokenizerJson);
  const pages = await putAll(options.blobs, [...data.trainPages, ...data.heldOutPages], (fraction) => {
    progress('blobs', fraction);
  });
  const index = await options.blobs.put(encodePageIndex(pages.map(({ sha256 }) => sha256)));
  return {
    manifest: {
      protocol: NEWEST_PROTOCOL,
      preset: preset.name,
      model,
      tokenizer: { ...tokenizer, vocabSize: data.vocabSize },
      data: {
        index,
        pages: pages.length,
        heldOutPages: data.heldOutPages.length,
        pageSequences: preset.data.pageSequences,
        tokenBytes: pageFormatOf(preset, model, data.vocabSize).tokenBytes,
        description: corpus.description,
        licence: corpus.licence,
      },
      scheme: preset.scheme,
      gauntlet: preset.gauntlet,
      training: preset.training,
      window: preset.window,
      checkpoint: { ...preset.checkpoint, initialRoot: root },
    },
    initialParameters: parameters,
    tokenizerJson: data.tokenizerJson,
  };
}
