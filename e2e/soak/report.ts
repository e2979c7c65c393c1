/** `npx tsx e2e/soak/report.ts soak.json soak.svg`: draws what a soak measured, and prints its trends. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Plot } from '../../simulate/experiments/study.ts';
import { plotSvg } from '../../simulate/report/svg.ts';
import type { Measurement } from './measurement.ts';
import { slope } from './trend.ts';

const MIB = 2 ** 20;
const WIDTH = 460;
const HEIGHT = 290;
const COLUMNS = 2;
type Read = (each: Measurement) => number | undefined;

interface Panel {
  readonly title: string;
  readonly y: string;
  readonly unit: number;
  readonly lines: readonly (readonly [label: string, read: Read])[];
}

const PANELS: readonly Panel[] = [
  {
    title: 'JavaScript heaps after a collection',
    y: 'MiB',
    unit: MIB,
    lines: [
      ['page', ({ page }) => page.heapBytes + page.backingBytes],
      ['trainer', ({ trainer }) => trainer && trainer.heapBytes + trainer.backingBytes],
      ['validator', ({ validator }) => validator.heapBytes + validator.backingBytes],
    ],
  },
  {
    title: 'Memory of processes that is their own',
    y: 'MiB',
    unit: MIB,
    lines: [
      ['renderers', ({ rendererBytes }) => rendererBytes],
      ['validator', ({ validator }) => validator.ownBytes],
      ['WASM', ({ trainer }) => trainer?.wasmBytes],
    ],
  },
  {
    title: 'IndexedDB',
    y: 'MiB',
    unit: MIB,
    lines: [
      ['records', ({ stored }) => stored.bytes],
      ['on disk', ({ stored }) => stored.usageBytes],
    ],
  },
  {
    title: 'Counts',
    y: 'number',
    unit: 1,
    lines: [
      ['nodes', ({ page }) => page.nodes],
      ['listeners', ({ page }) => page.listeners],
      ['parts', ({ stored }) => stored.records['parts']],
      ['delivered', ({ delivered }) => delivered],
    ],
  },
];

const STYLE = `
  svg { font: 12px system-ui, sans-serif; fill: #333; }
  .grid { stroke: #ddd; } .axis { stroke: #888; } .tick, .label { fill: #555; font-size: 11px; } .title { font-weight: 600; }
  .series path { fill: none; stroke-width: 1.6; } .series .leader { stroke-width: 0.6; }
  .s0 { --c: #2563eb; } .s1 { --c: #c2410c; } .s2 { --c: #15803d; } .s3 { --c: #7e22ce; }
  .series path, .series circle { stroke: var(--c); } .series text { fill: var(--c); }
  @media (prefers-color-scheme: dark) { svg { fill: #ddd; } .grid { stroke: #333; } .tick, .label { fill: #aaa; }
    .s0 { --c: #93b4ff; } .s1 { --c: #fdba74; } .s2 { --c: #86efac; } .s3 { --c: #d8b4fe; } }`;

const pointsOf = (measured: readonly Measurement[], read: Read): [number, number][] =>
  measured.flatMap((each) => {
    const value = read(each);
    return value === undefined ? [] : [[each.window, value]];
  });

const [from = 'docs/measurements/soak.json', to = 'docs/measurements/soak.svg'] = process.argv.slice(2);
const measured = JSON.parse(await readFile(from, 'utf8')) as Measurement[];

const drawn = PANELS.map(({ title, y, unit, lines }, i) => {
  const series = lines.map(([label, read]) => ({
    label,
    points: pointsOf(measured, read).map(([at, value]) => [at, value / unit] as const),
  }));
  const plot: Plot = { title, x: 'window', y, series };
  const [left, top] = [(i % COLUMNS) * WIDTH, Math.floor(i / COLUMNS) * HEIGHT];
  const inner = plotSvg(plot).replace('<svg ', `<svg x="0" y="20" width="${WIDTH}" height="${HEIGHT - 20}" `);
  return `<g transform="translate(${left} ${top})"><text class="title" x="62" y="14">${title}</text>${inner}</g>`;
});
const [width, height] = [COLUMNS * WIDTH, Math.ceil(PANELS.length / COLUMNS) * HEIGHT];
await writeFile(
  to,
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}"><style>${STYLE}</style>\n${drawn.join('\n')}\n</svg>\n`,
);

const late = measured.slice(Math.floor(measured.length / 2));
console.log('| what | first | last | a window, in the second half |\n| --- | --- | --- | --- |');
for (const { title, lines } of PANELS) {
  for (const [label, read] of lines) {
    const points = pointsOf(measured, read);
    const trend = slope(pointsOf(late, read));
    console.log(`| ${title}: ${label} | ${points[0]?.[1]} | ${points.at(-1)?.[1]} | ${trend.toFixed(1)} |`);
  }
}
