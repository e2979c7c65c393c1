/**
 * What the validator's judge costs: evaluations a minute and the delay of the event loop that answers requests, for
 * the engine as it first was (a copy of θ a candidate, everything on the server's thread), the same without copies,
 * and threads in several divisions. All on the same window, in one run, the ways taking turns.
 */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { applyOuterStep } from '../core/lockstep/outer-step.ts';
import { encodePage, pageBatch, pageFormat } from '../core/data/pages.ts';
import { nextTokenBatch } from '../core/data/batch.ts';
import { memorySigner } from '../core/identity/signing.ts';
import { encodeAddress } from '../core/identity/ss58.ts';
import { stateRoot } from '../core/lockstep/state-root.ts';
import { initialParameters } from '../core/model/initialise.ts';
import { parameterLayout } from '../core/model/layout.ts';
import { isPresetName, PRESETS, type PresetName } from '../core/model/presets.ts';
import { createRandom, seedFrom } from '../core/numerics/prng.ts';
import type { RunManifest } from '../core/protocol/manifest.ts';
import { createScheme } from '../core/scheme/create-scheme.ts';
import { encodeContribution } from '../core/wire/contribution.ts';
import { createNodeEvaluator } from '../engine/node.ts';
import { createJudgePool } from '../validator/adapters/judge-pool.ts';
import { nodeDigest } from '../validator/adapters/run-folder.ts';
import { evaluateContributions } from '../validator/rounds/evaluation-stage.ts';
import { inLanes } from '../validator/rounds/in-lanes.ts';
import { decodeUpload } from '../validator/rounds/inspect.ts';
import { createLocalJudgeEngine } from '../validator/rounds/local-judge-engine.ts';
import { createLossMeter } from '../validator/rounds/losses.ts';
import type { JudgedRun, JudgeEngine, SignedBytes } from '../validator/rounds/ports.ts';
import { median } from './measure.ts';

const { values } = parseArgs({
  options: {
    preset: { type: 'string', multiple: true, default: ['nano', 'mini'] },
    repeat: { type: 'string', default: '3' },
    json: { type: 'string' },
  },
});

const PAGES = 64;
const PAGES_TRAINED = 8;
const WINDOW = 1;
const BEACON = '5e'.repeat(32);
const CORES = availableParallelism();
const SIGNER = memorySigner(seedFrom('bench'));
const HOTKEY = encodeAddress(SIGNER.publicKey);
const SESSION_KEY = Buffer.from(SIGNER.publicKey).toString('hex');
/** `monitorEventLoopDelay` counts its own period in. */
const RESOLUTION_MS = 5;

/** A window to judge: random weights, random pages, contributions of random gradients. */
async function createBenchWindow(name: PresetName) {
  const preset = PRESETS[name];
  const { model } = preset;
  const random = createRandom(seedFrom('bench'), name);
  const data = { ...preset.data, heldOutPages: 4, pages: PAGES, tokenBytes: 2 as const };
  const manifest = { ...preset, data, tokenizer: { vocabSize: model.vocabSize } } as unknown as RunManifest;
  const format = pageFormat(manifest);
  const scheme = createScheme(preset.scheme, parameterLayout(model));
  const parameters = initialParameters(model, seedFrom('bench'));
  const { root } = await stateRoot(parameters, preset.checkpoint.chunkBytes, nodeDigest);
  const pages = Array.from({ length: PAGES }, () =>
    encodePage(
      Int32Array.from({ length: format.sequences * format.length }, () => random.below(model.vocabSize)),
      format,
    ),
  );
  const hashes = pages.map((page) => createHash('sha256').update(page).digest('hex'));
  const run = '00'.repeat(16);
  const contributions: Uint8Array<ArrayBuffer>[] = [];
  for (let peer = 0; peer < preset.gauntlet.evaluationsPerWindow; peer++) {
    const gradient = parameters.map(() => random.uniform() - 0.5);
    const header = {
      run,
      window: WINDOW,
      hotkey: HOTKEY,
      scheme: scheme.name,
      root,
      pagesTrained: PAGES_TRAINED,
      sampleDigest: root,
      trainLoss: 8,
      syncSample: [],
    };
    const body = scheme.createContributor().compress(gradient, scheme.learningRate(WINDOW));
    contributions.push(await encodeContribution(header, body, SIGNER));
  }
  return {
    judged: { run, manifest } satisfies JudgedRun,
    context: { manifest, scheme, pages: { format, hashes, train: PAGES - data.heldOutPages } },
    blobs: { read: (hash: string) => Promise.resolve(pages[hashes.indexOf(hash)]) },
    state: { root, parameters },
    pages,
    /** Fresh bytes, since they are given away. */
    contribution: (peer: number): SignedBytes => ({ bytes: contributions[peer]!.slice(), sessionKey: SESSION_KEY }),
    peers: contributions.map((_, peer) => peer),
  };
}

type BenchWindow = Awaited<ReturnType<typeof createBenchWindow>>;

/** The first version: a candidate is a copy of θ, and the evaluator is given a copy of that. */
function firstVersion({ judged, context: { scheme, pages } }: BenchWindow): JudgeEngine {
  const evaluator = createNodeEvaluator({
    config: judged.manifest.model,
    sequences: judged.manifest.data.pageSequences,
    intraOpThreads: CORES,
  });
  const local = createLocalJudgeEngine(judged, { createEvaluator: () => evaluator, digest: nodeDigest });
  let base: Float32Array<ArrayBuffer>;
  return {
    ...local,
    use(state) {
      base = state.parameters;
      return local.use(state);
    },
    async losses(given, trial) {
      if (!trial) return local.losses(given);
      const candidate = base.slice();
      const { delta } = decodeUpload({ scheme }, trial.contribution);
      applyOuterStep(candidate, scheme.outerStep([delta], trial.stepSize, trial.clipNorms));
      const engine = await evaluator;
      await engine.setParameters(candidate);
      const sums = [];
      for (const page of given) sums.push(await engine.loss(pageBatch(page, pages.format)));
      return sums;
    },
  };
}

interface Way {
  readonly name: string;
  readonly create: (window: BenchWindow) => JudgeEngine;
}

const WAYS: readonly Way[] = [
  { name: 'first version: copies, server’s thread', create: firstVersion },
  {
    name: 'in place, server’s thread',
    create: ({ judged }) =>
      createLocalJudgeEngine(judged, {
        createEvaluator: (options) => createNodeEvaluator({ ...options, intraOpThreads: CORES }),
        digest: nodeDigest,
      }),
  },
  {
    name: `in place, 1 lane of ${CORES} threads`,
    create: ({ judged }) => createJudgePool(judged, { lanes: 1, intraOpThreads: CORES }),
  },
  {
    name: `in place, ${CORES} lanes of 1 thread`,
    create: ({ judged }) => createJudgePool(judged, { lanes: CORES, intraOpThreads: 1 }),
  },
];

interface Figures {
  readonly evaluationsPerMinute: number;
  readonly judgeMs: number;
  /** Beyond the period of the monitor. */
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
}

/** One judgement's arithmetic: all inspected, all evaluated, all folded in, held-out loss before and after. */
async function judge(window: BenchWindow, engine: JudgeEngine): Promise<Figures> {
  const { context, blobs, state, peers, contribution } = window;
  const meter = createLossMeter(context, blobs, engine);
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  // The monitor's first period has to begin before the loop is held up.
  await delay(3 * RESOLUTION_MS);
  const started = performance.now();
  await inLanes(peers, engine.lanes, (peer) => engine.inspect(contribution(peer)));
  await engine.use(state);
  const evaluating = performance.now();
  const losses = await evaluateContributions(context, meter, {
    open: { window: WINDOW },
    drawn: peers.map((peer) => {
      const pages = Array.from({ length: PAGES_TRAINED }, (_, i) => PAGES_TRAINED * peer + i);
      return { hotkey: String(peer), contribution: { assignedPages: pages, trainedPages: pages } };
    }),
    beacon: BEACON,
    read: (hotkey) => Promise.resolve(contribution(Number(hotkey))),
    clipNorms: null,
    mayBegin: () => true,
    lanes: engine.lanes,
  });
  const evaluationMs = performance.now() - evaluating;
  await meter.heldOut();
  await engine.advance(WINDOW, peers.map(contribution));
  await meter.heldOut();
  const judgeMs = performance.now() - started;
  await delay(3 * RESOLUTION_MS);
  histogram.disable();
  const beyond = (ns: number): number => Math.max(0, ns / 1e6 - RESOLUTION_MS);
  return {
    evaluationsPerMinute: (60_000 * losses.length) / evaluationMs,
    judgeMs,
    delayP99Ms: beyond(histogram.percentile(99)),
    delayMaxMs: beyond(histogram.max),
  };
}

/** Milliseconds a page by pages a batch, on one thread: what larger batches are worth. */
async function pagesABatch({ judged, pages, context, state }: BenchWindow): Promise<Record<number, number>> {
  const { model: config, data } = judged.manifest;
  const result: Record<number, number> = {};
  for (const count of [1, 2, 4]) {
    const sequences = count * data.pageSequences;
    const evaluator = await createNodeEvaluator({ config, sequences, intraOpThreads: 1 });
    await evaluator.setParameters(state.parameters);
    const ids = pages.slice(0, count).flatMap((page) => [...pageBatch(page, context.pages.format).tokens]);
    const batch = nextTokenBatch(ids, sequences, config.contextLength);
    await evaluator.loss(batch);
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      const begun = performance.now();
      await evaluator.loss(batch);
      times.push((performance.now() - begun) / count);
    }
    result[count] = median(times);
    await evaluator.dispose();
  }
  return result;
}

const medianOf = (all: readonly Figures[]): Figures => ({
  evaluationsPerMinute: median(all.map((figures) => figures.evaluationsPerMinute)),
  judgeMs: median(all.map(({ judgeMs }) => judgeMs)),
  delayP99Ms: median(all.map(({ delayP99Ms }) => delayP99Ms)),
  delayMaxMs: median(all.map(({ delayMaxMs }) => delayMaxMs)),
});

console.log(`${cpus()[0]?.model ?? 'processor'}, ${CORES} threads, Node ${process.version}`);
const report = [];
for (const preset of values.preset) {
  if (!isPresetName(preset)) throw new Error(`there is no preset ${preset}`);
  const window = await createBenchWindow(preset);
  const batches = await pagesABatch(window);
  const engines = WAYS.map(({ name, create }) => ({ name, engine: create(window), all: [] as Figures[] }));
  // Compiles, starts threads.
  for (const { engine } of engines) {
    await engine.use(window.state);
    await inLanes([0, ...window.peers], engine.lanes, () => engine.losses(window.pages.slice(0, 1)));
  }
  for (let i = 0; i < Number(values.repeat); i++) {
    for (const { engine, all } of engines) all.push(await judge(window, engine));
  }
  for (const { engine } of engines) await engine.dispose();
  const rows = engines.map(({ name, all }) => ({ name, ...medianOf(all) }));
  report.push({ preset, batches, rows });
  const first = rows[0]!.evaluationsPerMinute;
  console.log(`\n${preset}: ${window.peers.length} evaluations a judgement, median of ${values.repeat}`);
  for (const { name, evaluationsPerMinute, judgeMs, delayP99Ms, delayMaxMs } of rows) {
    console.log(
      `${name.padEnd(40)} ${evaluationsPerMinute.toFixed(1).padStart(7)} evaluations/min (${(evaluationsPerMinute / first).toFixed(2)}x)  judgement ${judgeMs.toFixed(0).padStart(6)} ms  event loop late by p99 ${delayP99Ms.toFixed(0).padStart(5)} ms, at most ${delayMaxMs.toFixed(0)} ms`,
    );
  }
  const perPage = Object.entries(batches).map(([count, ms]) => `${count}: ${ms.toFixed(0)}`);
  console.log(`ms a page on one thread, by pages a batch: ${perPage.join(', ')}`);
}
if (values.json) {
  const machine = { processor: cpus()[0]?.model, threads: CORES, node: process.version };
  await writeFile(values.json, `${JSON.stringify({ machine, report }, null, 2)}\n`);
}
