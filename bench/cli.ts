/** `npm run bench`: contenders on this machine's adapter, in Chromium. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser } from '@playwright/test';
import { build, preview } from 'vite';
import { CHROMIUM } from '../e2e/chromium.ts';
import { expectOnProcessor } from './expect.ts';
import type { Job, JobResult, RunJob } from './job.ts';
import { currentCommit, describeMachine } from './machine.ts';
import { parseCommandLine } from './options.ts';
import { markdown, parseReport } from './report.ts';
import { runBench } from './run.ts';
import { pageConfig } from './vite.ts';

const args = process.argv.slice(2);
const { json, table, timeout, ...options } = parseCommandLine(args);

/** WASM threads need cross-origin isolation, as the app has it. */
const ISOLATION = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/** A page of its own for every job: what one contender leaves behind is gone before the next. */
function jobsIn(browser: Browser, address: string): RunJob {
  return async <J extends Job>(job: J) => {
    const page = await browser.newPage();
    try {
      await page.goto(address);
      await page.waitForFunction(() => 'runTabJob' in window);
      const late = new Promise<never>((_, reject) => {
        setTimeout(() => reject(new Error(`not done after ${timeout} minutes`)), timeout * 60_000).unref();
      });
      return (await Promise.race([page.evaluate((job) => window.runTabJob(job), job), late])) as JobResult<J>;
    } catch (error) {
      return { ok: false, reason: (error as Error).message };
    } finally {
      await page.close();
    }
  };
}

async function benchInChromium() {
  const outDir = await mkdtemp(join(tmpdir(), 'gauntlet-bench-'));
  await build(pageConfig(outDir));
  const server = await preview({ ...pageConfig(outDir), preview: { port: 0, host: '127.0.0.1', headers: ISOLATION } });
  const browser = await chromium.launch({
    ...CHROMIUM,
    // Tells the driver.
    args: [...(CHROMIUM.args ?? []), '--enable-webgpu-developer-features'],
  });
  try {
    return await runBench(options, {
      runJob: jobsIn(browser, `${server.resolvedUrls!.local[0]!}tab.html`),
      expect: expectOnProcessor,
      command: ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
      commit: currentCommit(),
      runner: `Chromium ${browser.version()}`,
      machine: describeMachine(),
    });
  } finally {
    await browser.close();
    await server.close();
    await rm(outDir, { recursive: true });
  }
}

const report = table === undefined ? await benchInChromium() : parseReport(await readFile(table, 'utf8'));
if (json !== undefined) await writeFile(json, `${JSON.stringify(report, null, 2)}\n`);
console.log(markdown(report));
