import { describe, expect, it } from 'vitest';
import { VerdictSchema } from '../protocol/api.ts';
import type { ContributionHeader } from '../protocol/contribution.ts';
import { ProblemError, PROBLEMS, type ProblemKey } from '../protocol/problem.ts';
import { fastChecks, verdictOfAbsence, verdictOfProblem, type FastCheckContext } from './fast-checks.ts';

const header: ContributionHeader = {
  run: '0a'.repeat(16),
  window: 4,
  hotkey: '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY',
  scheme: 'decoupled-momentum',
  root: 'ab'.repeat(32),
  pagesTrained: 8,
  sampleDigest: 'cd'.repeat(32),
  trainLoss: 3.5,
  syncSample: [0.5, -0.25],
};

const context: FastCheckContext = {
  run: header.run,
  window: 4,
  hotkey: header.hotkey,
  arrivedAt: 1_500,
  putOpensAt: 1_000,
  putClosesAt: 2_000,
  root: header.root,
  pagesPerWindow: 8,
  ownSyncValues: [0.5, -0.25],
  syncUnit: 0.01,
  params: { syncThreshold: 3, syncStatistic: 'mean' },
};

const failing = (head: Partial<ContributionHeader>, where: Partial<FastCheckContext> = {}): string[] =>
  fastChecks({ ...header, ...head }, { ...context, ...where })
    .filter(({ pass }) => !pass)
    .map(({ check }) => check);

describe('fastChecks', () => {
  it('passes an honest contribution, with a verdict for every check in order', () => {
    const verdicts = fastChecks(header, context);
    expect(verdicts.map(({ check }) => check)).toEqual([
      'delivered',
      'in-time',
      'signature',
      'format',
      'finite',
      'model',
      'sync',
    ]);
    for (const verdict of verdicts) {
      expect(verdict.pass).toBe(true);
      expect(VerdictSchema.parse(verdict)).toEqual(verdict);
    }
  });

  it('minds both bounds of the put phase', () => {
    expect(failing({}, { arrivedAt: 1_000 })).toEqual([]);
    expect(failing({}, { arrivedAt: 2_000 })).toEqual([]);
    expect(failing({}, { arrivedAt: 999 })).toEqual(['in-time']);
    expect(failing({}, { arrivedAt: 2_001 })).toEqual(['in-time']);
  });

  it('refuses what was made for another run, window or peer, or claims too much', () => {
    expect(failing({ run: '0b'.repeat(16) })).toEqual(['format']);
    expect(failing({ window: 3 })).toEqual(['format']);
    expect(failing({ hotkey: '5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty' })).toEqual(['format']);
    expect(failing({ pagesTrained: 9 })).toEqual(['format']);
  });

  it('refuses another root', () => {
    expect(failing({ root: 'ef'.repeat(32) })).toEqual(['model']);
  });

  it('gates sync at the threshold of sign-steps', () => {
    const at = (steps: number): string[] => failing({ syncSample: [0.5 + steps * 0.01, -0.25 - steps * 0.01] });
    expect(at(2.9)).toEqual([]);
    expect(at(3.1)).toEqual(['sync']);
    expect(failing({ syncSample: [0.5] })).toEqual(['sync']);
    expect(failing({ syncSample: [] })).toEqual(['sync']);
    const overflow = fastChecks({ ...header, syncSample: [1e308, -1e308] }, context).at(-1)!;
    expect(overflow).toMatchObject({ pass: false, value: null });
  });
});

describe('verdictOfProblem', () => {
  const check = (key: ProblemKey): string | undefined => verdictOfProblem(new ProblemError(key, 'why'), 4)?.check;

  it('maps what a contribution can be refused for', () => {
    expect(check('malformed-contribution')).toBe('format');
    expect(check('index-out-of-range')).toBe('format');
    expect(check('not-finite')).toBe('finite');
    expect(check('wrong-signature')).toBe('signature');
    expect(check('too-late')).toBe('in-time');
    expect(check('truncated-upload')).toBe('delivered');
    expect(verdictOfProblem(new ProblemError('not-finite', 'why'), 4)).toMatchObject({
      window: 4,
      pass: false,
      reason: 'why',
    });
  });

  it('blames nobody for the validator’s own failures', () => {
    expect(check('internal')).toBeUndefined();
    expect(check('not-ready')).toBeUndefined();
    for (const key of Object.keys(PROBLEMS) as ProblemKey[]) {
      const verdict = verdictOfProblem(new ProblemError(key, 'why'), 4);
      if (verdict) expect(VerdictSchema.parse(verdict)).toEqual(verdict);
    }
  });

  it('has a verdict for absence', () => {
    expect(verdictOfAbsence(4)).toMatchObject({ window: 4, check: 'delivered', pass: false });
  });
});
