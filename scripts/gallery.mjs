/** `npm run gallery`: takes the pictures of docs/gallery anew, in a built app against a real validator. */
import { rmSync } from 'node:fs';
import { ensureBuilt } from './build.mjs';
import { findChromium } from './chromium.mjs';
import { ensureInstalled, ROOT, run } from './install.mjs';

const FOLDER = `${ROOT}docs/gallery`;

ensureInstalled();
ensureBuilt();
rmSync(FOLDER, { recursive: true, force: true });
run('npx', ['--no-install', 'playwright', 'test', 'e2e/gallery'], { CHROMIUM_PATH: findChromium(), GALLERY: FOLDER });
