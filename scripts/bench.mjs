/** `npm run bench`: installs what is missing, also what is compared with, and hands over to the benchmark. */
import { findChromium } from './chromium.mjs';
import { ensureInstalled, ROOT, run } from './install.mjs';

ensureInstalled();
ensureInstalled(`${ROOT}bench/`);
run('npx', ['--no-install', 'tsx', 'bench/cli.ts', ...process.argv.slice(2)], { CHROMIUM_PATH: findChromium() });
