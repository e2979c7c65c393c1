/** `npm run bench`: tokens a second of the tab (WebGPU, WASM) and of Node, and what a window costs besides training. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { chromium } from '@playwright/test';
import { createServer } from 'vite';
import type { ModelConfig } from '../core/model/config.ts';
import { initialParameters } from '../core/model/initialise.ts';
import { parameterLayout } from '../core/model/layout.ts';
import { isPresetName, PRESETS } from '../core/model/presets.ts';
import { createScheme } from '../core/scheme/create-scheme.ts';
import { CHROMIUM } from '../e2e/chromium.ts';
import type { BackendReport } from '../engine/engine.ts';
import { createNodeTrainer } from '../engine/node.ts';
import { measureTrainer, median } from './measure.ts';
import type { TabResult, Timings } from './tab-job.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    preset: { type: 'string' },
    json: { type: 'string' },
  },
});
const preset = values.preset ?? (values.quick ? 'micro' : 'nano');
if (!isPresetName(preset)) throw new Error(`there is no preset ${preset}`);
const config: ModelConfig = PRESETS[preset].model;
const sequences = Math.max(1, PRESETS[preset].data.pageSequences >> 1);
const steps = values.quick ? 5 : 20;

type Row =
  | ({ readonly where: string; readonly report: BackendReport } & Timings)
  | { readonly where: string; readonly skipped: string };

async function benchNode(intraOpThreads: number): Promise<Row> {
  const { trainer, ...timings } = await measureTrainer(() => createNodeTrainer({ config, sequences, intraOpThreads }), {
    config,
    steps,
  });
  return { where: 'Node', report: trainer.report, ...timings };
}

async function benchTab(): Promise<Row[]> {
  const server = await createServer({
    logLevel: 'error',
    server: { port: 0, host: '127.0.0.1' },
    // A dependency found while the page runs would reload the page.
    optimizeDeps: { entries: ['bench/tab.html', 'bench/tab-worker.ts'] },
  });
  await server.listen();
  const browser = await chromium.launch(CHROMIUM);
  try {
    const page = await browser.newPage();
    await page.goto(`${server.resolvedUrls!.local[0]!}bench/tab.html`);
    await page.waitForFunction(() => 'runTabJob' in window);
    const rows: Row[] = [];
    for (const backend of ['wasm', 'webgpu'] as const) {
      const where = backend === 'wasm' ? 'tab, WASM' : 'tab, WebGPU';
      const result: TabResult = await page.evaluate((job) => window.runTabJob(job), {
        backend,
        config,
        sequences,
        steps,
      });
      rows.push(result.ok ? { where, report: result.report, ...result.timings } : { where, skipped: result.reason });
    }
    return rows;
  } finally {
    await browser.close();
    await server.close();
  }
}

/** Milliseconds of the scheme's own work in a window, with five contributions. */
function benchScheme(): { compressMs: number; decodeMs: number; outerStepMs: number; bodyBytes: number } {
  const layout = parameterLayout(config);
  const scheme = createScheme(PRESETS[preset as keyof typeof PRESETS].scheme, layout);
  const gradient = initialParameters(config, new TextEncoder().encode('gradient'));
  const contributor = scheme.createContributor();
  const timed = <T>(work: () => T): { ms: number; result: T } => {
    const times: number[] = [];
    let result = work();
    for (let i = 0; i < 3; i++) {
      const begun = performance.now();
      result = work();
      times.push(performance.now() - begun);
    }
    return { ms: median(times), result };
  };
  const body = timed(() => contributor.compress(gradient, scheme.learningRate(1)));
  const delta = timed(() => scheme.decodeBody(body.result));
  const step = timed(() =>
    scheme.outerStep(
      Array.from({ length: 5 }, () => delta.result),
      scheme.learningRate(1),
    ),
  );
  return { compressMs: body.ms, decodeMs: delta.ms, outerStepMs: step.ms, bodyBytes: scheme.bodyBytes };
}

const rows: Row[] = [await benchNode(1), await benchNode(2), ...(await benchTab())];
const scheme = benchScheme();

console.log(`preset ${preset}, ${sequences} x ${config.contextLength} tokens a step, median of ${steps}\n`);
for (const row of rows) {
  const label = row.where.padEnd(12);
  if ('skipped' in row) {
    console.log(`${label} –  ${row.skipped}`);
    continue;
  }
  const speed = Math.round((1_000 * row.tokens) / row.stepMs);
  const note = row.report.software ? '  [software adapter: not comparable with a GPU]' : '';
  console.log(
    `${label} ${String(speed).padStart(8)} tokens/s  ${row.stepMs.toFixed(1).padStart(8)} ms a step  compiled in ${(row.compileMs / 1_000).toFixed(1)} s  ${row.report.device}${note}`,
  );
}
console.log(
  `\nscheme: compress ${scheme.compressMs.toFixed(0)} ms, decode ${scheme.decodeMs.toFixed(0)} ms, outer step of 5 ${scheme.outerStepMs.toFixed(0)} ms, ${scheme.bodyBytes} bytes a contribution`,
);
if (values.json)
  await writeFile(values.json, `${JSON.stringify({ preset, sequences, steps, rows, scheme }, null, 2)}\n`);
process.exit(0);
