import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Plot } from '../experiments/study.ts';
import { plotTable, reportHtml } from './html.ts';
import { plotSvg, spread, ticks } from './svg.ts';

const PLOT: Plot = {
  title: 'Loss <of two>',
  x: 'window',
  y: 'nats',
  series: [
    {
      label: 'a & b',
      points: [
        [0, 5],
        [1, 4],
      ],
    },
    { label: 'late', points: [[1, 4.5]] },
  ],
};

test('ticks are round, ascending and inside', () => {
  expect(ticks(0, 20, 8)).toEqual([0, 5, 10, 15, 20]);
  expect(ticks(5.2, 6.3, 6)).toEqual([5.2, 5.4, 5.6, 5.8, 6, 6.2]);
  const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(
      finite,
      fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
      fc.integer({ min: 2, max: 10 }),
      (low, span, count) => {
        const found = ticks(low, low + span, count);
        expect(found.length).toBeLessThanOrEqual(count + 1);
        for (const [i, value] of found.entries()) {
          expect(value).toBeGreaterThanOrEqual(low - span * 1e-6);
          expect(value).toBeLessThanOrEqual(low + span * (1 + 1e-6));
          if (i > 0) expect(value).toBeGreaterThan(found[i - 1]!);
        }
      },
    ),
  );
});

test('labels keep their order and their distance', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 10 }), (wanted) => {
      const placed = spread(wanted, 15, 200);
      const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]!);
      order.slice(1).forEach((at, i) => expect(placed[at]! - placed[order[i]!]!).toBeGreaterThanOrEqual(15 - 1e-9));
      expect(Math.max(...placed)).toBeLessThanOrEqual(200);
    }),
  );
});

test('a plot has its numbers in a table', () => {
  expect(plotTable(PLOT)).toEqual({
    title: 'Loss <of two>',
    columns: ['window', 'a & b', 'late'],
    rows: [
      [0, 5, null],
      [1, 4, 4.5],
    ],
  });
});

test('a plot of one value, and of none, can be drawn', () => {
  expect(plotSvg({ ...PLOT, series: [PLOT.series[1]!] })).not.toContain('NaN');
  expect(plotSvg({ ...PLOT, series: [] })).toContain('Nothing was measured');
});

test('the page is whole: no script, nothing from elsewhere, its data inside', () => {
  const report = {
    command: 'npm run experiments',
    seed: 's',
    date: '2025-01-01T00:00:00.000Z',
    commit: null,
    machine: 'a </script> machine',
    seconds: 60,
    sections: [
      {
        name: 'one',
        title: 'One',
        asks: 'Is 1 < 2?',
        findings: [{ agrees: true, text: '1 < 2' }],
        plots: [PLOT],
        tables: [],
      },
    ],
  };
  const html = reportHtml(report);
  expect(html).not.toMatch(/(src|href)="(?!#)/);
  const scripts = html.match(/<script[^>]*>/g)!;
  expect(scripts).toEqual(['<script type="application/json" id="data">']);
  const json = html.slice(html.indexOf(scripts[0]) + scripts[0].length, html.lastIndexOf('</script>'));
  expect(JSON.parse(json)).toEqual(report);
  expect(html).toContain('Is 1 &lt; 2?');
});

test('a logarithmic plot has powers of ten on its axes, and a power law is straight on it', () => {
  const svg = plotSvg({
    title: 'cost',
    x: 'peers',
    y: 'ms',
    logarithmic: true,
    series: [{ label: 'squares', points: [10, 100, 1_000].map((peers) => [peers, peers ** 2]) }],
  });
  for (const label of ['10', '100', '1,000', '10,000', '10⁶']) expect(svg).toContain(`>${label}</text>`);
  const [[x0, y0], [x1, y1], [x2, y2]] = [...svg.matchAll(/cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [
    Number(x),
    Number(y),
  ]) as [[number, number], [number, number], [number, number]];
  expect(x1 - x0).toBeCloseTo(x2 - x1, 0);
  expect(y1 - y0).toBeCloseTo(y2 - y1, 0);
});
