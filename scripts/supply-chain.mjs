/**
 * What the project is made of that others wrote: every package comes from the public registry with a hash, runs no script
 * at installation unless package.json says so, and has a licence that goes with ours. Known vulnerabilities are asked of
 * the registry where it answers such questions.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { ROOT } from './install.mjs';
import { billOfMaterials, productPackages } from './sbom.mjs';

const REGISTRY = 'https://registry.npmjs.org/';
const AUDIT_MS = 60_000;

const PERMISSIVE = [
  'MIT',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BSL-1.0',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'Python-2.0',
  'Unlicense',
  'Zlib',
  'CC0',
  'CC0-1.0',
  'CC-BY-4.0',
  // Of files, which nobody here changes.
  'MPL-2.0',
];

/** Looked at by a person. What of them the app may contain is vite.about.ts's question, which knows no exceptions. */
const EXCEPTIONS = {
  '@substrate/connect': 'GPL-3.0-only, an optional part of @polkadot/api: installed with it, never loaded',
  '@substrate/connect-extension-protocol': 'the same',
  '@substrate/connect-known-chains': 'the same',
  smoldot: 'GPL-3.0-or-later WITH Classpath-exception-2.0, the same',
  'cli-table': 'MIT by its LICENSE file',
  'parse-cache-control': 'BSD-3-Clause by its LICENSE file',
};

const nameIn = (path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

function isPermissive(licence = '') {
  const parts = licence.replace(/[()]/g, '').split(/ (?:AND|OR) /);
  return parts.every((part) => PERMISSIVE.includes(part));
}

/** @returns what is wrong with each package */
export function problemsOf(lock, { allowScripts }) {
  const problems = [];
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (path === '') continue;
    const name = nameIn(path);
    const say = (problem) => problems.push(`${name} ${entry.version ?? ''}: ${problem}`);
    if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(entry.integrity ?? '')) say('has no SHA-512 in the lock file');
    if (entry.resolved !== undefined && !entry.resolved.startsWith(REGISTRY)) say(`comes from ${entry.resolved}`);
    if (entry.hasInstallScript && !Object.hasOwn(allowScripts, name)) {
      say('runs a script when it is installed; read it, and decide in allowScripts of package.json');
    }
    if (!isPermissive(entry.license) && !Object.hasOwn(EXCEPTIONS, name)) {
      say(`has the licence ${entry.license ?? '(none)'}, which nobody has looked at`);
    }
  }
  return problems;
}

/** @returns a sentence, or undefined where the registry answers no such questions */
function audit() {
  const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--audit-level=high', '--json', '--fetch-retries=0'], {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: AUDIT_MS,
    shell: process.platform === 'win32',
  });
  let report;
  try {
    report = JSON.parse(stdout);
  } catch {
    return { skipped: 'npm audit said nothing' };
  }
  const found = report.metadata?.vulnerabilities;
  if (!found) return { skipped: report.message ?? report.error?.summary ?? 'it gave no report' };
  const names = Object.values(report.vulnerabilities)
    .filter(({ severity }) => severity === 'high' || severity === 'critical')
    .map(({ name, severity }) => `${name}: ${severity}; \`npm audit\` has more`);
  return { problems: names };
}

if (process.argv[1] === import.meta.filename) {
  const read = (file) => JSON.parse(readFileSync(ROOT + file, 'utf8'));
  const lock = read('package-lock.json');
  const problems = problemsOf(lock, read('package.json'));
  const audited = audit();
  if (audited.skipped)
    console.log(`Vulnerabilities were not asked for, since the registry does not answer: ${audited.skipped}`);
  problems.push(...(audited.problems ?? []));
  const listed = new Set(billOfMaterials().components.map(({ purl }) => purl));
  for (const each of productPackages()) {
    if (!listed.has(`pkg:npm/${each.replace(/^@/, '%40')}`)) problems.push(`${each}: is not in the bill of materials`);
  }
  if (problems.length > 0) {
    console.error(problems.join('\n'));
    process.exit(1);
  }
  console.log(`${Object.keys(lock.packages).length - 1} packages: hashes, sources, scripts and licences are in order.`);
}
