/** Jobs in processes, a few at a time. */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Job, Outcome } from './job.ts';

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url));

function ask(worker: ChildProcess, job: Job): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`a worker ended with ${code ?? 'a signal'}`));
    worker.once('exit', onExit);
    worker.once('message', (answer: { outcome: Outcome } | { error: string }) => {
      worker.off('exit', onExit);
      if ('outcome' in answer) resolve(answer.outcome);
      else reject(new Error(answer.error));
    });
    worker.send(job);
  });
}

/**
 * @param onDone after each job, in no particular order
 * @returns outcomes in the order of the jobs
 * @throws whatever a job throws; the others are given up
 */
export async function carryOutAll(
  jobs: readonly Job[],
  processes: number,
  onDone: (done: number) => void,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  let done = 0;
  const workers = Array.from({ length: Math.min(processes, jobs.length) }, () =>
    fork(WORKER, { execArgv: ['--import', 'tsx'] }),
  );
  try {
    await Promise.all(
      workers.map(async (worker) => {
        while (next < jobs.length) {
          const at = next++;
          outcomes[at] = await ask(worker, jobs[at]!);
          onDone(++done);
        }
      }),
    );
  } finally {
    for (const worker of workers) worker.kill();
  }
  return outcomes;
}
