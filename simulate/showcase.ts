/**
 * `npm run showcase`: carries out the run that the page's recording shows, with honest peers and one of each of a few
 * attacks, and writes the recording. The same seed gives the same run.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { createValidatorApi } from '../client/api.ts';
import { packRecording, recordRun } from '../client/recording.ts';
import type { Recording } from '../core/protocol/recording.ts';
import { runExperiment } from './experiment.ts';

const { values } = parseArgs({
  options: {
    windows: { type: 'string', default: '60' },
    out: { type: 'string', default: 'public/replay/showcase.json.gz' },
  },
});
const windows = Number(values.windows);
let recording: Recording | undefined;

const { peers } = await runExperiment({
  preset: 'micro',
  name: 'showcase',
  windows,
  honest: 5,
  attackers: ['sign-flip', 'copy-perturbed', 'noise', 'own-easy-data', 'late', 'intermittent'],
  pages: 6,
  seed: 'showcase',
  onWindow: ({ window, lossAfter }) => console.error(`window ${window} of ${windows}: loss ${lossAfter?.toFixed(3)}`),
  onEnd: async ({ url, fetch }) => {
    const api = createValidatorApi({ baseUrl: url, fetch });
    recording = await recordRun(api, { windows, now: Date.now });
  },
});
const labels = peers.map(({ name, kind, state: { hotkey } }) => ({ hotkey, name, kind }));
const bytes = await packRecording({ ...recording!, labels });
await mkdir(dirname(values.out), { recursive: true });
await writeFile(values.out, bytes);
console.error(`${values.out}: ${windows} windows, ${peers.length} peers, ${bytes.length} bytes`);
