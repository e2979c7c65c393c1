/** A recording of a whole run, held against what its validator said. */
import { beforeAll, expect, it } from 'vitest';
import { createValidatorApi, type ValidatorApi } from '../../client/api.ts';
import { packRecording, recordRun, unpackRecording } from '../../client/recording.ts';
import type { Leaderboard, PeerState, WindowRecord, WindowSummary } from '../../core/protocol/api.ts';
import { ProblemError } from '../../core/protocol/problem.ts';
import type { Recording } from '../../core/protocol/recording.ts';
import { runExperiment } from '../../simulate/experiment.ts';
import { openRecordedRun } from './recorded-run.ts';

const ONE_RUN = { preset: 'micro', honest: 2, attackers: ['sign-flip', 'late'], pages: 2, seed: 'recorded' } as const;

interface Said {
  readonly leaderboard: Leaderboard;
  readonly peers: readonly PeerState[];
  readonly windows: readonly WindowSummary[];
  readonly records: readonly WindowRecord[];
}

async function everythingSaid(api: ValidatorApi, until: number): Promise<Said> {
  const leaderboard = await api.leaderboard();
  return {
    leaderboard,
    peers: await Promise.all(leaderboard.peers.map(({ hotkey }) => api.peer(hotkey))),
    windows: await api.windows(1, 100),
    records: await Promise.all(Array.from({ length: until }, (_, i) => api.window(i + 1))),
  };
}

let recording: Recording;
/** What the validator said after so many windows. */
const said = new Map<number, Said>();

beforeAll(async () => {
  // The same run twice: it is the same to the bit, so the shorter one is how the longer one stood.
  for (const windows of [2, 4]) {
    await runExperiment({
      ...ONE_RUN,
      windows,
      onEnd: async ({ url, fetch }) => {
        const api = createValidatorApi({ baseUrl: url, fetch });
        said.set(windows, await everythingSaid(api, windows));
        recording = await recordRun(api, { windows, now: () => 0 });
      },
    });
  }
}, 120_000);

const apiOf = (run: ReturnType<typeof openRecordedRun>): ValidatorApi =>
  createValidatorApi({
    baseUrl: 'http://recorded.invalid',
    fetch: async (input, init) => run.fetch(new Request(input, init)),
  });

it('answers as the validator did then, forwards and back, also after it was a file', async () => {
  const run = openRecordedRun(await unpackRecording(await packRecording(recording)));
  expect([run.first, run.last, run.window]).toEqual([1, 4, 4]);
  const api = apiOf(run);
  expect(await api.run()).toEqual(recording.run);
  for (const window of [4, 2, 4]) {
    run.seek(window);
    expect(await everythingSaid(api, window)).toEqual(said.get(window));
    expect((await api.clock()).window).toBe(window + 1);
    expect((await api.samples()).every((sample) => sample.window <= window + 1)).toBe(true);
  }
});

it('knows nothing of what came later, takes nothing, and is not moved out of itself', async () => {
  const run = openRecordedRun(recording);
  const api = apiOf(run);
  run.seek(2);
  await expect(api.book(3)).rejects.toMatchObject({ key: 'unknown-window' });
  await expect(api.window(4)).rejects.toMatchObject({ key: 'unknown-window' });
  expect((await api.book(2)).book.window).toBe(2);
  await expect(api.checkpoint()).rejects.toThrow(ProblemError);
  for (const window of [0, 5, 2.5, NaN]) expect(() => run.seek(window)).toThrow(RangeError);
  expect(run.window).toBe(2);
});

it('greets with its clock, and says when it was moved', () => {
  const run = openRecordedRun(recording);
  const heard: number[] = [];
  const stop = run.subscribe((event) => event.type === 'clock' && heard.push(event.clock.window));
  run.seek(1);
  run.seek(3);
  stop();
  run.seek(4);
  expect(heard).toEqual([2, 4]);
  expect(run.greeting()).toMatchObject({ type: 'clock', clock: { window: 5 } });
});
