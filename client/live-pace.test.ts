import { describe, expect, it } from 'vitest';
import { readingDelayMs } from './live-pace.ts';

describe('a reading that an event leads to', () => {
  it('comes anywhere within the time that the event says, and at once where it says none', () => {
    expect(readingDelayMs({ spreadMs: 20_000 }, () => 0.25)).toBe(5_000);
    expect(readingDelayMs({ spreadMs: 20_000 }, () => 0)).toBe(0);
    expect(readingDelayMs({}, () => 0.9)).toBe(0);
  });

  it('is not put off for ever', () => {
    expect(readingDelayMs({ spreadMs: 1e12 }, () => 0.5)).toBe(30_000);
  });
});
