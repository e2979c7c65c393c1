/** A process that carries out one job after another. */
import { carryOut, type Job } from './job.ts';

process.on('message', (job: Job) => {
  carryOut(job).then(
    (outcome) => process.send!({ outcome }),
    (error: unknown) =>
      process.send!({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
