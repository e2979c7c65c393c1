/** Finds a Chromium for the browser tests, or gets one: installed, Playwright's download, the system's packages. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ROOT } from './install.mjs';

const INSTALLED = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

const HELP = `No Chromium was found and none could be installed.
Install one (Debian, Ubuntu: apt-get install chromium; macOS: brew install --cask google-chrome),
or name yours: CHROMIUM_PATH=/path/to/chromium npm test`;

function playwrightChromium() {
  const require = createRequire(`${ROOT}package.json`);
  const path = require('@playwright/test').chromium.executablePath();
  return existsSync(path) ? path : undefined;
}

function tryCommand(command, args) {
  return spawnSync(command, args, { cwd: ROOT, stdio: 'inherit' }).status === 0;
}

/** The path of a Chromium. Exits this process with what to do when there is none. */
export function findChromium() {
  const named = process.env.CHROMIUM_PATH;
  if (named) {
    if (existsSync(named)) return named;
    console.error(`CHROMIUM_PATH names ${named}, which does not exist.`);
    process.exit(1);
  }
  const find = () => INSTALLED.find((path) => existsSync(path)) ?? playwrightChromium();
  const found = find();
  if (found) return found;
  console.log('No Chromium found; trying Playwright’s download …');
  if (tryCommand('npx', ['--no-install', 'playwright', 'install', 'chromium'])) {
    const downloaded = find();
    if (downloaded) return downloaded;
  }
  if (existsSync('/usr/bin/apt-get')) {
    console.log('Trying the system’s package manager …');
    const apt = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
    const [command, ...rest] = [...apt, 'apt-get'];
    tryCommand(command, [...rest, 'update', '-qq']);
    tryCommand(command, [...rest, 'install', '-y', '-qq', 'chromium']);
    const installed = find();
    if (installed) return installed;
  }
  console.error(HELP);
  process.exit(1);
}
