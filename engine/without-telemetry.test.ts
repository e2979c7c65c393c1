import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/** What an evaluator does, in a process whose own environment says nothing of it. */
const EVALUATES = `
  import { createNodeEvaluator } from './engine/node.ts';
  import { tinyBatch, tinyConfig, TINY_SEQUENCES } from './engine/testing/tiny-model.ts';
  const config = tinyConfig(true);
  const evaluator = await createNodeEvaluator({ config, sequences: TINY_SEQUENCES, intraOpThreads: 1 });
  await evaluator.loss(tinyBatch(config, 1));
  await evaluator.dispose();
`;

it('onnxruntime keeps no session and no log to report', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'telemetry-'));
  try {
    const env: NodeJS.ProcessEnv = { ...process.env, TMPDIR: folder };
    delete env['ORT_DISABLE_TELEMETRY'];
    await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', EVALUATES],
      { env, cwd: new URL('..', import.meta.url) }, // prettier-ignore
    );
    expect((await readdir(folder)).filter((name) => !name.startsWith('tsx-'))).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
