import { describe, expect, it } from 'vitest';
import type { ClockState, Phase } from '../../core/protocol/api.ts';
import { timeline } from './timeline.ts';

const at = (seconds: number): string => new Date(seconds * 1_000).toISOString();

function clock(phase: Phase): ClockState {
  return {
    run: '0'.repeat(32),
    window: 4,
    phase,
    opensAt: at(100),
    putOpensAt: at(120),
    putClosesAt: at(130),
    serverTime: at(100),
    assignmentSeed: '0'.repeat(64),
    blocks: null,
    stateRoot: '0'.repeat(64),
  };
}

describe('timeline', () => {
  it('counts down to the uploads while training', () => {
    const { phases, text } = timeline(clock('train'), 105_000);
    expect(text).toBe('Uploads open in 0:15');
    expect(phases.map(({ state, fraction }) => [state, fraction])).toEqual([
      ['now', 0.25],
      ['next', 0],
      ['next', 0],
      ['next', 0],
    ]);
  });

  it('has no end in sight while judging', () => {
    const { phases, text } = timeline(clock('judge'), 135_000);
    expect(text).toBe('Scoring for 0:05');
    expect(phases.map(({ state }) => state)).toEqual(['done', 'done', 'now', 'next']);
    expect(phases[2]!.fraction).toBeUndefined();
  });

  it('stays in bounds when clocks disagree', () => {
    expect(timeline(clock('train'), 0).phases[0]!.fraction).toBe(0);
    expect(timeline(clock('train'), 500_000)).toMatchObject({
      text: 'Uploads open now',
      phases: [{ fraction: 1 }, {}, {}, {}],
    });
  });
});
