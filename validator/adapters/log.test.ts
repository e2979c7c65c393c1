import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createLog, withoutSecrets } from './log.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'log-'));
});
afterEach(() => rm(dir, { recursive: true }));

let lines = 0;
async function lineOf(fields: object): Promise<Record<string, unknown>> {
  const path = join(dir, `log${lines++}`);
  createLog('info', path).info(fields, 'said');
  await expect.poll(async () => readFile(path, 'utf8').catch(() => ''), { timeout: 10_000 }).toMatch(/\n$/);
  return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
}

it('an error says what it is, why, and where, and nothing that hangs on it', async () => {
  const client = { connectionParameters: { user: 'test', connectionString: 'postgres://test:hunter2@db/run' } };
  const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', client });
  const line = await lineOf({ err: Object.assign(new Error('the database is gone', { cause }), { client }) });
  expect(line).toMatchObject({
    err: { type: 'Error', message: 'the database is gone', cause: { code: 'ECONNREFUSED' } },
  });
  expect((line['err'] as { stack: string }).stack).toMatch(/log\.test\.ts/);
  expect(JSON.stringify(line)).not.toMatch(/hunter2|connectionParameters/);
  const joint = new AggregateError([new Error('first'), new Error('second')], 'both');
  expect(await lineOf({ err: joint })).toMatchObject({
    err: { errors: [{ message: 'first' }, { message: 'second' }] },
  });
});

it('an error that is its own cause comes to an end', async () => {
  const error = new Error('turns');
  error.cause = error;
  expect(JSON.stringify(await lineOf({ err: error })).length).toBeLessThan(20_000);
});

it.each([
  ['postgres://gauntlet:s%40cret@db/run', 'postgres://…@db/run'],
  ['at https://a:b@store/x?y=1 and http://store/y', 'at https://…@store/x?y=1 and http://store/y'],
  [
    '/a?X-Amz-Credential=AK%2F1&X-Amz-Signature=ab12&X-Amz-Date=1',
    '/a?X-Amz-Credential=…&X-Amz-Signature=…&X-Amz-Date=1',
  ],
  ['AWS4-HMAC-SHA256 Credential=AK/1, SignedHeaders=host, Signature=ab12', 'AWS4-HMAC-SHA256 Credential=…, SignedHeaders=host, Signature=…'], // prettier-ignore
  ['authorization: Bearer abc.def-1', 'authorization: Bearer …'],
  [`{"path":"/v1/uploads/${'ab'.repeat(32)}"}`, '{"path":"/v1/uploads/…"}'],
  [
    '{"path":"/v1/uploads","email":"a@b","url":"http://a/b@c"}',
    '{"path":"/v1/uploads","email":"a@b","url":"http://a/b@c"}',
  ],
])('%s is written as %s', (line, written) => {
  expect(withoutSecrets(line)).toBe(written);
});
