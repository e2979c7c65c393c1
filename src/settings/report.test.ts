import { describe, expect, it } from 'vitest';
import { placeOf, reportText, type ReportFacts } from './report.ts';

const facts: ReportFacts = {
  at: new Date(0),
  build: undefined,
  protocol: '1',
  validator: 'http://localhost/',
  run: 'abc',
  runName: 'a run',
  window: 12,
  phase: 'put',
  stream: 'live',
  status: 'training',
  device: 'WASM, 4 threads',
  browser: 'a browser',
  isolated: true,
  gpu: false,
  storage: { usedBytes: 5, quotaBytes: undefined },
  log: [{ atMs: 1_000, level: 'warning', source: 'trainer', text: 'slow' }],
};

describe('report', () => {
  it('says what is known, what is not, and what was logged', () => {
    const lines = reportText(facts).split('\n');
    expect(lines).toContain('app: unknown');
    expect(lines).toContain('window: 12, put');
    expect(lines).toContain('storage: 5 of unknown bytes');
    expect(lines).toContain('1970-01-01T00:00:01.000Z warning trainer: slow');
    const build = { version: '1.2.3', commit: null, date: '1970' };
    expect(reportText({ ...facts, build })).toContain('app: 1.2.3, commit unknown, of 1970');
  });

  it('names a validator without what may be secret in its address', () => {
    expect(placeOf('https://me:word@host:8/path?token=1#x')).toBe('https://host:8/path');
  });
});
