import { expect, test } from 'vitest';
import { trainingFlops } from './flops.ts';
import type { BenchReport } from './report.ts';
import { mergeTorch } from './torch.ts';
import { workload } from './workload.ts';

const REPORT: BenchReport = {
  version: 1,
  date: '2026-11-23T10:00:00.000Z',
  command: 'node dawn.mjs',
  commit: null,
  runner: 'Dawn in Node',
  machine: { processor: 'EPYC', threads: 2, system: 'Linux 6' },
  adapter: { vendor: '', architecture: '', device: '', description: '', driver: null, software: false, features: [] },
  products: [{ contender: 'own', precision: 'fp32', m: 1024, k: 1024, n: 1024, flops: 1 }],
  rows: [],
};

const SPREAD = { median: 4, low: 3, high: 5 };
const ROW = { workload: 'micro', contender: 'pytorch, eager', precision: 'fp32', sequences: 8, length: 64 };
const NOTHING = { nodes: null, dispatches: null, peakGpuBytes: null, compressMs: null, applyMs: null };
const ERRORS = { loss: 6, lossError: 0, gradientError: 0 };

test('rows of PyTorch have their share of PyTorch’s best product in the same precision', () => {
  const figures = { ...ERRORS, ...NOTHING, stepMs: SPREAD, pipelinedMs: { ...SPREAD, median: 2 }, startMs: 1 };
  const product = { contender: 'pytorch', m: 512, k: 512, n: 512 };
  const merged = mergeTorch(
    REPORT,
    JSON.stringify({
      runner: 'PyTorch 2 on a GPU',
      products: [
        { ...product, precision: 'fp32', flops: 1e12 },
        { ...product, precision: 'bf16', flops: 8e12 },
      ],
      rows: [
        { ...ROW, reason: null, figures },
        { ...ROW, precision: 'bf16', reason: 'out of memory', figures: null },
        { ...ROW, contender: 'pytorch, compiled', reason: null, figures: { ...ERRORS, lossError: 1, stepMs: null } },
      ],
    }),
  );
  const [measured, failed, disagreeing] = merged.rows;
  const flops = trainingFlops(workload('micro').config, 8, 64) / 0.002;
  expect(measured).toMatchObject({ status: 'measured', tokensPerSecond: 512 / 0.002, shareOfMatmul: flops / 1e12 });
  expect(failed).toMatchObject({ status: 'failed', reason: 'out of memory' });
  expect(disagreeing).toMatchObject({ status: 'void', lossError: 1 });
  expect(merged.runner).toBe('Dawn in Node; PyTorch 2 on a GPU');
});

test('other JSON is refused', () => {
  expect(() => mergeTorch(REPORT, '{"rows": []}')).toThrow(/runner/);
});
