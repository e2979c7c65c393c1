/** Fails when a text is in no catalogue, a catalogue holds one that is gone, or a translation is missing. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './install.mjs';

const COMMITTED = join(ROOT, 'src/i18n/locales');
const MOST_LISTED = 20;

/** Each text of a catalogue with its translation. PO: an entry is `msgid "…"` and `msgstr "…"`, each over several lines. */
function entriesOf(path) {
  const entries = new Map();
  for (const block of readFileSync(path, 'utf8').split(/\n{2,}/)) {
    const lines = block.split('\n').filter((line) => !line.startsWith('#'));
    const at = lines.findIndex((line) => line.startsWith('msgstr'));
    const text = (part) => part.map((line) => JSON.parse(line.replace(/^msg(?:id|str|ctxt) /, ''))).join('');
    const context = lines[0]?.startsWith('msgctxt') ? 1 : 0;
    if (at > 0) entries.set(text(lines.slice(context, at)), text(lines.slice(at).filter((line) => line !== '')));
  }
  entries.delete('');
  return entries;
}

const gathered = mkdtempSync(join(tmpdir(), 'gauntlet-catalogues-'));
const problems = [];
try {
  cpSync(COMMITTED, gathered, { recursive: true });
  const { status } = spawnSync('npx', ['--no-install', 'lingui', 'extract', '--clean'], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, GAUNTLET_CATALOGUES: gathered },
  });
  if (status !== 0) problems.push('lingui extract failed');
  for (const file of readdirSync(COMMITTED).filter((name) => name.endsWith('.po'))) {
    const committed = entriesOf(join(COMMITTED, file));
    const wanted = entriesOf(join(gathered, file));
    for (const text of wanted.keys()) if (!committed.has(text)) problems.push(`${file} lacks: ${text}`);
    for (const [text, translation] of committed) {
      if (!wanted.has(text)) problems.push(`${file} holds what nobody says any more: ${text}`);
      else if (translation === '') problems.push(`${file} leaves untranslated: ${text}`);
    }
  }
} finally {
  rmSync(gathered, { recursive: true, force: true });
}

if (problems.length > 0) {
  console.error(problems.slice(0, MOST_LISTED).join('\n'));
  if (problems.length > MOST_LISTED) console.error(`… and ${problems.length - MOST_LISTED} more`);
  console.error('`npm run translations` gathers the texts; then translate what is empty.');
  process.exit(1);
}
console.log('Every text is translated.');
