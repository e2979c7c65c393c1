/** The worker of the benchmark's page. */
import { messageOf } from '../client/http.ts';
import { chooseBackend, createWebTrainer } from '../engine/web.ts';
import { measureTrainer } from './measure.ts';
import type { TabJob, TabResult } from './tab-job.ts';

async function run({ backend: force, config, sequences, steps }: TabJob): Promise<TabResult> {
  try {
    const backend = await chooseBackend({ force });
    const { compileMs, stepMs, tokens } = await measureTrainer(() => createWebTrainer({ config, sequences, backend }), {
      config,
      steps,
    });
    return { ok: true, report: backend, timings: { compileMs, stepMs, tokens } };
  } catch (error) {
    return { ok: false, reason: messageOf(error) };
  }
}

self.onmessage = ({ data }: MessageEvent<TabJob>) => {
  void run(data).then((result) => postMessage(result));
};
