import { expect, test } from 'vitest';
import { ProblemError } from '../core/protocol/problem.ts';
import { boundedFetch, UnreachableError } from './http.ts';

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
