/**
 * A run with any number of peers whose contributions all wait to be judged: the validator's own folder, database and
 * sealed uploads, real bodies with indices at random, and nothing trained.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import { assignedPages, sampleDigest } from '../../core/data/assignment.ts';
import { encodePage, encodePageIndex, pageFormat } from '../../core/data/pages.ts';
import { GAUNTLET_PROFILES } from '../../core/gauntlet/profiles/defaults.ts';
import { freshFigures } from '../../core/gauntlet/scoring.ts';
import { syncPositions } from '../../core/gauntlet/sync.ts';
import { memorySigner } from '../../core/identity/signing.ts';
import { encodeAddress } from '../../core/identity/ss58.ts';
import { stateRoot } from '../../core/lockstep/state-root.ts';
import { initialParameters } from '../../core/model/initialise.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import { PRESETS, type PresetName } from '../../core/model/presets.ts';
import { chunkGrid } from '../../core/numerics/chunks.ts';
import { createRandom, seedFrom, type Random } from '../../core/numerics/prng.ts';
import { RunManifestSchema, type RunManifest } from '../../core/protocol/manifest.ts';
import { encodeBody } from '../../core/scheme/sparseloco/body.ts';
import { encodeContribution } from '../../core/wire/contribution.ts';
import { nodeDigest, openRunFolder, type RunFolder } from '../../validator/adapters/run-folder.ts';
import { loadContext, type RunContext } from '../../validator/rounds/context.ts';
import { signManifest } from '../../validator/rounds/create-run.ts';
import { writeCheckpoint } from '../../validator/rounds/parameters.ts';
import type { ContributionRow, OpenWindow } from '../../validator/rounds/store.ts';
import { beginWindow } from '../../validator/rounds/windows.ts';

/** From this window on the profile looks for copies. */
const WINDOW = GAUNTLET_PROFILES['templar-2.1'].overlap.fromWindow;
const PAGES_TRAINED = 4;
const TRAIN_PAGES = 256;
const HELD_OUT_PAGES = 2;
/** Loss scores of a window end after this; all else is measured to its end. */
const EVALUATION_SECONDS = 10;
const LEVELS = 4;
const SIGNER = memorySigner(seedFrom('growth'));
const SESSION_KEY = bytesToHex(SIGNER.publicKey);
export const NOW = Date.UTC(2026, 0, 1);

export interface CrowdRun {
  readonly folder: RunFolder;
  readonly context: RunContext;
  readonly open: OpenWindow;
  readonly parameters: Float32Array<ArrayBuffer>;
  /** Bytes of a contribution. */
  readonly payload: number;
}

function manifestOf(preset: PresetName, run: Pick<RunManifest, 'validator'>, refs: RefsOfRun): RunManifest {
  const { model, data, schemes, training, window, checkpoint } = PRESETS[preset];
  return RunManifestSchema.parse({
    protocol: 1,
    name: 'growth',
    createdAt: new Date(NOW).toISOString(),
    preset,
    model,
    tokenizer: { ...refs.index, vocabSize: model.vocabSize },
    data: {
      index: refs.index,
      pages: TRAIN_PAGES + HELD_OUT_PAGES,
      heldOutPages: HELD_OUT_PAGES,
      pageSequences: data.pageSequences,
      tokenBytes: 2,
      description: '',
      licence: '',
    },
    scheme: schemes.sparseloco,
    gauntlet: { ...GAUNTLET_PROFILES['templar-2.1'], evaluationSeconds: EVALUATION_SECONDS },
    training,
    window,
    checkpoint: { ...checkpoint, initialRoot: refs.root },
    guests: true,
    ...run,
  } satisfies RunManifest);
}

interface RefsOfRun {
  readonly index: { readonly sha256: string; readonly bytes: number };
  readonly root: string;
}

/** A body of as many values as the model wants, each chunk's indices drawn at random. */
function randomBody({ scheme }: RunContext, random: Random): Uint8Array<ArrayBuffer> {
  const { chunk, topK } = scheme.parameters;
  const grids = scheme.layout.parameters.map((spec) => chunkGrid(spec, chunk, topK));
  const tensors = grids.map(({ count, kept, length }) => {
    const indices = new Uint16Array(count * kept);
    for (let at = 0; at < indices.length; at += kept) {
      // One of each run of equally many, so that they come ascending.
      const run = Math.floor(length / kept);
      for (let k = 0; k < kept; k++) indices[at + k] = k * run + random.below(run);
    }
    const codes = Uint8Array.from(indices, (index) => index % LEVELS);
    return { indices, norms: new Float32Array(count).fill(0.01), codes };
  });
  return encodeBody(grids, { scale: 0.5, lookup: Float32Array.of(-0.75, -0.25, 0.25, 0.75) }, tensors);
}

/** @param onProgress after each peer's contribution was taken */
export async function createCrowdRun(
  dir: string,
  { preset, peers, onProgress }: { preset: PresetName; peers: number; onProgress: (done: number) => void },
): Promise<CrowdRun> {
  const folder = await openRunFolder(dir);
  const { store, blobs, uploads } = folder;
  const { model, data, checkpoint } = PRESETS[preset];
  const random = createRandom(seedFrom('growth', preset));
  const format = pageFormat({ model, tokenizer: { vocabSize: model.vocabSize }, data: { ...data, tokenBytes: 2 } });
  const hashes: string[] = [];
  for (let page = 0; page < TRAIN_PAGES + HELD_OUT_PAGES; page++) {
    const ids = Int32Array.from({ length: format.sequences * format.length }, () => random.below(model.vocabSize));
    hashes.push((await blobs.put(encodePage(ids, format))).sha256);
  }
  const index = await blobs.put(encodePageIndex(hashes));
  const parameters = initialParameters(model, seedFrom('growth'));
  const { root } = await stateRoot(parameters, checkpoint.chunkBytes, nodeDigest);
  const validator = { publicKey: bytesToHex(folder.signer.publicKey) };
  const signed = await signManifest(manifestOf(preset, { validator }, { index, root }), folder.signer);
  const { run, manifest } = signed;
  const open = beginWindow({
    run,
    window: WINDOW,
    opensAt: NOW,
    previousReveal: null,
    stateRoot: root,
    length: manifest.window,
    secret: seedFrom('secret'),
  });
  const at = await writeCheckpoint(blobs, parameters, { window: WINDOW, root, chunkBytes: checkpoint.chunkBytes });
  await store.createRun(signed, at, open);
  const context = await loadContext(folder);
  const figures = freshFigures(manifest.gauntlet);
  const arrivedAt = new Date(open.putOpensAt + 1_000).toISOString();
  let payload = 0;
  for (let peer = 0; peer < peers; peer++) {
    const hotkey = encodeAddress(seedFrom('hotkey', peer));
    const times = { issuedAt: new Date(NOW).toISOString(), expiresAt: new Date(NOW + 864e5).toISOString() };
    const delegation = { run, hotkey, sessionKey: SESSION_KEY, scopes: ['contribute' as const], ...times };
    await store.join(delegation, {
      firstWindow: WINDOW,
      figures,
      replaces: null,
      maxPeers: peers,
      guest: true,
      origin: null,
      bounds: null,
    });
    const pages = assignedPages(open.assignmentSeed, hotkey, TRAIN_PAGES, manifest.training.pagesPerWindow);
    const bytes = await encodeContribution(
      {
        run,
        window: WINDOW,
        hotkey,
        scheme: context.scheme.name,
        root,
        pagesTrained: PAGES_TRAINED,
        sampleDigest: sampleDigest(pages.slice(0, PAGES_TRAINED).map((page) => hashes[page]!)),
        trainLoss: 8,
        syncSample: syncPositions(WINDOW, hotkey, context.scheme.layout).map((position) => parameters[position]!),
      },
      randomBody(context, random),
      SIGNER,
    );
    payload = bytes.length;
    const sha256 = bytesToHex(await nodeDigest(bytes));
    const staged = await uploads.begin!();
    await staged.write(bytes);
    await staged.seal(sha256);
    await store.accept(rowOf(run, { window: WINDOW, hotkey, sha256, bytes: bytes.length, arrivedAt }));
    onProgress(peer + 1);
  }
  await store.markJudging(WINDOW);
  return { folder, context, open: { ...open, judging: true }, parameters, payload };
}

/** A contribution on record, with a receipt of the size that a real one's has. */
export function rowOf(
  run: string,
  named: Pick<ContributionRow, 'window' | 'hotkey' | 'sha256' | 'bytes' | 'arrivedAt'>,
): ContributionRow {
  const receipt = { receipt: { run, ...named }, signature: '0'.repeat(128) };
  return { ...named, pagesTrained: PAGES_TRAINED, sessionKey: SESSION_KEY, receipt };
}

export const parametersOf = (preset: PresetName): number => parameterLayout(PRESETS[preset].model).total;
