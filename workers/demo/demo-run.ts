/** The production validator in this thread, on a small run that lives as long as the tab. */
import * as z from 'zod';
import { webDigest } from '../../client/api.ts';
import { encodePageIndex } from '../../core/data/pages.ts';
import { memorySigner, randomSecretKey } from '../../core/identity/signing.ts';
import { bytesToHex } from '@noble/hashes/utils.js';
import { stateRoot } from '../../core/lockstep/state-root.ts';
import { flushSubnormals, initialParameters } from '../../core/model/initialise.ts';
import { PRESETS } from '../../core/model/presets.ts';
import type { RunManifest } from '../../core/protocol/manifest.ts';
import { NEWEST_PROTOCOL } from '../../core/protocol/spoken.ts';
import { createHostEvaluator, type Runtime } from '../../engine/host-engine.ts';
import { createApp } from '../../validator/http/app.ts';
import { createRun } from '../../validator/rounds/create-run.ts';
import { createLocalJudgeEngine } from '../../validator/rounds/local-judge-engine.ts';
import type { BlobStore, Log, Metrics } from '../../validator/rounds/ports.ts';
import { openRounds, type Rounds } from '../../validator/rounds/rounds.ts';
import { sleep } from '../sleep.ts';
import { createMemoryBlobs } from './memory-blobs.ts';
import { createMemoryStore } from './memory-store.ts';
import type { PortService } from './serve-port.ts';

const PRESET = PRESETS.micro;
const MAX_PEERS = 64;
/** Long enough for a dozen peers to train one after another on one slow thread. */
const WINDOW = { trainSeconds: 6, putSeconds: 2.5 };
/** So that every peer has been looked at after a minute; the paper's five serve a crowd that is there for months. */
const EVALUATIONS = 12;
/** The pages are small: two say too little for a minute to tell who is honest. */
const EVALUATION_PAGES = 4;
/** Whoever is late to a window that is judged meanwhile has this long. */
const EVALUATION_SECONDS = 4;

/** What scripts/demo-text.mjs wrote of the pages. */
const TextSchema = z.strictObject({
  pages: z.int().positive().max(10_000),
  heldOutPages: z.int().positive(),
  pageSequences: z.int().positive(),
  tokenBytes: z.union([z.literal(2), z.literal(4)]),
  vocabSize: z.int().positive(),
  description: z.string(),
  licence: z.string(),
});

const log: Log = {
  info: () => undefined,
  warn: (fields, message) => console.warn(message, fields),
  error: (fields, message) => console.error(message, fields),
};

const metrics: Metrics = {
  accepted: () => undefined,
  refused: () => undefined,
  judged: () => undefined,
  judgeFailed: () => undefined,
};

async function read(url: URL): Promise<Response> {
  const response = await fetch(url).catch((cause: unknown) => {
    throw new Error(`${url.pathname} could not be loaded.`, { cause });
  });
  if (!response.ok) throw new Error(`${url.pathname} could not be loaded: status ${response.status}.`);
  return response;
}

/** Puts the demonstration's text into the blobs. */
async function loadText(files: string, blobs: BlobStore): Promise<Pick<RunManifest, 'data' | 'tokenizer'>> {
  const [description, tokenizer, bytes] = await Promise.all([
    read(new URL('text.json', files)).then(async (response) => TextSchema.parse(await response.json())),
    read(new URL('tokenizer.json', files)).then((response) => response.arrayBuffer()),
    read(new URL('pages.bin', files)).then((response) => response.arrayBuffer()),
  ]);
  const { vocabSize, ...text } = description;
  const pageBytes = bytes.byteLength / text.pages;
  const pages = await Promise.all(
    Array.from({ length: text.pages }, (_, i) => blobs.put(new Uint8Array(bytes, i * pageBytes, pageBytes))),
  );
  const index = await blobs.put(encodePageIndex(pages.map(({ sha256 }) => sha256)));
  return {
    data: { ...text, index },
    tokenizer: { ...(await blobs.put(new Uint8Array(tokenizer))), vocabSize },
  };
}

export interface DemoRun extends PortService {
  readonly blobs: BlobStore;
  readonly rounds: Rounds;
}

/**
 * @param files folder of the text, an absolute URL
 * @param runtime what the judge evaluates with
 * @throws Error when the text cannot be loaded
 */
export async function openDemoRun(files: string, runtime: Runtime): Promise<DemoRun> {
  const { blobs, uploads } = createMemoryBlobs();
  const store = createMemoryStore();
  const signer = memorySigner(randomSecretKey());
  const randomBytes = (): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(32));
  const clock = { now: () => Date.now(), sleep };
  const ports = { store, blobs, uploads, clock, signer, randomBytes, digest: webDigest };

  const text = await loadText(files, blobs);
  const parameters = initialParameters(PRESET.model, randomBytes());
  flushSubnormals(parameters);
  const { root } = await stateRoot(parameters, PRESET.checkpoint.chunkBytes, webDigest);
  await createRun(
    ports,
    {
      protocol: NEWEST_PROTOCOL,
      name: 'demonstration',
      createdAt: new Date().toISOString(),
      guests: true,
      preset: PRESET.name,
      model: PRESET.model,
      ...text,
      scheme: PRESET.schemes.sparseloco,
      gauntlet: {
        ...PRESET.gauntlet,
        evaluationsPerWindow: EVALUATIONS,
        evaluationPages: EVALUATION_PAGES,
        evaluationSeconds: EVALUATION_SECONDS,
      },
      training: PRESET.training,
      window: WINDOW,
      checkpoint: { ...PRESET.checkpoint, initialRoot: root },
      validator: { publicKey: bytesToHex(signer.publicKey) },
    },
    parameters,
  );
  const rounds = await openRounds(
    {
      ...ports,
      log,
      metrics,
      createJudgeEngine: (run) =>
        createLocalJudgeEngine(run, {
          createEvaluator: (shape) => createHostEvaluator(runtime, shape),
          digest: webDigest,
        }),
    },
    { maxPeers: MAX_PEERS },
  );
  const { app } = createApp({
    service: rounds,
    blobs,
    corsOrigins: [],
    onError: (error) => console.error(error),
  });
  return {
    blobs,
    rounds,
    fetch: (request) => app.fetch(request),
    subscribe: (listener) => rounds.subscribe(listener),
    greeting: () => ({ type: 'clock', clock: rounds.clock() }),
  };
}
