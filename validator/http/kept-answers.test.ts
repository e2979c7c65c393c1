import { gunzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { createKeptAnswers, type KeptAnswers } from './kept-answers.ts';

let window: number;
let board: { window: number; peers: string[] };
let made: number;
let time: number;
let takesMs: number;
let answers: KeptAnswers;

beforeEach(() => {
  window = 5;
  board = { window: 4, peers: [] };
  made = 0;
  time = 0;
  takesMs = 10;
  answers = createKeptAnswers(
    () => window,
    () => time,
  );
});

async function make(): Promise<typeof board> {
  made++;
  const answer = board;
  await Promise.resolve();
  time += takesMs;
  return answer;
}

const ask = (headers: Record<string, string> = {}): Promise<Response> =>
  answers.respond(new Request('http://validator/v1/leaderboard', { headers }), 'leaderboard', make);

describe('kept answers', () => {
  it('are made once for all who ask meanwhile', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, () => ask()));
    for (const answer of all) expect(await answer.json()).toEqual(board);
    expect(made).toBe(1);
  });

  it('are made anew as soon as a window is published', async () => {
    await ask();
    window = 6;
    board = { window: 5, peers: [] };
    expect(await (await ask()).json()).toEqual(board);
    expect(made).toBe(2);
  });

  it('are made anew in the same window, with a twentieth of the time', async () => {
    await ask();
    time = 199;
    await ask();
    expect(made).toBe(1);
    time = 200;
    await ask();
    expect(made).toBe(2);
  });

  it('are never older than some seconds, however long they take', async () => {
    takesMs = 2_000;
    await ask();
    time = 5_000;
    await ask();
    expect(made).toBe(2);
  });

  it('come packed for those who take that', async () => {
    const packed = await ask({ 'accept-encoding': 'br, gzip;q=0.5' });
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    expect(packed.headers.get('vary')).toBe('accept-encoding');
    expect(JSON.parse(gunzipSync(await packed.arrayBuffer()).toString())).toEqual(board);
    for (const offer of ['br', 'gzip;q=0', '']) {
      expect((await ask({ 'accept-encoding': offer })).headers.get('content-encoding')).toBeNull();
    }
  });

  it('are not sent to those who have them', async () => {
    for (const headers of [{}, { 'accept-encoding': 'gzip' }]) {
      const etag = (await ask(headers)).headers.get('etag')!;
      const again = await ask({ ...headers, 'if-none-match': `"other", ${etag}` });
      expect(again.status).toBe(304);
      expect(again.headers.get('etag')).toBe(etag);
      expect(await again.text()).toBe('');
    }
    const old = (await ask()).headers.get('etag')!;
    window = 6;
    board = { window: 5, peers: [] };
    expect((await ask({ 'if-none-match': old })).status).toBe(200);
  });

  it('keep their name when they are made anew and are the same', async () => {
    const etag = (await ask()).headers.get('etag')!;
    time = 1_000;
    expect((await ask({ 'if-none-match': etag })).status).toBe(304);
    expect(made).toBe(2);
  });

  it('are asked for again after a failure', async () => {
    const fail = (): Promise<never> => Promise.reject(new Error('no database'));
    await expect(answers.respond(new Request('http://validator/'), 'leaderboard', fail)).rejects.toThrow('no database');
    expect((await ask()).status).toBe(200);
  });

  it('are kept by their key, and no more of them than there is room for', async () => {
    const value = async (key: number): Promise<unknown> => {
      const answer = await answers.respond(new Request('http://validator/'), `windows ${key}`, () => {
        made++;
        time += takesMs;
        return Promise.resolve(key);
      });
      return answer.json();
    };
    takesMs = 20;
    for (let key = 0; key < 16; key++) expect(await value(key)).toBe(key);
    expect(await value(0)).toBe(0);
    expect(made).toBe(16);
    // Makes room by forgetting the one that was not asked for longest.
    await value(16);
    await value(0);
    expect(made).toBe(17);
    await value(1);
    expect(made).toBe(18);
  });
});
