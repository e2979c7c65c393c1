import { describe, expect, test } from 'vitest';
import { markdown, parseReport, type BenchReport, type Row } from './report.ts';

const IDENTITY = { workload: 'nano', precision: 'fp32', sequences: 8, length: 128, parameters: 1_048_576 } as const;

const MEASURED: Row = {
  ...IDENTITY,
  contender: 'own',
  status: 'measured',
  loss: 7.63,
  lossError: 1e-7,
  gradientError: 2e-6,
  stepMs: { median: 2.5, low: 2.4, high: 2.75 },
  pipelinedMs: { median: 2, low: 1.9, high: 2.1 },
  tokensPerSecond: 512_000,
  flopsPerStep: 6e9,
  achievedFlops: 3e12,
  shareOfMatmul: 0.25,
  nodes: 107,
  dispatches: 110,
  startMs: 1_500,
  peakGpuBytes: 3 * 2 ** 20,
  compressMs: 12,
  applyMs: null,
};

const REPORT: BenchReport = {
  version: 1,
  date: '2026-11-23T10:00:00.000Z',
  command: 'npm run bench -- --quick',
  commit: 'abc1234',
  runner: 'Chromium 156',
  machine: { processor: 'EPYC', threads: 2, system: 'Linux 6' },
  adapter: {
    vendor: 'nvidia',
    architecture: 'ampere',
    device: '',
    description: '',
    driver: null,
    software: true,
    features: ['shader-f16'],
  },
  products: [
    { contender: 'own', precision: 'fp32', m: 1024, k: 1024, n: 1024, flops: 12e12 },
    { contender: 'own', precision: 'fp32', m: 2048, k: 2048, n: 2048, flops: 9e12 },
  ],
  rows: [
    MEASURED,
    { ...IDENTITY, contender: 'jax-js', status: 'failed', reason: 'no adapter' },
    { ...IDENTITY, contender: 'tfjs-webgpu', status: 'void', loss: null, lossError: null, gradientError: 0.5 },
  ],
};

describe('a report', () => {
  test('is read back as it was written', () => {
    expect(parseReport(JSON.stringify(REPORT))).toEqual(REPORT);
  });

  test('is refused when a row lacks its numbers', () => {
    expect(() => parseReport(JSON.stringify({ ...REPORT, rows: [{ ...MEASURED, stepMs: undefined }] }))).toThrow(
      /stepMs/,
    );
  });

  test('prints adapter, driver, date and command above its tables', () => {
    const [first] = markdown(REPORT).split('\n');
    expect(first).toBe(
      '`npm run bench -- --quick`, 2026-11-23, commit abc1234. Adapter: nvidia ampere **(software)**; driver: not told; Chromium 156; EPYC, 2 threads, Linux 6.',
    );
  });

  test('prints the best product of each contender alone', () => {
    expect(markdown(REPORT)).toContain('12 TFLOP/s');
    expect(markdown(REPORT)).not.toContain('9 TFLOP/s');
  });

  test('gives no times to rows that failed or disagreed, and says why', () => {
    const lines = markdown(REPORT).split('\n');
    const row = (contender: string): string[] =>
      lines
        .find((line) => line.startsWith('|') && line.includes(`${contender} `) && line.includes('8 x 128'))!
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1);
    expect(row('own').slice(3, 8)).toEqual(['2.5 (2.4–2.75)', '2 (1.9–2.1)', '512,000', '3 TFLOP/s', '25 %']);
    expect(row('jax-js').slice(3)).toEqual(['failed', ...Array.from({ length: 10 }, () => '–')]);
    expect(row('tfjs-webgpu').slice(3)).toEqual(['void', ...Array.from({ length: 10 }, () => '–')]);
    expect(lines).toContain('- nano, jax-js, fp32: failed: no adapter');
    expect(lines).toContain('- nano, tfjs-webgpu, fp32: void: loss off by more than a number says, gradient by 5.0e-1');
  });
});
