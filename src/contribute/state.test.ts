import { describe, expect, it } from 'vitest';
import type { ContributorEvent, ContributorStatus } from '../../client/events.ts';
import { appendLoss, EMPTY_LOSS_HISTORY, MAX_LOSS_POINTS, smooth } from './loss-history.ts';
import { sentence } from '../ui/failure-words.ts';
import { describeStatus } from './describe.ts';
import { INITIAL_STATE, isActive, reduce, transferSecondsLeft, type ContributeState } from './state.ts';

function play(events: readonly ContributorEvent[], from: ContributeState = INITIAL_STATE): ContributeState {
  return events.reduce((state, event, i) => reduce(state, { type: 'event', event, atMs: i * 1_000 }), from);
}

const STATUSES: readonly ContributorStatus[] = [
  { kind: 'idle' },
  { kind: 'connecting' },
  { kind: 'compiling' },
  { kind: 'downloading', what: 'checkpoint', bytes: 1, totalBytes: 2 },
  { kind: 'verifying', window: 3 },
  { kind: 'training', window: 3, pagesDone: 1, pagesAssigned: 4, secondsLeft: 9.4 },
  { kind: 'paused', window: 3 },
  { kind: 'compressing', window: 3 },
  { kind: 'uploading', window: 3, bytes: 1, totalBytes: 2 },
  { kind: 'waiting', window: 3, waitingFor: 'put' },
  { kind: 'waiting', window: 3, waitingFor: 'judgement' },
  { kind: 'waiting', window: 3, waitingFor: 'next-window' },
  { kind: 'waiting', window: 3, waitingFor: 'first-window' },
  { kind: 'resyncing', reason: 'the root differs' },
  { kind: 'retrying', reason: 'no answer', retryInSeconds: 4 },
  { kind: 'stopping' },
  { kind: 'stopped' },
  { kind: 'failed', reason: 'no room', remedy: 'Make room.' },
];

describe('contributor state', () => {
  it('follows losses, tokens and their rate', () => {
    const state = play([
      { type: 'loss', window: 1, step: 0, loss: 5, tokens: 100, tokensPerSecond: 50 },
      { type: 'loss', window: 1, step: 1, loss: 4, tokens: 100, tokensPerSecond: 100 },
    ]);
    expect(state.lastLoss).toBe(4);
    expect(state.tokensTrained).toBe(200);
    expect(state.tokensPerSecond).toBeCloseTo(60);
    expect(state.losses.points.map(({ loss }) => loss)).toEqual([5, 4]);
  });

  it('knows the rate of a transfer, and forgets it afterwards', () => {
    const download = (bytes: number): ContributorEvent => ({
      type: 'status',
      status: { kind: 'downloading', what: 'checkpoint', bytes, totalBytes: 1_000 },
    });
    const state = play([download(100), download(300), download(500)]);
    expect(transferSecondsLeft(state.transfer, { bytes: 500, totalBytes: 1_000 }, 2_000)).toBeCloseTo(2.5);
    expect(play([{ type: 'status', status: { kind: 'compiling' } }], state).transfer).toBeUndefined();
  });

  it('does not flicker back from stopping', () => {
    const stopping = play([{ type: 'status', status: { kind: 'stopping' } }]);
    const late: ContributorEvent = { type: 'status', status: { kind: 'compressing', window: 1 } };
    expect(play([late], stopping).status.kind).toBe('stopping');
    expect(play([late, { type: 'status', status: { kind: 'stopped' } }], stopping).status.kind).toBe('stopped');
  });

  it('keeps a repeated warning once and few in all', () => {
    const warn = (message: string): ContributorEvent => ({ type: 'warning', message });
    const state = play([warn('a'), warn('a'), ...Array.from('bcdefgh', warn)]);
    expect(state.warnings.map(({ message }) => message)).toEqual(['h', 'g', 'f', 'e', 'd']);
    expect(play([warn('a'), warn('a')]).warnings).toHaveLength(1);
    expect(reduce(state, { type: 'dismiss-warnings' }).warnings).toEqual([]);
  });

  it('remembers what was verified', () => {
    expect(play([{ type: 'state-root', window: 4, root: 'ab' }]).verifiedRoot).toEqual({ window: 4, root: 'ab' });
  });
});

describe('status in words', () => {
  it.each(STATUSES)('$kind is a headline and a sentence', (status) => {
    const { headline, detail, tone, remedy } = describeStatus(status);
    expect(headline).not.toBe('');
    expect(detail).toMatch(/[.!?]$/);
    expect(remedy !== undefined).toBe(status.kind === 'failed');
    expect(tone === 'idle').toBe(status.kind === 'idle' || status.kind === 'stopped');
  });

  it('is active exactly when something goes on', () => {
    expect(STATUSES.filter((status) => !isActive(status)).map(({ kind }) => kind)).toEqual([
      'idle',
      'stopped',
      'failed',
    ]);
  });

  it('has bytes and time left for a transfer', () => {
    const status = { kind: 'downloading', what: 'checkpoint', bytes: 1_500_000, totalBytes: 4_200_000 } as const;
    expect(describeStatus(status, 12).progress?.text).toBe('1.5 MB of 4.2 MB, about 12 s left');
    expect(describeStatus(status).progress?.text).toBe('1.5 MB of 4.2 MB');
  });

  it('makes sentences of reasons', () => {
    expect(sentence('no answer')).toBe('No answer.');
    expect(sentence('Is it up?')).toBe('Is it up?');
    expect(sentence('')).toBe('');
  });
});

describe('loss history', () => {
  it('stays bounded, keeps its mean and its last step', () => {
    let history = EMPTY_LOSS_HISTORY;
    const total = MAX_LOSS_POINTS * 5;
    for (let i = 0; i < total; i++) history = appendLoss(history, i % 2, 1 + Math.floor(i / 100));
    expect(history.points.length).toBeLessThan(MAX_LOSS_POINTS);
    expect(history.points.length).toBeGreaterThan(MAX_LOSS_POINTS / 4);
    expect(history.steps).toBe(total);
    expect(history.points.at(-1)!.step).toBe(total);
    for (const { loss } of history.points) expect(loss).toBeCloseTo(0.5);
  });

  it('smooths from its first value', () => {
    expect(smooth([4, 4, 4])).toEqual([4, 4, 4]);
    expect(smooth([])).toEqual([]);
  });
});
