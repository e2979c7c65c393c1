/**
 * The benchmark on a machine without a browser: WebGPU by Dawn's binding for Node. Bundled by `npm run bench:pack`, with
 * what it needs beside it. Each job runs in a process of its own, as it has a worker of its own in Chromium.
 */
import { fork } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expectationKey, type Expectation } from './expectation.ts';
import { installWebGpu, onnxruntimeIn } from './install-webgpu.ts';
import { runJob, type Job, type JobResult, type RunJob } from './job.ts';
import { describeMachine } from './machine.ts';
import { parseCommandLine } from './options.ts';
import { markdown, parseReport } from './report.ts';
import { OFF_ADAPTER, runBench } from './run.ts';
import { exportForTorch, mergeTorch } from './torch.ts';
import { workload, type WorkloadName } from './workload.ts';

const PROGRAM = fileURLToPath(import.meta.url);
const HERE = dirname(PROGRAM);
const JOB = '--job';

async function expectations(): Promise<Record<string, Expectation | undefined>> {
  return JSON.parse(await readFile(join(HERE, 'expectations.json'), 'utf8')) as Record<string, Expectation>;
}

async function expect(name: WorkloadName, sequences: number): Promise<Expectation> {
  const key = expectationKey(name, sequences);
  const found = (await expectations())[key];
  if (!found) throw new Error(`this pack has nothing to compare ${key} with`);
  return found;
}

const jobsInProcesses =
  (timeout: number): RunJob =>
  <J extends Job>(job: J) =>
    new Promise<JobResult<J>>((resolve) => {
      const child = fork(PROGRAM, [JOB], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
      const end = (result: JobResult<J>): void => {
        clearTimeout(late);
        resolve(result);
        child.kill('SIGKILL');
      };
      const late = setTimeout(() => end({ ok: false, reason: `not done after ${timeout} minutes` }), timeout * 60_000);
      child.on('message', (result) => end(result as JobResult<J>));
      child.on('exit', (code, signal) => end({ ok: false, reason: `its process ended with ${signal ?? code}` }));
      child.send(job);
    });

async function answerJobs(): Promise<void> {
  await installWebGpu();
  process.on('message', (job: Job) => {
    const onnxruntime = onnxruntimeIn(HERE);
    void runJob(job, { onnxruntime, driver: ({ description }) => description || null }).then((result) =>
      process.send!(result),
    );
  });
}

async function main(args: readonly string[]): Promise<void> {
  const { json, table, timeout, exported, torch, ...options } = parseCommandLine(args);
  if (exported !== undefined) {
    for (const name of options.workloads) {
      const folder = join(exported, name);
      await mkdir(folder, { recursive: true });
      await exportForTorch(folder, name, await expect(name, options.sequences ?? workload(name).sequences));
    }
    return;
  }
  let report =
    table !== undefined
      ? parseReport(await readFile(table, 'utf8'))
      : await runBench(
          { ...options, contenders: options.contenders.filter((name) => name !== OFF_ADAPTER) },
          {
            runJob: jobsInProcesses(timeout),
            expect,
            command: ['node dawn.mjs', ...args].join(' '),
            commit: JSON.parse(await readFile(join(HERE, 'commit.json'), 'utf8')) as string | null,
            runner: `Dawn in Node ${process.version}`,
            machine: describeMachine(),
          },
        );
  if (torch !== undefined) report = mergeTorch(report, await readFile(torch, 'utf8'));
  if (json !== undefined) await writeFile(json, `${JSON.stringify(report, null, 2)}\n`);
  console.log(markdown(report));
}

if (process.argv.includes(JOB)) await answerJobs();
else await main(process.argv.slice(2));
