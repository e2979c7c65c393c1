/** `npm run bench`: installs what is missing, finds a Chromium, and hands over to the benchmark. */
import { findChromium } from './chromium.mjs';
import { ensureInstalled, run } from './install.mjs';

ensureInstalled();
run('npx', ['--no-install', 'tsx', 'bench/cli.ts', ...process.argv.slice(2)], { CHROMIUM_PATH: findChromium() });
