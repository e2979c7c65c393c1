/**
 * `node scripts/demo-text.mjs`: makes the text of the demonstration (public/demo) anew, with the code that prepares any
 * run: pages of the embedded corpus, which is in the public domain, and the tokenizer that was trained on it.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { tsImport } from 'tsx/esm/api';
import { ensureInstalled, ROOT } from './install.mjs';

/** Pages to train, evenly spaced over the corpus: enough that peers are rarely given the same one. */
const TRAIN_PAGES = 512;
const FOLDER = `${ROOT}public/demo`;

ensureInstalled();
const { createRunArtefacts } = await tsImport('../validator/setup/create-artefacts.ts', import.meta.url);
const held = new Map();
const { manifest, tokenizerJson } = await createRunArtefacts({
  preset: 'micro',
  seed: new Uint8Array(32),
  blobs: {
    put(bytes) {
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      held.set(sha256, bytes);
      return Promise.resolve({ sha256, bytes: bytes.length });
    },
  },
});
const { pages, heldOutPages, pageSequences, tokenBytes, index, description, licence } = manifest.data;
const { decodePageIndex } = await tsImport('../core/data/pages.ts', import.meta.url);
const all = decodePageIndex(held.get(index.sha256), pages).map((sha256) => held.get(sha256));
const train = pages - heldOutPages;
const chosen = Array.from({ length: TRAIN_PAGES }, (_, i) => all[Math.floor((i * train) / TRAIN_PAGES)]);

mkdirSync(FOLDER, { recursive: true });
writeFileSync(`${FOLDER}/pages.bin`, Buffer.concat([...chosen, ...all.slice(train)]));
writeFileSync(`${FOLDER}/tokenizer.json`, tokenizerJson);
const text = {
  pages: TRAIN_PAGES + heldOutPages,
  heldOutPages,
  pageSequences,
  tokenBytes,
  vocabSize: manifest.tokenizer.vocabSize,
  description,
  licence,
};
writeFileSync(`${FOLDER}/text.json`, `${JSON.stringify(text, null, 2)}\n`);
