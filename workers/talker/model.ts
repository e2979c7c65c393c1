/** The run's newest model to talk to: the contributor's verified replica, without a device under it. */
import { createValidatorApi } from '../../client/api.ts';
import { cachedBlob } from '../../client/cached-blob.ts';
import { memoryEngine } from '../../client/memory-engine.ts';
import type { BlobCache } from '../../client/ports.ts';
import { createReplica, type Replica } from '../../client/replica.ts';
import { END_OF_TEXT_ID, type ByteLevelBpe } from '../../core/data/bpe.ts';
import { loadTokenizer } from '../../core/data/tokenizer.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import { createScheme } from '../../core/scheme/create-scheme.ts';
import { createDecoder } from '../../engine/generate/decoder.ts';
import { generate } from '../../engine/generate/generate.ts';

/** Of the likeliest tokens only: what lies far below is noise even in a good model. */
const TOP_K = 40;

export interface DrawOptions {
  readonly prompt: string;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly seed: string;
}

export interface TalkingModel {
  /** The window that trains from it, 0 before the first `refresh`. */
  readonly window: number;
  /** Brings the newest parameters, from the cache where they are held. @throws RootMismatchError, UnreachableError */
  refresh(signal: AbortSignal): Promise<void>;
  /** Bytes of text, a token at a time; a character may be spread over several. */
  draw(options: DrawOptions): Generator<Uint8Array, void, undefined>;
}

/**
 * @param onProgress bytes of the download that is under way
 * @throws UnreachableError when the validator does not answer, TokenizerError for a vocabulary that is not ours
 */
export async function openModel(options: {
  readonly validatorUrl: string;
  readonly fetch: typeof fetch;
  readonly cache: BlobCache;
  readonly signal: AbortSignal;
  readonly onProgress: (bytes: number, totalBytes: number) => void;
}): Promise<TalkingModel> {
  const { signal, onProgress } = options;
  const api = createValidatorApi({ baseUrl: options.validatorUrl, fetch: options.fetch });
  const cache: BlobCache = {
    ...options.cache,
    // Who only talks needs no storage: what cannot be kept is brought again.
    put: (...blob) => options.cache.put(...blob).catch(() => undefined),
  };
  const { run, manifest } = await api.run(signal);
  const json = await cachedBlob({ api, cache }, 'tokenizer', manifest.tokenizer, signal);
  const tokenizer: ByteLevelBpe = loadTokenizer(JSON.parse(new TextDecoder().decode(json)));
  const scheme = createScheme(manifest.scheme, parameterLayout(manifest.model));
  const engine = memoryEngine();
  const replica: Replica = createReplica({
    run,
    manifest,
    scheme,
    api,
    cache,
    engine: () => engine,
    emit(event) {
      if (event.type !== 'status' || event.status.kind !== 'downloading') return;
      onProgress(event.status.bytes, event.status.totalBytes);
    },
  });
  return {
    get window() {
      return replica.window;
    },
    async refresh(abort) {
      const { window, stateRoot } = await api.clock(abort);
      await replica.catchUp({ window, root: stateRoot }, abort);
    },
    *draw({ prompt, ...drawing }) {
      const decoder = createDecoder(manifest.model, replica.parameters);
      const { contextLength } = manifest.model;
      const asked = { ...drawing, prompt: tokenizer.encode(prompt), topK: TOP_K, contextLength };
      for (const token of generate(decoder, { ...asked, endToken: END_OF_TEXT_ID })) yield tokenizer.tokenBytes(token);
    },
  };
}
