/**
 * `npm run build:verify` builds the sources of this folder once more, in another folder with another time zone, language
 * and umask, and says whether that came to the very files of dist/. With an address it says whether the site there serves
 * them: `npm run build:verify -- https://site.example/`.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { register } from 'tsx/esm/api';
import { ROOT } from './install.mjs';

register();
const { BUILD_LIST, listBuild } = await import('../vite.list.ts');
const { sourcesOf } = await import('../vite.about.ts');
const { buildHash, BuildListSchema, MAX_BUILD_LIST_BYTES } = await import('../core/wire/build-list.ts');

const NOT_SOURCES = ['.git', '.cache', 'node_modules', 'dist', 'data', 'test-results', 'playwright-report'];
const MOST_SHOWN = 20;
/** More than any file of a build. */
const MAX_FILE_BYTES = 256 * 2 ** 20;
const REQUEST_MS = 120_000;

/** @returns the list of what a build of these sources in another place comes to */
function buildElsewhere() {
  mkdirSync(`${ROOT}.cache`, { recursive: true });
  // On the same disk, so that packages can be linked file by file: their place must not matter either.
  const folder = mkdtempSync(`${ROOT}.cache/build-`);
  try {
    const copy = join(folder, 'the same sources');
    for (const name of readdirSync(ROOT).filter((each) => !NOT_SOURCES.includes(each))) {
      cpSync(join(ROOT, name), join(copy, name), { recursive: true });
    }
    const linked = spawnSync('cp', ['-al', `${ROOT}node_modules`, join(copy, 'node_modules')], { stdio: 'ignore' });
    if (linked.status !== 0) symlinkSync(`${ROOT}node_modules`, join(copy, 'node_modules'));
    const { commit, date } = sourcesOf(ROOT);
    const { status } = spawnSync('sh', ['-c', 'umask 077; exec npx --no-install vite build --logLevel error'], {
      cwd: copy,
      stdio: 'inherit',
      env: {
        ...process.env,
        TZ: 'Pacific/Kiritimati',
        LC_ALL: 'tr_TR.UTF-8',
        ...(commit === null ? {} : { GAUNTLET_COMMIT: commit }),
        ...(date === null ? {} : { SOURCE_DATE_EPOCH: String(Date.parse(date) / 1_000) }),
      },
    });
    if (status !== 0) throw new Error('the build failed');
    return listBuild(join(copy, 'dist'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function download(url, maxBytes) {
  const response = await fetch(url, { signal: AbortSignal.timeout(REQUEST_MS) });
  if (!response.ok) throw new Error(`${url} was answered with ${response.status}`);
  const parts = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > maxBytes) throw new Error(`${url} is larger than anything that a build makes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** The hash of each file as a site serves it, whatever its own list says. @param wanted the paths to ask for */
async function listSite(site, wanted) {
  const told = BuildListSchema.parse(
    JSON.parse((await download(new URL(BUILD_LIST, site), MAX_BUILD_LIST_BYTES)).toString()),
  );
  const files = {};
  for (const path of new Set([...wanted, ...Object.keys(told.files)])) {
    const bytes = await download(new URL(path, site), MAX_FILE_BYTES).catch(() => undefined);
    if (bytes) files[path] = createHash('sha256').update(bytes).digest('hex');
  }
  return { hash: buildHash(files), files, told: told.hash };
}

function differences(files, others) {
  const paths = [...new Set([...Object.keys(files), ...Object.keys(others)])].sort();
  return paths.filter((path) => files[path] !== others[path]);
}

const [address] = process.argv.slice(2);
try {
  const built = buildElsewhere();
  console.log(`${built.hash}  what these sources come to`);
  const dist = `${ROOT}dist`;
  if (address === undefined && !existsSync(join(dist, BUILD_LIST))) {
    console.log('There is no build in dist/ to compare it with.');
    process.exit(0);
  }
  const other = address === undefined ? listBuild(dist) : await listSite(address, Object.keys(built.files));
  console.log(`${other.hash}  ${address ?? 'dist/'}`);
  const differing = differences(built.files, other.files);
  const told = other.told ?? JSON.parse(readFileSync(join(dist, BUILD_LIST), 'utf8')).hash;
  if (told !== other.hash) console.error(`${told}  is what its ${BUILD_LIST} says, which is wrong`);
  if (differing.length > 0) {
    console.error(`${differing.length} files differ:\n${differing.slice(0, MOST_SHOWN).join('\n')}`);
    if (differing.length > MOST_SHOWN) console.error('…');
  }
  process.exit(differing.length === 0 && told === other.hash ? 0 : 1);
} catch (error) {
  console.error(`Cannot be verified: ${error.message}.`);
  process.exit(2);
}
