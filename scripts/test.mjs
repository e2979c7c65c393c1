/** `npm test`: every check of the project; prints `N passed, N failed` last. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { findChromium } from './chromium.mjs';
import { ensureInstalled, ROOT } from './install.mjs';
import { memoryFolder } from './memory-folder.mjs';
import { ensureServers } from './servers.mjs';

ensureInstalled();
const chromium = findChromium();
const servers = ensureServers();
const results = `${ROOT}test-results/`;
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });

const unitReport = `${results}unit.json`;
const e2eReport = `${results}../test-results-e2e.json`;

const SHOWN_LINES = 10;

/** A test that failed, and the beginning of why: the whole is far up in the output, or was cut off it. */
function failureOf(name, messages) {
  const why = messages
    .flatMap((message = '') => stripVTControlCharacters(message).split('\n'))
    .filter((line) => line.trim() !== '' && !line.includes('node_modules'));
  return [name, ...why.slice(0, SHOWN_LINES).map((line) => `    ${line}`)].join('\n');
}

/** The tests that failed in a file of Vitest's report, or the file if it could not be loaded. */
function failuresOfFile({ name, status, assertionResults, message }) {
  const file = relative(ROOT, name);
  const failed = assertionResults.filter((test) => test.status === 'failed');
  if (failed.length === 0 && status === 'failed') return [failureOf(file, [message])];
  return failed.map(({ fullName, failureMessages }) => failureOf(`${file} › ${fullName}`, failureMessages));
}

/** The tests that failed in a suite of Playwright's report. */
function failuresOfSuite({ suites = [], specs }) {
  const failed = specs
    .filter(({ ok }) => !ok)
    .map(({ file, line, title, tests }) => {
      const messages = tests.flatMap(({ results }) => results.flatMap(({ error }) => (error ? [error.message] : [])));
      return failureOf(`e2e/${file}:${line} › ${title}`, messages);
    });
  return [...failed, ...suites.flatMap((suite) => failuresOfSuite(suite))];
}

/** One process that passes or fails as a whole. */
const check = (name, args, program = ['npx', '--no-install']) => ({
  name,
  command: [...program, ...args],
  count: () => undefined,
});

/** The first takes as long as the others together. */
const STATIC_CHECKS = [
  check('lint', ['eslint', '.', '--max-warnings', '0']),
  check('format', ['prettier', '--check', '.']),
  check('types', ['tsc', '--noEmit', '-p', 'tsconfig.json']),
  check('types of core (no DOM, no Node)', ['tsc', '--noEmit', '-p', 'tsconfig.core.json']),
  check('dead code', ['knip']),
  check('translations', ['scripts/translations.mjs'], ['node']),
  check('packages of others', ['scripts/supply-chain.mjs'], ['node']),
];

const TESTS = [
  {
    name: 'unit tests',
    command: [
      'npx',
      '--no-install',
      'vitest',
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${unitReport}`,
    ],
    // Also so that what tests leave behind goes with it.
    env: { TMPDIR: memoryFolder() },
    count() {
      const { numPassedTests, testResults } = JSON.parse(readFileSync(unitReport, 'utf8'));
      return { passed: numPassedTests, failed: testResults.flatMap(failuresOfFile) };
    },
  },
  check('build', ['vite', 'build', '--logLevel', 'warn']),
  check('the same build elsewhere', ['scripts/build-verify.mjs'], ['node']),
  {
    name: 'browser tests',
    command: ['npx', '--no-install', 'playwright', 'test', '--reporter=list,json'],
    env: { CHROMIUM_PATH: chromium, PLAYWRIGHT_JSON_OUTPUT_FILE: e2eReport },
    count() {
      const { stats, suites, errors } = JSON.parse(readFileSync(e2eReport, 'utf8'));
      const failed = [...suites.flatMap((suite) => failuresOfSuite(suite)), ...errors.map(({ message }) => message)];
      return { passed: stats.expected + stats.flaky, failed };
    },
  },
];

let passed = 0;
const failures = [];
const summary = [];

function report({ name, count }, status, seconds) {
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
  const failed = counts?.failed ?? [];
  failures.push(...(failed.length === 0 && !ok ? [name] : failed));
  summary.push(`${ok ? 'ok  ' : 'FAIL'} ${name} (${seconds.toFixed(0)} s)`);
}

/** Runs a check; what it prints comes as it is printed, or all at once at its end. */
async function run(each, { buffered }) {
  const { name, command, env = {} } = each;
  const [program, ...args] = command;
  const title = `\n── ${name} ──\n`;
  const started = Date.now();
  if (!buffered) process.stdout.write(title);
  const child = spawn(program, args, {
    cwd: ROOT,
    stdio: buffered ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    env: { ...process.env, ...env },
  });
  const output = [];
  child.stdout?.on('data', (chunk) => output.push(chunk));
  child.stderr?.on('data', (chunk) => output.push(chunk));
  const [status] = await once(child, 'close');
  if (buffered) process.stdout.write(title + Buffer.concat(output).toString());
  report(each, status, (Date.now() - started) / 1_000);
}

const inTurn = async (checks, options) => {
  for (const each of checks) await run(each, options);
};

// Each of these is one thread's work, so two run at a time; the tests take every core there is.
await Promise.all(
  [STATIC_CHECKS.slice(0, 1), STATIC_CHECKS.slice(1)].map((checks) => inTurn(checks, { buffered: true })),
);
await servers;
await inTurn(TESTS, { buffered: false });

console.log(`\n${summary.join('\n')}\n`);
if (failures.length > 0) console.log(`Failed:\n${failures.map((name) => `  ${name}\n`).join('')}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 && passed > 0 ? 0 : 1;
