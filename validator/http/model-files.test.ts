import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeSafetensors } from '../../core/model/safetensors.ts';
import { parametersFromStateDict } from '../../core/model/checkpoint.ts';
import { PROBLEMS, ProblemError } from '../../core/protocol/problem.ts';
import { createTestRun, FakeClock, openTestRun, type OpenTestRun } from '../adapters/testing/test-run.ts';
import { exportCommand } from '../commands/export.ts';
import { MODEL_FILES } from '../../core/model/hf-export.ts';
import { createModelFiles, type ModelFiles } from './model-files.ts';

let dir: string;
let run: OpenTestRun;
let files: ModelFiles;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'model-files-'));
  await createTestRun(join(dir, 'run'));
  run = await openTestRun(join(dir, 'run'), new FakeClock());
  files = createModelFiles(run.rounds, run.folder.blobs);
});
afterEach(async () => {
  await run.close();
  await rm(dir, { recursive: true });
});

const ask = (name: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
  files.respond(name, new Request('http://validator.invalid/', { headers, method }));
const bytesOf = async (response: Response): Promise<Uint8Array> => new Uint8Array(await response.arrayBuffer());

describe('the newest model over HTTP', () => {
  it('is the very folder that the export command writes', async () => {
    await run.rounds.closeWindow();
    const out = join(dir, 'exported');
    await exportCommand({ data: join(dir, 'run'), out });
    for (const name of MODEL_FILES) {
      expect(await bytesOf(await ask(name)), name).toEqual(new Uint8Array(await readFile(join(out, name))));
    }
  });

  it('is a safetensors file of the parameters that the open window trains from', async () => {
    const { model } = run.rounds.manifest().manifest;
    const response = await ask('model.safetensors');
    expect(response.headers.get('etag')).toBe(`"${run.rounds.clock().stateRoot}"`);
    const file = await bytesOf(response);
    expect(response.headers.get('content-length')).toBe(String(file.length));
    const { tensors } = decodeSafetensors(file);
    expect(parametersFromStateDict(model, tensors)).toEqual((await run.rounds.model()).parameters);
  });

  it('goes on where a download broke off, as long as it is the same model', async () => {
    const whole = await ask('model.safetensors');
    const etag = whole.headers.get('etag')!;
    const bytes = await bytesOf(whole);
    const rest = await ask('model.safetensors', { range: 'bytes=1000-', 'if-range': etag });
    expect(rest.status).toBe(206);
    expect(await bytesOf(rest)).toEqual(bytes.subarray(1_000));
    const another = await ask('model.safetensors', { range: 'bytes=1000-', 'if-range': '"another"' });
    expect([another.status, (await bytesOf(another)).length]).toEqual([200, bytes.length]);
    expect((await ask('model.safetensors', { 'if-none-match': etag })).status).toBe(304);
    const head = await ask('model.safetensors', {}, 'HEAD');
    expect([head.headers.get('content-length'), (await bytesOf(head)).length]).toEqual([String(bytes.length), 0]);
  });

  it('goes to so many at a time, and again to others when these are done or gone', async () => {
    const open: Response[] = [];
    const status = PROBLEMS['too-many-requests'].status;
    await expect(
      (async () => {
        for (;;) open.push(await ask('model.safetensors'));
      })(),
    ).rejects.toMatchObject({ status });
    expect(open.length).toBeGreaterThan(1);
    await open[0]!.body!.cancel();
    await bytesOf(open[1]!);
    await ask('model.safetensors');
    await ask('model.safetensors');
    await expect(ask('model.safetensors')).rejects.toThrow(ProblemError);
  });

  it.each(['../run.sqlite', 'model.bin', ''])('knows no other file: %s', async (name) => {
    await expect(ask(name)).rejects.toMatchObject({ key: 'unknown-route' });
  });
});
