/**
 * One window of so many peers on the real validator, in a process of its own so that its memory is its own:
 * `npx tsx bench/growth/window.ts PRESET PEERS`. The answer goes to the parent process.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beaconOf } from '../../core/gauntlet/beacon.ts';
import { scoreWindow } from '../../core/gauntlet/scoring.ts';
import { drawEvaluations, selectAggregation } from '../../core/gauntlet/selection.ts';
import { scoredVerdicts } from '../../core/gauntlet/verdicts.ts';
import type { PresetName } from '../../core/model/presets.ts';
import { createJudgePool } from '../../validator/adapters/judge-pool.ts';
import { systemClock } from '../../validator/adapters/system-clock.ts';
import { judgeWindow } from '../../validator/rounds/judge.ts';
import type { RoundsPorts } from '../../validator/rounds/context.ts';
import { publishWindow } from '../../validator/rounds/publish.ts';
import { createViews } from '../../validator/rounds/views.ts';
import { createCrowdRun, parametersOf } from './crowd.ts';
import { quiet, unmeasured } from './quiet.ts';
import { createStopwatch } from './stopwatch.ts';

export interface WindowFigures {
  readonly preset: PresetName;
  readonly parameters: number;
  readonly peers: number;
  /** Milliseconds. */
  readonly stages: Readonly<Record<string, number>>;
  readonly bytes: Readonly<Record<string, number>>;
  readonly evaluations: number;
  /** Largest resident set of the process, bytes. */
  readonly memory: number;
}

const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

async function measureWindow(preset: PresetName, peers: number): Promise<WindowFigures> {
  const dir = await mkdtemp(join(tmpdir(), 'growth-'));
  const clock = createStopwatch();
  const { folder, context, open, parameters, payload } = await createCrowdRun(dir, {
    preset,
    peers,
    onProgress: (done) => process.send?.({ progress: `${preset}, ${peers} peers: ${done} contributions made` }),
  });
  const { manifest } = context;
  const pool = createJudgePool({ run: context.run, manifest });
  try {
    // Compiles before the clock runs.
    await pool.use({ root: open.stateRoot, parameters });
    const page = (await folder.blobs.read(context.pages.hashes[0]!))!;
    await Promise.all(Array.from({ length: pool.lanes }, () => pool.losses([page])));
    process.send?.({ progress: `${preset}, ${peers} peers: judging` });
    const engine = clock.watch(pool, {
      inspect: 'fast checks',
      measure: 'norms and sketches',
      suspects: 'search for copies',
      overlaps: 'copies compared',
      losses: 'loss scores',
      advance: 'aggregate, outer step, root',
    });
    const ports: RoundsPorts = {
      ...folder,
      store: clock.watch(folder.store, { closeWindow: 'transaction' }),
      uploads: clock.watch(folder.uploads, { publish: 'contributions made public' }),
      clock: systemClock,
      createJudgeEngine: () => engine,
      log: quiet,
      metrics: unmeasured,
    };
    const judgement = await clock.time('judgement', () => judgeWindow(context, ports, engine, { open, parameters }));
    await clock.time('publication', () => publishWindow(context, ports, open, judgement));

    const { window } = open;
    const { gauntlet } = manifest;
    const beacon = beaconOf(open.beaconSecret, window, judgement.contributions);
    const { scored } = judgement;
    await clock.time('draw', () => drawEvaluations(window, scored, gauntlet, beacon));
    await clock.time('ratings, scores, weights', () => scoreWindow(window, scored, gauntlet));
    await clock.time('selection and verdicts', () => {
      selectAggregation(window, scored, gauntlet, beacon);
      return scoredVerdicts(window, scored, gauntlet);
    });

    const next = await folder.store.openWindow();
    const views = createViews(context, folder.store, { open: () => next, phase: () => 'train' });
    const leaderboard = await clock.time('leaderboard', () => views.leaderboard());
    await clock.time('leaderboard as text', () => JSON.stringify(leaderboard));
    const peer = await clock.time('peer page', () => views.peer(scored[0]!.hotkey));
    const record = await views.window(window);
    const book = (await folder.store.book(window))!.ref.bytes;
    const step = record.outerStep!.bytes;
    return {
      preset,
      parameters: parametersOf(preset),
      peers,
      stages: clock.totals,
      bytes: {
        contribution: payload,
        'contributions in': payload * peers,
        'outer step': step,
        'steps out': step * peers,
        book,
        record: sizeOf(record),
        leaderboard: sizeOf(leaderboard),
        'peer page': sizeOf(peer),
      },
      evaluations: judgement.evaluated.length,
      memory: process.resourceUsage().maxRSS * 1_024,
    };
  } finally {
    await pool.dispose();
    await folder.close();
    await rm(dir, { recursive: true, force: true });
  }
}

const [preset, peers] = process.argv.slice(2) as [PresetName, string];
const figures = await measureWindow(preset, Number(peers));
if (process.send) process.send({ figures });
else console.log(JSON.stringify(figures, null, 2));
