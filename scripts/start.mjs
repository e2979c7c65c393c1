/** `npm start`: installs and builds what is missing or stale, then hands over to `gauntlet start`. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { ensureInstalled, ROOT, run } from './install.mjs';

const APP_SOURCES = [
  'src',
  'workers',
  'client',
  'core',
  'chain',
  'engine',
  'public',
  'index.html',
  'vite.config.ts',
  'vite.lingui.ts',
  'vite.pwa.ts',
  'package-lock.json',
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

const args = process.argv.slice(2);
ensureInstalled();
if (!args.includes('--help') && !args.includes('-h')) ensureBuilt();

const child = spawn(process.execPath, [`${ROOT}bin/gauntlet.js`, 'start', ...args], { stdio: 'inherit' });
// Ctrl-C reaches the child by itself (same process group); a signal sent to this process alone is passed on.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
