/** `npm start`: installs and builds what is missing or stale, then hands over to `gauntlet start`. */
import { spawn } from 'node:child_process';
import { ensureBuilt } from './build.mjs';
import { ensureInstalled, ROOT } from './install.mjs';

const args = process.argv.slice(2);
ensureInstalled();
if (!args.includes('--help') && !args.includes('-h')) ensureBuilt();

const child = spawn(process.execPath, [`${ROOT}bin/gauntlet.js`, 'start', ...args], { stdio: 'inherit' });
// Ctrl-C reaches the child by itself (same process group); a signal sent to this process alone is passed on.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
