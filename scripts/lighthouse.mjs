/**
 * `npm run lighthouse`: a Lighthouse report of the first screen of a running validator, as a file. Figures are those of
 * this machine, on Lighthouse's own desktop profile.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import lighthouse, { desktopConfig } from 'lighthouse';
import { chromium } from '@playwright/test';
import { ensureBuilt } from './build.mjs';
import { findChromium } from './chromium.mjs';
import { ROOT } from './install.mjs';

const REPORTS = join(ROOT, 'docs/measurements');
const CATEGORIES = ['performance', 'accessibility', 'best-practices'];
const LEAST = 95;
const DEBUG_PORT = 9_222;
/** So that the page has figures to show. */
const WINDOWS_FIRST = 3;

ensureBuilt();
const folder = mkdtempSync(join(tmpdir(), 'gauntlet-lighthouse-'));
const flags = ['--preset', 'micro', '--window', '8', '--peers', '2', '--attackers', '1', '--port', '0'];
const validator = spawn(process.execPath, ['bin/gauntlet.js', 'start', '--data', join(folder, 'run'), ...flags], {
  cwd: ROOT,
  stdio: ['ignore', 'pipe', 'inherit'],
});
try {
  const url = await new Promise((resolve, reject) => {
    let address;
    createInterface({ input: validator.stdout }).on('line', (line) => {
      address ??= /https?:\/\/\S+/.exec(line)?.[0];
      if (address && line.startsWith(`window ${WINDOWS_FIRST}:`)) resolve(address);
    });
    validator.once('exit', (code) => reject(new Error(`the validator exited with ${code}`)));
  });
  const browser = await chromium.launch({
    executablePath: findChromium(),
    args: [`--remote-debugging-port=${DEBUG_PORT}`, '--headless=new', '--no-sandbox'],
  });
  try {
    const { lhr, report } = await lighthouse(
      url,
      { port: DEBUG_PORT, output: ['html', 'json'], onlyCategories: CATEGORIES, logLevel: 'error' },
      desktopConfig,
    );
    mkdirSync(REPORTS, { recursive: true });
    writeFileSync(join(REPORTS, 'lighthouse.html'), report[0]);
    const scores = CATEGORIES.map((name) => [name, Math.round(lhr.categories[name].score * 100)]);
    for (const [name, score] of scores) console.log(`${name}: ${score}`);
    console.log(`interactive after ${lhr.audits.interactive.displayValue}`);
    for (const audit of Object.values(lhr.audits)) {
      if (audit.score !== null && audit.score < 0.9) console.log(`  ${audit.id}: ${audit.displayValue ?? audit.title}`);
    }
    if (scores.some(([, score]) => score < LEAST)) process.exitCode = 1;
  } finally {
    await browser.close();
  }
} finally {
  validator.kill('SIGINT');
  await new Promise((resolve) => validator.once('exit', resolve));
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
