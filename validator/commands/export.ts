/** `gauntlet export`: the newest parameters of a run as a checkpoint folder that `transformers` loads. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { placesOf } from '../adapters/places.ts';
import { readNewestParameters } from '../serve.ts';
import { exportCheckpointDir } from '../setup/checkpoint-files.ts';
import { UsageError } from './usage-error.ts';

export interface ExportOptions {
  readonly data: string;
  readonly out: string;
}

export async function exportCommand({ data, out }: ExportOptions): Promise<void> {
  if (!existsSync(join(data, 'run.sqlite'))) throw new UsageError(`${data} holds no run`);
  const { signed, window, stateRoot, parameters, tokenizerJson } = await readNewestParameters(
    data,
    placesOf(process.env),
  );
  await exportCheckpointDir(out, signed.manifest.model, parameters, tokenizerJson);
  console.log(JSON.stringify({ run: signed.run, window, stateRoot, out }));
}
