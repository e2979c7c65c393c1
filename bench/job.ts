/** One measurement in a process or worker of its own, so that memory, devices and caches are one contender's alone. */
import { messageOf } from '../client/http.ts';
import { findAdapter } from '../engine/capability.ts';
import { createContender, type ProductShape, type Surroundings } from './contender.ts';
import type { Expectation } from './expectation.ts';
import { installGpuMeter } from './gpu-meter.ts';
import { measureProduct, measureTraining, type TrainingFigures } from './measure.ts';
import type { AdapterReport, BenchPrecision, ContenderName } from './report.ts';
import { workload, workloadBatch, workloadParameters, type WorkloadName } from './workload.ts';

interface TrainingJob {
  readonly kind: 'training';
  readonly contender: ContenderName;
  readonly workload: WorkloadName;
  readonly precision: BenchPrecision;
  readonly sequences: number;
  readonly steps: number;
  readonly rounds: number;
  readonly expected: Expectation;
}

interface ProductJob {
  readonly kind: 'product';
  readonly contender: ContenderName;
  readonly precision: BenchPrecision;
  readonly shape: ProductShape;
}

interface AdapterJob {
  readonly kind: 'adapter';
}

/** Crosses to another process: plain data. */
export type Job = TrainingJob | ProductJob | AdapterJob;

interface Answers {
  readonly training: TrainingFigures;
  readonly product: number;
  readonly adapter: AdapterReport;
}

export type JobResult<J extends Job = Job> =
  { readonly ok: true; readonly value: Answers[J['kind']] } | { readonly ok: false; readonly reason: string };

/** Runs a job elsewhere. */
export type RunJob = <J extends Job>(job: J) => Promise<JobResult<J>>;

async function describeAdapter({ driver }: Surroundings): Promise<AdapterReport> {
  const found = await findAdapter();
  if (typeof found === 'string') throw new Error(found);
  const { adapter, software } = found;
  const { vendor, architecture, device, description } = adapter.info;
  return {
    vendor,
    architecture,
    device,
    description,
    driver: driver(adapter.info),
    software,
    features: [...adapter.features].sort(),
  };
}

async function answer(job: Job, surroundings: Surroundings): Promise<Answers[Job['kind']]> {
  switch (job.kind) {
    case 'adapter':
      return describeAdapter(surroundings);
    case 'product':
      return measureProduct(await createContender(job.contender, surroundings), job.shape, job.precision);
    case 'training': {
      const { sequences, precision } = job;
      const work = workload(job.workload);
      const options = {
        config: work.config,
        sequences,
        length: work.length,
        precision,
        parameters: workloadParameters(work),
        batch: workloadBatch(work, sequences),
      };
      const meter = installGpuMeter();
      return measureTraining(() => createContender(job.contender, surroundings), options, work.scheme, {
        ...job,
        meter,
      });
    }
  }
}

export async function runJob(job: Job, surroundings: Surroundings): Promise<JobResult> {
  try {
    return { ok: true, value: await answer(job, surroundings) };
  } catch (error) {
    return { ok: false, reason: messageOf(error) };
  }
}
