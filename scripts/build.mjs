/** Builds the app into dist/ when a source of it is newer than the last build. */
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { ROOT, run } from './install.mjs';

const APP_SOURCES = [
  'src',
  'workers',
  'client',
  'core',
  'chain',
  'engine',
  'public',
  // What the demonstration, the replay and the verifier are made of.
  'validator',
  'simulate',
  'index.html',
  'embed.html',
  'package-lock.json',
  ...readdirSync(ROOT).filter((name) => /^vite\..*\.ts$/.test(name)),
];

function newestChange(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newestChange(`${path}/${name}`)));
}

export function ensureBuilt() {
  const stamp = `${ROOT}dist/.built`;
  const changed = Math.max(...APP_SOURCES.map((source) => newestChange(ROOT + source)));
  if (existsSync(stamp) && statSync(stamp).mtimeMs > changed) return;
  console.log('Building the app …');
  run('npx', ['--no-install', 'vite', 'build', '--logLevel', 'warn']);
  writeFileSync(stamp, '');
}
