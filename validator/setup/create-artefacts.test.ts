import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodePage, decodePageIndex, pageFormat } from '../../core/data/pages.ts';
import { loadTokenizer } from '../../core/data/tokenizer.ts';
import { initialParameters } from '../../core/model/initialise.ts';
import { PRESETS } from '../../core/model/presets.ts';
import { RunManifestSchema } from '../../core/protocol/manifest.ts';
import type { BlobRef } from '../../core/protocol/primitives.ts';
import { exportCheckpointDir } from './checkpoint-files.ts';
import { CorpusError } from './corpus.ts';
import { createRunArtefacts, type ArtefactStage, type RunArtefactOptions } from './create-artefacts.ts';

class MemoryBlobs {
  readonly stored = new Map<string, Uint8Array>();

  put(bytes: Uint8Array): Promise<BlobRef> {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    this.stored.set(sha256, bytes);
    return Promise.resolve({ sha256, bytes: bytes.length });
  }
}

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'artefacts-'));
});
afterEach(() => rm(dir, { recursive: true }));

const seed = new Uint8Array(32);
const micro = (more: Partial<RunArtefactOptions> = {}): RunArtefactOptions => ({
  preset: 'micro',
  seed,
  blobs: new MemoryBlobs(),
  ...more,
});

/** Enough text for micro's 16 pages a window and one held out. */
const smallText = Array.from({ length: 9000 }, (_, i) => `Sentence ${i * 7919} of a small text.`).join('\n');

describe('createRunArtefacts', () => {
  it('makes everything that a manifest needs', async () => {
    const blobs = new MemoryBlobs();
    const { manifest, initialParameters: parameters, tokenizerJson } = await createRunArtefacts(micro({ blobs }));
    const key = '00'.repeat(32);
    const whole = { ...manifest, name: 'A run', createdAt: '2026-01-01T00:00:00.000Z', guests: true, validator: { publicKey: key } }; // prettier-ignore
    expect(RunManifestSchema.parse(whole)).toEqual(whole);
    expect(parameters).toEqual(initialParameters(PRESETS.micro.model, seed));

    const { data } = manifest;
    expect(data.heldOutPages).toBe(8);
    expect(data.pages).toBeGreaterThan(1_000);
    const hashes = decodePageIndex(blobs.stored.get(data.index.sha256)!, data.pages);
    const format = pageFormat(manifest);
    for (const hash of hashes) decodePage(blobs.stored.get(hash)!, format);

    const tokenizer = loadTokenizer(JSON.parse(new TextDecoder().decode(tokenizerJson)));
    expect(tokenizer.vocabSize).toBe(manifest.tokenizer.vocabSize);
    const last = tokenizer.decode(decodePage(blobs.stored.get(hashes.at(-1)!)!, format));
    expect(last).toMatch(/ the /);
  });

  it('is the same each time, from the cache too, and differs by seed in the parameters only', async () => {
    const first = await createRunArtefacts(micro({ cacheDir: dir }));
    const stages: ArtefactStage[] = [];
    const cached = await createRunArtefacts(micro({ cacheDir: dir, onProgress: (stage) => stages.push(stage) }));
    expect(cached).toEqual(first);
    expect(stages).not.toContain('tokenizer');
    const other = await createRunArtefacts(micro({ cacheDir: dir, seed: Uint8Array.of(1) }));
    expect(other.manifest.data).toEqual(first.manifest.data);
    expect(other.manifest.checkpoint.initialRoot).not.toBe(first.manifest.checkpoint.initialRoot);
  });

  it.runIf(process.platform === 'linux')('needs no place to keep it', async () => {
    const made = await createRunArtefacts(micro({ cacheDir: '/sys/gauntlet/cache' }));
    expect(made).toEqual(await createRunArtefacts(micro({ cacheDir: dir })));
  });

  it('makes anew what is damaged in the cache', async () => {
    const first = await createRunArtefacts(micro({ cacheDir: dir }));
    const [name] = await readdir(dir);
    await truncate(join(dir, name!), 10_000);
    expect(await createRunArtefacts(micro({ cacheDir: dir }))).toEqual(first);
  });

  it('tells of each stage, to its end', async () => {
    const done = new Set<ArtefactStage>();
    await createRunArtefacts(micro({ onProgress: (stage, fraction) => fraction === 1 && done.add(stage) }));
    expect([...done]).toEqual(['corpus', 'tokenizer', 'pages', 'parameters', 'blobs']);
  });

  it('takes the operator’s files', async () => {
    const path = join(dir, 'mine.txt');
    await writeFile(path, smallText);
    const { manifest } = await createRunArtefacts(micro({ corpus: [path] }));
    expect(manifest.data.description).toContain('mine.txt');
    expect(manifest.data.pages).toBeGreaterThan(16);
  });

  it('refuses a corpus that does not fill a window', async () => {
    const path = join(dir, 'mine.txt');
    await writeFile(path, smallText.slice(0, 20_000));
    await expect(createRunArtefacts(micro({ corpus: [path] }))).rejects.toThrow(CorpusError);
    await expect(createRunArtefacts(micro({ corpus: [path] }))).rejects.toThrow(/assigns 16 a window/);
  });

  it('goes on from a checkpoint, with its tokenizer as it is', async () => {
    const first = await createRunArtefacts(micro());
    const checkpoint = join(dir, 'checkpoint');
    const trained = initialParameters(PRESETS.micro.model, Uint8Array.of(9));
    trained[0] = 1e-40;
    await exportCheckpointDir(checkpoint, first.manifest.model, trained, first.tokenizerJson);
    const next = await createRunArtefacts(micro({ fromCheckpointDir: checkpoint }));
    expect(next.tokenizerJson).toEqual(first.tokenizerJson);
    expect(next.manifest.data).toEqual(first.manifest.data);
    trained[0] = 0;
    expect(next.initialParameters).toEqual(trained);
  });

  it('tokenises with the library where a checkpoint’s tokenizer is not ours', async () => {
    const first = await createRunArtefacts(micro());
    const json = JSON.parse(new TextDecoder().decode(first.tokenizerJson)) as Record<string, unknown>;
    const foreign = new TextEncoder().encode(JSON.stringify({ ...json, normalizer: { type: 'Lowercase' } }));
    const checkpoint = join(dir, 'checkpoint');
    await exportCheckpointDir(checkpoint, first.manifest.model, first.initialParameters, foreign);
    const corpus = [join(dir, 'mine.txt')];
    await writeFile(corpus[0]!, smallText);
    const blobs = new MemoryBlobs();
    const { manifest } = await createRunArtefacts(micro({ fromCheckpointDir: checkpoint, corpus, blobs }));
    const [hash] = decodePageIndex(blobs.stored.get(manifest.data.index.sha256)!, manifest.data.pages);
    const ids = decodePage(blobs.stored.get(hash!)!, pageFormat(manifest));
    const text = loadTokenizer(json).decode(ids);
    expect(text.startsWith('sentence 0 of a small text.')).toBe(true);
  });

  it('refuses a checkpoint without a tokenizer', async () => {
    const checkpoint = join(dir, 'checkpoint');
    const { model } = PRESETS.micro;
    await exportCheckpointDir(checkpoint, model, initialParameters(model, seed), new TextEncoder().encode('{}'));
    await expect(createRunArtefacts(micro({ fromCheckpointDir: checkpoint }))).rejects.toThrow(CorpusError);
    await rm(join(checkpoint, 'tokenizer.json'));
    await expect(createRunArtefacts(micro({ fromCheckpointDir: checkpoint }))).rejects.toThrow(/no tokenizer\.json/);
  });
});
