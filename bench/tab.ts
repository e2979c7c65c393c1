/** The page of the benchmark: hands jobs to a worker, where a tab's engine runs. */
import type { Job, JobResult } from './job.ts';

declare global {
  interface Window {
    runTabJob: (job: Job) => Promise<JobResult>;
  }
}

window.runTabJob = (job) =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./tab-worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<JobResult>) => {
      worker.terminate();
      resolve(data);
    };
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(job);
  });
