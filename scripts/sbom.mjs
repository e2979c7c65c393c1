/**
 * `npm run sbom` writes sbom.cdx.json: what the product needs of others, as CycloneDX, by npm from the lock file, with what
 * the last build of the app contains marked. The same lock file and build give the same bytes: npm's time and serial
 * number, which the format leaves to its writer, are left out.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './install.mjs';

const OUT = `${ROOT}sbom.cdx.json`;
const BUNDLED = `${ROOT}dist/third-party-packages.json`;
const FOLDER = 'node_modules/';
/** Of this project's own. */
const IN_THE_APP = 'gauntlet:in-the-app';

const readJson = (file) => JSON.parse(readFileSync(ROOT + file, 'utf8'));
const by = (key) => (a, b) => (a[key] < b[key] ? -1 : 1);

/** The project without what is there for development alone. */
function product() {
  const manifest = readJson('package.json');
  const lock = readJson('package-lock.json');
  delete manifest.devDependencies;
  delete lock.packages[''].devDependencies;
  lock.packages = Object.fromEntries(Object.entries(lock.packages).filter(([, { dev }]) => !dev));
  return { manifest, lock };
}

/** What is not there for development alone, `name@version` each. */
export function productPackages() {
  const paths = Object.entries(product().lock.packages).filter(([path]) => path !== '');
  return new Set(
    paths.map(([path, { version }]) => `${path.slice(path.lastIndexOf(FOLDER) + FOLDER.length)}@${version}`),
  );
}

/** In a folder of its own: `--omit=dev` would leave out whatever development needs too, and npm takes the folder's name. */
function askNpm() {
  const { manifest, lock } = product();
  const parent = mkdtempSync(join(tmpdir(), 'sbom-'));
  const folder = join(parent, manifest.name);
  try {
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock));
    const { status, stdout, stderr } = spawnSync(
      'npm',
      ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'],
      { cwd: folder, encoding: 'utf8', maxBuffer: 64 * 2 ** 20, shell: process.platform === 'win32' },
    );
    if (status !== 0) throw new Error(`npm sbom failed: ${stderr.trim()}`);
    return JSON.parse(stdout);
  } finally {
    rmSync(parent, { recursive: true });
  }
}

/** @param bundled packages that the app is made of, `name@version` each; none before a build */
export function billOfMaterials(bundled = []) {
  const bom = askNpm();
  const { components, dependencies, metadata } = bom;
  for (const changing of ['timestamp', 'tools']) delete metadata[changing];
  delete bom.serialNumber;
  const known = new Set(components.map(({ name, version }) => `${name}@${version}`));
  const unknown = bundled.filter((each) => !known.has(each));
  if (unknown.length > 0)
    throw new Error(`the app contains what no package of the lock file is: ${unknown.join(', ')}`);
  const mark = (component) =>
    bundled.includes(`${component.name}@${component.version}`)
      ? { ...component, properties: [...(component.properties ?? []), { name: IN_THE_APP, value: 'true' }] }
      : component;
  return {
    ...bom,
    components: components.map(mark).sort(by('bom-ref')),
    dependencies: dependencies
      .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: [...dependsOn].sort() }))
      .sort(by('ref')),
  };
}

if (process.argv[1] === import.meta.filename) {
  const bundled = existsSync(BUNDLED)
    ? JSON.parse(readFileSync(BUNDLED, 'utf8')).map(({ name, version }) => `${name}@${version}`)
    : [];
  const bom = billOfMaterials(bundled);
  writeFileSync(OUT, `${JSON.stringify(bom, null, 1)}\n`);
  console.log(`sbom.cdx.json: ${bom.components.length} packages, ${bundled.length} of them in the app as it is built.`);
}
