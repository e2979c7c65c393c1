/** `gauntlet record`: a run's published windows as a file that the page replays (`?replay=FILE`). */
import { writeFile } from 'node:fs/promises';
import { createValidatorApi } from '../../client/api.ts';
import { packRecording, recordRun } from '../../client/recording.ts';

export interface RecordOptions {
  readonly validator: string;
  readonly out: string;
  readonly windows?: number;
}

const PROGRESS_MS = 1_000;

export async function recordCommand({ validator, out, windows }: RecordOptions): Promise<void> {
  const api = createValidatorApi({ baseUrl: validator, fetch });
  let said = Date.now();
  const recording = await recordRun(api, {
    ...(windows === undefined ? {} : { windows }),
    now: Date.now,
    onProgress(done, all) {
      if (Date.now() - said < PROGRESS_MS) return;
      said = Date.now();
      console.error(`${done} of ${all} windows`);
    },
  });
  const bytes = await packRecording(recording);
  await writeFile(out, bytes);
  const { run } = recording.run;
  console.log(JSON.stringify({ run, windows: recording.windows.length, bytes: bytes.length, out }));
}
