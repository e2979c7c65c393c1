import { describe, expect, it } from 'vitest';
import { newsOf } from '../contribute/log-contributor.ts';
import { createLog, logUncaught } from './log.ts';

const entry = (text: string) => ({ atMs: 1, level: 'info' as const, source: 'test', text });

describe('log', () => {
  it('keeps the newest, each of bounded length', () => {
    const log = createLog(3);
    for (const text of ['one', 'two', 'three', 'four', '. '.repeat(2_000)]) log.note(entry(text));
    expect(log.entries().map(({ text }) => text.length)).toEqual([5, 4, 500]);
  });

  it('holds no identifier whole', () => {
    const log = createLog();
    log.note(entry(`blob ${'ab'.repeat(32)} of 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY is gone`));
    expect(log.entries()[0]!.text).toBe('blob ababab…ababab of 5Grwva…GKutQY is gone');
  });

  it('notes what nobody caught', () => {
    const page = new EventTarget();
    const log = createLog();
    logUncaught(page, log);
    page.dispatchEvent(Object.assign(new Event('error'), { message: 'it broke' }));
    page.dispatchEvent(Object.assign(new Event('unhandledrejection'), { reason: new RangeError('too far') }));
    expect(log.entries().map(({ text }) => text)).toEqual(['it broke', 'RangeError: too far']);
  });
});

describe('the contributor in the log', () => {
  const idle = { status: { kind: 'idle' as const }, warnings: [] };
  const warned = { ...idle, warnings: [{ atMs: 2, message: 'slow' }] };

  it('is its changes of status with their reasons, and its warnings', () => {
    const failed = { ...idle, status: { kind: 'failed' as const, reason: 'no memory', remedy: 'Close tabs.' } };
    expect(newsOf(failed, idle, 5)).toEqual([
      { atMs: 5, level: 'error', source: 'trainer', text: 'failed: no memory' },
    ]);
    expect(newsOf(warned, idle, 5)).toEqual([{ atMs: 5, level: 'warning', source: 'trainer', text: 'slow' }]);
  });

  it('is silent where nothing happened', () => {
    expect(newsOf(idle, idle, 5)).toEqual([]);
    expect(newsOf(idle, warned, 5)).toEqual([]);
  });
});
