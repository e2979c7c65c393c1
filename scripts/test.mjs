/** `npm test`: every check of the project, one after another; prints `N passed, N failed` last. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { findChromium } from './chromium.mjs';
import { ensureInstalled, ROOT } from './install.mjs';

ensureInstalled();
const chromium = findChromium();
const results = `${ROOT}test-results/`;
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });

const unitReport = `${results}unit.json`;
const e2eReport = `${results}../test-results-e2e.json`;

/** One process that passes or fails as a whole. */
const check = (name, args) => ({ name, args, count: () => undefined });

const CHECKS = [
  check('format', ['prettier', '--check', '.']),
  check('types', ['tsc', '--noEmit', '-p', 'tsconfig.json']),
  check('types of core (no DOM, no Node)', ['tsc', '--noEmit', '-p', 'tsconfig.core.json']),
  check('lint', ['eslint', '.', '--max-warnings', '0']),
  check('dead code', ['knip']),
  {
    name: 'unit tests',
    args: ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${unitReport}`],
    count() {
      const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(unitReport, 'utf8'));
      return { passed: numPassedTests, failed: numFailedTests };
    },
  },
  check('build', ['vite', 'build', '--logLevel', 'warn']),
  {
    name: 'browser tests',
    args: ['playwright', 'test', '--reporter=list,json'],
    env: { CHROMIUM_PATH: chromium, PLAYWRIGHT_JSON_OUTPUT_FILE: e2eReport },
    count() {
      const { stats } = JSON.parse(readFileSync(e2eReport, 'utf8'));
      return { passed: stats.expected + stats.flaky, failed: stats.unexpected };
    },
  },
];

let passed = 0;
let failed = 0;
const summary = [];
for (const { name, args, env = {}, count } of CHECKS) {
  console.log(`\n── ${name} ──`);
  const started = Date.now();
  const { status } = spawnSync('npx', ['--no-install', ...args], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  let counts;
  try {
    counts = count();
  } catch (error) {
    // No report: the runner itself fell over, which its status says too.
    console.error(`no report of ${name}: ${error.message}`);
  }
  const ok = status === 0;
  passed += counts?.passed ?? (ok ? 1 : 0);
  // A runner that fails without a failed test (a crash, an unhandled rejection) is a failure all the same.
  failed += Math.max(counts?.failed ?? 0, ok ? 0 : 1);
  summary.push(`${ok ? 'ok  ' : 'FAIL'} ${name} (${((Date.now() - started) / 1_000).toFixed(0)} s)`);
}

console.log(`\n${summary.join('\n')}\n`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
