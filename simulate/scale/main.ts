/**
 * `npm run simulate:scale`: simulates what can be simulated of a run that is larger than any here, works out the rest, and
 * writes both into the marked places of docs/scale.md. Everything follows from the seed and the prices. `--quick` leaves the
 * largest crowds out.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PRESET_NAMES, PRESETS, REFERENCE_GAUNTLET } from '../../core/model/presets.ts';
import type { Plot } from '../experiments/study.ts';
import { markdownTable, standalone } from '../report/documents.ts';
import { plotSvg } from '../report/svg.ts';
import { loadOf, monthOf, PRICES, type Prices, type Scenario } from './costs.ts';
import { simulateCrowd, type CrowdOutcome } from './crowd.ts';
import { intoBlocks } from './blocks.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: 'scale' },
    docs: { type: 'string', default: 'docs' },
    /** Euros. */
    egress: { type: 'string', default: String(PRICES.egressGb) },
    storage: { type: 'string', default: String(PRICES.storageGb) },
    gpu: { type: 'string', default: String(PRICES.gpuHour) },
    machine: { type: 'string', default: String(PRICES.machineMonth) },
  },
});
const { quick, seed } = values;
const prices: Prices = {
  egressGb: Number(values.egress),
  storageGb: Number(values.storage),
  gpuHour: Number(values.gpu),
  machineMonth: Number(values.machine),
};

const STAY = 50;
const BAD = { poisoners: 0.1, sleepers: 0.1 };
/** How many windows there is patience for; the largest crowd is not simulated with the guard. */
const CROWDS: readonly { peers: number; evaluations: number; windows: number; guard: boolean }[] = [
  { peers: 100, evaluations: 5, windows: 200, guard: true },
  { peers: 100, evaluations: 20, windows: 200, guard: true },
  { peers: 1_000, evaluations: 20, windows: 100, guard: true },
  { peers: 1_000, evaluations: 200, windows: 100, guard: true },
  ...(quick
    ? []
    : [
        { peers: 10_000, evaluations: 20, windows: 60, guard: true },
        { peers: 10_000, evaluations: 200, windows: 60, guard: true },
        { peers: 100_000, evaluations: 20, windows: 8, guard: false },
        { peers: 100_000, evaluations: 200, windows: 8, guard: false },
      ]),
];

interface CrowdRow {
  readonly peers: number;
  readonly evaluations: number;
  readonly windows: number;
  readonly asItIs: CrowdOutcome;
  /** Everybody who is about to be aggregated is evaluated too. */
  readonly guarded: CrowdOutcome | null;
}

const began = Date.now();
let said = 0;
function say(what: string, least = 0): void {
  if (Date.now() - said < least) return;
  said = Date.now();
  console.error(`${String(Math.round((said - began) / 1_000)).padStart(4)} s  ${what}`);
}

const crowds = CROWDS.map(({ peers, evaluations, windows, guard }): CrowdRow => {
  const simulate = (guarded: boolean): CrowdOutcome =>
    simulateCrowd({
      params: REFERENCE_GAUNTLET,
      peers,
      evaluations,
      windows,
      stay: STAY,
      ...BAD,
      guard: guarded,
      seed,
      onWindow: (window) =>
        say(
          `${peers} peers, ${evaluations} evaluations${guarded ? ', guarded' : ''}: window ${window} of ${windows}`,
          5_000,
        ),
    });
  return { peers, evaluations, windows, asItIs: simulate(false), guarded: guard ? simulate(true) : null };
});

const count = (value: number): string => Math.round(value).toLocaleString('en');
const share = (value: number): string => `${(100 * value).toFixed(1)} %`;
function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(value) / 3)));
  return `${Number((value / 1_000 ** power).toPrecision(3))} ${units[power]!}`;
}
const euros = (value: number): string => (value < 10 ? value.toFixed(2) : count(Number(value.toPrecision(3))));

const ratings = markdownTable({
  columns: [
    'peers',
    'evaluations a window',
    'windows',
    'of a peer in its stay',
    'ever evaluated',
    'rank correlation',
    'choice',
    'poisoned slots',
    'choice, guarded',
    'poisoned slots, guarded',
  ],
  rows: crowds.map(({ peers, evaluations, windows, asItIs, guarded }) => [
    count(peers),
    evaluations,
    windows,
    ((evaluations * STAY) / peers).toFixed(2),
    share(asItIs.evaluated),
    asItIs.correlation.toFixed(2),
    share(asItIs.choice),
    share(asItIs.poison),
    guarded && share(guarded.choice),
    guarded && share(guarded.poison),
  ]),
});

const usual = { stay: STAY, evaluationsOfStay: 4, aggregated: 15, keptWindows: 100, fromPeers: 0 };
const traffic = markdownTable({
  columns: ['preset', 'scheme', 'up', 'down', 'of that the step', 'to join', 'operations an evaluation'],
  rows: PRESET_NAMES.flatMap((preset) =>
    (['decoupled-momentum', 'sparseloco'] as const).map((scheme) => {
      const {
        up,
        down,
        join: joining,
        evaluationFlops,
      } = loadOf({
        ...usual,
        preset,
        scheme,
        peers: 1,
        watchers: 0,
        windowSeconds: 60,
      });
      const pages =
        PRESETS[preset].training.pagesPerWindow *
        PRESETS[preset].data.pageSequences *
        PRESETS[preset].model.contextLength *
        2;
      return [
        preset,
        scheme,
        bytes(up),
        bytes(down),
        bytes(down - pages),
        bytes(joining),
        evaluationFlops.toExponential(1),
      ];
    }),
  ),
});

const SCENARIOS: readonly { readonly name: string; readonly scenario: Scenario }[] = [
  {
    name: '**A** 1,000 peers, `mini`, window of 1 min',
    scenario: { ...usual, preset: 'mini', scheme: 'sparseloco', peers: 1_000, watchers: 1_000, windowSeconds: 60 },
  },
  {
    name: '**B** 10,000 peers, `base`, window of 10 min',
    scenario: { ...usual, preset: 'base', scheme: 'sparseloco', peers: 10_000, watchers: 10_000, windowSeconds: 600 },
  },
  {
    name: '**C** 100,000 peers, `paper-1b`, window of 20 min',
    scenario: {
      ...usual,
      preset: 'paper-1b',
      scheme: 'sparseloco',
      peers: 100_000,
      watchers: 100_000,
      windowSeconds: 1_200,
    },
  },
];

const loads = markdownTable({
  columns: ['', ...SCENARIOS.map(({ name }) => name)],
  rows: (
    [
      ['arrives a window', ({ arriving }) => bytes(arriving)],
      ['leaves the store a window', ({ leaving }) => bytes(leaving)],
      ['leaves the store a second', ({ egressRate }) => bytes(egressRate)],
      ['joins a minute', ({ joinsAMinute }) => count(joinsAMinute)],
      ['evaluations a window, for four a stay', ({ evaluations }) => count(evaluations)],
      ['GPUs for these in half a window', ({ evaluators }) => count(evaluators)],
      ['leaderboards a window, whole, to all watchers', ({ leaderboards }) => bytes(leaderboards)],
      ['rows in the database a window', ({ rows }) => count(rows)],
      ['database grows a window by', ({ database }) => bytes(database)],
      ['kept in the store (100 windows)', ({ kept }) => bytes(kept)],
    ] satisfies [string, (load: ReturnType<typeof loadOf>) => string][]
  ).map(([name, of]) => [name, ...SCENARIOS.map(({ scenario }) => of(loadOf(scenario)))]),
});

const WAYS: readonly [string, (scenario: Scenario) => ReturnType<typeof monthOf>][] = [
  ['as the code is', (scenario) => monthOf(scenario, prices, 'all')],
  ['with pages of the leaderboard', (scenario) => monthOf(scenario, prices, 'page')],
  ['and a store that asks nothing for egress', (scenario) => monthOf(scenario, { ...prices, egressGb: 0 }, 'page')],
  ['and one that asks 0.09', (scenario) => monthOf(scenario, { ...prices, egressGb: 0.09 }, 'page')],
  ['and nine tenths from peer to peer', (scenario) => monthOf({ ...scenario, fromPeers: 0.9 }, prices, 'page')],
];
const months = markdownTable({
  columns: ['euros a month', ...SCENARIOS.map(({ name }) => name)],
  rows: [
    ...(['egress', 'leaderboards', 'storage', 'evaluators', 'machines'] as const).map((part) => [
      part,
      ...SCENARIOS.map(({ scenario }) => euros(monthOf(scenario, prices, 'all')[part])),
    ]),
    ...WAYS.map(([name, of]) => [`**${name}**`, ...SCENARIOS.map(({ scenario }) => euros(of(scenario).total))]),
  ],
});

const plot: Plot = {
  title: 'What ratings know',
  x: 'evaluations of a peer in its stay',
  y: 'rank correlation with worth',
  logarithmic: true,
  series: [...new Set(crowds.map(({ peers }) => peers))].map((peers) => ({
    label: `${count(peers)} peers`,
    points: crowds
      .filter((row) => row.peers === peers && row.asItIs.correlation > 0)
      .map((row) => [(row.evaluations * STAY) / peers, row.asItIs.correlation] as const),
  })),
};

const asked = process.argv.slice(2);
const command = `\`npm run simulate:scale${asked.length > 0 ? ` -- ${asked.join(' ')}` : ''}\``;
const stated = markdownTable({
  columns: ['price', 'euros'],
  rows: [
    ['10⁹ bytes out of the store', prices.egressGb],
    ['10⁹ bytes kept a month', prices.storageGb],
    ['an hour of a GPU', prices.gpuHour],
    ['a machine of 8 cores a month', prices.machineMonth],
  ],
});
const page = join(values.docs, 'scale.md');
const written = intoBlocks(await readFile(page, 'utf8'), { ratings, traffic, loads, months, prices: stated, command });
await writeFile(page, written);
await mkdir(join(values.docs, 'measurements'), { recursive: true });
await writeFile(join(values.docs, 'measurements', 'scale-ratings.svg'), `${standalone(plotSvg(plot))}\n`);
await writeFile(
  join(values.docs, 'measurements', 'scale.json'),
  `${JSON.stringify({ seed, quick, stay: STAY, ...BAD, prices, crowds, scenarios: SCENARIOS }, null, 2)}\n`,
);
say(`wrote ${page}`);
