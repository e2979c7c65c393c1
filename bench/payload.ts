/** `npx tsx bench/payload.ts`: what a contribution and an outer step take on the wire, as Markdown tables. */
import { parameterLayout } from '../core/model/layout.ts';
import { PRESET_NAMES, PRESETS } from '../core/model/presets.ts';
import { chunkGrid } from '../core/numerics/chunks.ts';
import { eliasFanoBytes } from '../core/numerics/elias-fano.ts';
import { createScheme } from '../core/scheme/create-scheme.ts';
import type { Scheme } from '../core/scheme/scheme.ts';

const LEVELS = [4, 16, 256] as const;
/** Contributions in an outer step. */
const AGGREGATED = [1, 5, 15] as const;

function table(titles: readonly string[], rows: readonly (readonly string[])[]): void {
  const lines = [titles, titles.map((_, i) => (i === 0 ? '---' : '---:')), ...rows];
  console.log(`${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`);
}

const count = (n: number): string => Math.round(n).toLocaleString('en');
const bitsOf = (bytes: number, parameters: number): string => ((8 * bytes) / parameters).toFixed(3);

/** log2 of the number of ways to choose k of n, over k: bits an index, at least. */
function entropyFloor(n: number, k: number): number {
  let bits = 0;
  for (let i = 1; i <= k; i++) bits += Math.log2((n - k + i) / i);
  return bits / k;
}

/** Values that a contribution keeps. */
function keptBy(scheme: Scheme): number {
  const { chunk, topK } = scheme.parameters;
  const grids = scheme.layout.parameters.map((spec) => chunkGrid(spec, chunk, topK));
  return grids.reduce((sum, grid) => sum + grid.count * grid.kept, 0);
}

const presets = PRESET_NAMES.map((name) => {
  const { model, schemes } = PRESETS[name];
  const layout = parameterLayout(model);
  return {
    name,
    total: layout.total,
    momentum: createScheme(schemes['decoupled-momentum'], layout),
    sparse: LEVELS.map((levels) => createScheme({ ...schemes.sparseloco, levels }, layout)),
  };
});

console.log('Bytes of a contribution’s body, and bits a parameter (fp32 has 32):\n');
table(
  ['preset', 'parameters', 'decoupled-momentum', ...LEVELS.map((levels) => `sparseloco, ${levels} levels`)],
  presets.map(({ name, total, momentum, sparse }) => [
    name,
    count(total),
    ...[momentum, ...sparse].map(({ bodyBytes }) => `${count(bodyBytes)} (${bitsOf(bodyBytes, total)})`),
  ]),
);

console.log('Bytes of an outer step of R contributions, at 4 levels, as bodies and as coordinates with their sums:\n');
table(
  [
    'preset',
    'signs, any R',
    ...AGGREGATED.map((r) => `bodies, R = ${r}`),
    ...AGGREGATED.map((r) => `coordinates, R = ${r}`),
  ],
  presets.map(({ name, total, momentum, sparse }) => {
    const [few] = sparse as [Scheme, ...Scheme[]];
    const share = keptBy(few) / total;
    // A position and a value of four bytes each; peers choose independently of one another.
    const coordinates = AGGREGATED.map((r) => 8 * total * (1 - (1 - share) ** r));
    return [name, ...[momentum.stepBytes(1), ...AGGREGATED.map((r) => few.stepBytes(r)), ...coordinates].map(count)];
  }),
);

console.log('Bits an index, by code:\n');
table(
  ['k of n', 'plain, 12 bits', 'Elias-Fano, whole bytes a chunk', 'entropy floor'],
  (
    [
      [64, 4096],
      [32, 4096],
      [64, 2048],
    ] as const
  ).map(([k, n]) => [
    `${k} of ${count(n)}`,
    '12.00',
    ((8 * eliasFanoBytes(n, k)) / k).toFixed(2),
    entropyFloor(n, k).toFixed(2),
  ]),
);
