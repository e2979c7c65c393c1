import { describe, expect, test } from 'vitest';
import { PRESET_NAMES } from '../core/model/presets.ts';
import { describePresets, presetRows } from './preset-table.ts';

const rows = presetRows();

test('parameters, traffic and memory of every preset', () => {
  expect(
    rows.map(({ preset, parameters, payloadBytes, leastMemoryBytes }) => [
      preset,
      parameters,
      payloadBytes,
      Math.round(leastMemoryBytes / 2 ** 20),
    ]),
  ).toMatchInlineSnapshot(`
    [
      [
        "micro",
        106816,
        3672,
        2,
      ],
      [
        "nano",
        1049728,
        21884,
        26,
      ],
      [
        "mini",
        10130304,
        205032,
        128,
      ],
      [
        "small",
        24912384,
        498312,
        318,
      ],
      [
        "base",
        157836288,
        3115272,
        1950,
      ],
      [
        "paper-1b",
        1204881408,
        23617032,
        14615,
      ],
    ]
  `);
});

describe.each(rows)('$preset', (row) => {
  test('downloads four bytes a parameter, and uploads a hundredth of that or less', () => {
    expect(row.downloadBytes).toBe(4 * row.parameters);
    expect(row.payloadBytes).toBeLessThan(row.downloadBytes / 90);
    expect(row.stepBytes).toBeLessThan(row.downloadBytes / 10);
  });

  test('needs least memory when blocks are computed twice, and no less than its state', () => {
    expect(row.leastMemoryBytes).toBeGreaterThan(12 * row.parameters);
    expect(row.leastMemoryBytes).toBeLessThan(row.pageMemoryBytes);
    expect(row.largestBufferBytes).toBeLessThan(row.leastMemoryBytes);
  });
});

test('the table has a line a preset and aligned columns', () => {
  const lines = describePresets(rows).split('\n');
  expect(lines).toHaveLength(PRESET_NAMES.length + 1);
  expect(new Set(lines.map((line) => line.length)).size).toBe(1);
});
