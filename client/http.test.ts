import { expect, test } from 'vitest';
import { ProblemError } from '../core/protocol/problem.ts';
import { createValidatorApi } from './api.ts';
import { boundedFetch, NotUnderstoodError, UnreachableError } from './http.ts';

const answer =
  (body: BodyInit, init?: ResponseInit): typeof fetch =>
  () =>
    Promise.resolve(new Response(body, init));
const ask = { maxBytes: 10, timeoutMs: 1_000 };
const URL_ = 'http://validator.test/v1/clock';

test('an answer within bounds arrives whole, with progress', async () => {
  const seen: number[] = [];
  const bytes = await boundedFetch(answer('0123456789'), URL_, { ...ask, onProgress: (n) => seen.push(n) });
  expect(new TextDecoder().decode(bytes)).toBe('0123456789');
  expect(seen.at(-1)).toBe(10);
});

test('an answer longer than allowed is refused while it streams', async () => {
  let pulled = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(8));
    },
  });
  await expect(boundedFetch(answer(endless), URL_, ask)).rejects.toThrow(UnreachableError);
  expect(pulled).toBeLessThan(5);
});

test('a problem document becomes a ProblemError with its key', async () => {
  const problem = new ProblemError('too-late', 'The put phase of window 3 closed.').toProblem();
  const refused = boundedFetch(answer(JSON.stringify(problem), { status: 410 }), URL_, ask);
  await expect(refused).rejects.toMatchObject({ name: 'ProblemError', key: 'too-late', message: problem.detail });
});

test.each([
  '<html>',
  '{}',
  '{"type":"/problems/nonsense","title":"","status":500,"detail":""}',
  '{"type":"/problems/__proto__","title":"","status":1,"detail":""}',
])('an error that is not a problem document of ours (%s) means unreachable', async (body) => {
  await expect(boundedFetch(answer(body, { status: 500 }), URL_, ask)).rejects.toThrow(UnreachableError);
});

test('a server that never answers is given up', async () => {
  const never: typeof fetch = (_, init) =>
    new Promise((_resolve, reject) => {
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error));
    });
  await expect(boundedFetch(never, URL_, { ...ask, timeoutMs: 20 })).rejects.toThrow(UnreachableError);
});

test('an abort keeps its own reason', async () => {
  const abort = new AbortController();
  const reason = new Error('stopped by a person');
  abort.abort(reason);
  const refuse: typeof fetch = () => Promise.reject(new TypeError('aborted'));
  await expect(boundedFetch(refuse, URL_, { ...ask, signal: abort.signal })).rejects.toBe(reason);
});

test('who is told to come again later does, while there is time', async () => {
  const problem = JSON.stringify(new ProblemError('too-many-requests', 'Try again in 1 s.').toProblem());
  let asked = 0;
  const later =
    (after: string): typeof fetch =>
    () =>
      Promise.resolve(
        asked++ === 0 ? new Response(problem, { status: 429, headers: { 'retry-after': after } }) : new Response('ok'),
      );
  expect(new TextDecoder().decode(await boundedFetch(later('1'), URL_, { ...ask, timeoutMs: 60_000 }))).toBe('ok');
  for (const after of ['60', 'Thu, 01 Jan 1970 00:00:00 GMT', '-1', '1e400', '']) {
    asked = 0;
    await expect(boundedFetch(later(after), URL_, ask)).rejects.toMatchObject({ key: 'too-many-requests' });
    expect(asked).toBe(1);
  }
  asked = 0;
  const abort = new AbortController();
  const waiting = boundedFetch(later('30'), URL_, { ...ask, timeoutMs: 60_000, signal: abort.signal });
  setTimeout(() => abort.abort(new Error('stopped by a person')), 20);
  await expect(waiting).rejects.toThrow('stopped by a person');
});

test.each([
  ['2', 'ProgramTooOldError'],
  ['0', 'ProgramTooNewError'],
])('a run of protocol %s is not asked on and on', async (protocol, name) => {
  // Whatever it answers: what it means is not known here.
  for (const status of [200, 404, 500]) {
    const headers = { 'gauntlet-protocol': protocol };
    const refused = boundedFetch(answer('{}', { status, headers }), URL_, ask);
    await expect(refused).rejects.toMatchObject({ name, remedy: expect.stringContaining('version') as string });
  }
});

const headers = { 'gauntlet-protocol': '1' };

test('a refusal under a name that is not known here is said, and not tried again', async () => {
  const body = '{"type":"/problems/from-tomorrow","title":"","status":403,"detail":"Not on Sundays."}';
  const refused = (init: ResponseInit): Promise<unknown> => boundedFetch(answer(body, init), URL_, ask);
  await expect(refused({ status: 403, headers })).rejects.toThrow(new NotUnderstoodError('Not on Sundays.'));
  await expect(refused({ status: 429, headers })).rejects.toThrow(UnreachableError);
  await expect(refused({ status: 503, headers })).rejects.toThrow(UnreachableError);
  // A proxy's, perhaps.
  await expect(refused({ status: 403 })).rejects.toThrow(UnreachableError);
});

test('a validator’s answer of another form is not understood, and a proxy’s is tried again', async () => {
  const clock = (init?: ResponseInit): Promise<unknown> =>
    createValidatorApi({ baseUrl: URL_, fetch: answer('{"window":"first"}', init) }).clock();
  await expect(clock({ headers })).rejects.toThrow(NotUnderstoodError);
  await expect(clock()).rejects.toThrow(UnreachableError);
});
