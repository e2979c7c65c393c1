/** The same model in PyTorch: what torch_llama.py reads, and what it answers. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parameterLayout } from '../core/model/layout.ts';
import type { Expectation } from './expectation.ts';
import { trainingFlops } from './flops.ts';
import { measuredRow, productRow, type BenchReport } from './report.ts';
import { rowOf } from './run.ts';
import { workload, WORKLOAD_NAMES, workloadBatch, workloadParameters, type WorkloadName } from './workload.ts';

/** Writes a model's parameters and batch as raw little-endian arrays, and what describes them as JSON. */
export async function exportForTorch(folder: string, name: WorkloadName, expected: Expectation): Promise<void> {
  const work = workload(name);
  const { config, length, sequences } = work;
  const batch = workloadBatch(work, sequences);
  const { parameters } = parameterLayout(config);
  await writeFile(join(folder, 'parameters.f32'), workloadParameters(work));
  await writeFile(join(folder, 'tokens.i32'), batch.tokens);
  await writeFile(join(folder, 'targets.i32'), batch.targets);
  await writeFile(
    join(folder, 'model.json'),
    JSON.stringify({ workload: name, config, sequences, length, parameters, expected }),
  );
}

const torchReport = z.object({
  /** GPU, driver, PyTorch and CUDA as they call themselves. */
  runner: z.string(),
  products: z.array(productRow),
  rows: z.array(
    z.object({
      workload: z.enum(WORKLOAD_NAMES),
      contender: z.string(),
      precision: z.string(),
      sequences: z.int().positive(),
      length: z.int().positive(),
      reason: z.string().nullable(),
      figures: z
        .union([
          measuredRow.pick({
            loss: true,
            lossError: true,
            gradientError: true,
            stepMs: true,
            pipelinedMs: true,
            nodes: true,
            dispatches: true,
            startMs: true,
            peakGpuBytes: true,
            compressMs: true,
            applyMs: true,
          }),
          z.object({ loss: z.number(), lossError: z.number(), gradientError: z.number(), stepMs: z.null() }),
        ])
        .nullable(),
    }),
  ),
});

/** Adds PyTorch's rows to a report; their share is of PyTorch's own best product. @throws Error for other JSON */
export function mergeTorch(report: BenchReport, json: string): BenchReport {
  const { runner, products, rows } = torchReport.parse(JSON.parse(json));
  const merged = rows.map(({ figures, reason, ...row }) => {
    const { config } = workload(row.workload);
    const identity = { ...row, parameters: parameterLayout(config).total };
    if (!figures) return { ...identity, status: 'failed' as const, reason: reason ?? 'no reason given' };
    const best = Math.max(0, ...products.filter((one) => one.precision === row.precision).map(({ flops }) => flops));
    return rowOf(figures, identity, trainingFlops(config, row.sequences, row.length), best);
  });
  return {
    ...report,
    runner: `${report.runner}; ${runner}`,
    products: [...report.products, ...products],
    rows: [...report.rows, ...merged],
  };
}
