/** Where a window stands, from the validator's clock alone. */
import { t } from '@lingui/core/macro';
import type { ClockState, Phase } from '../../core/protocol/api.ts';
import { formatCountdown } from '../ui/format.ts';

export const PHASES: readonly Phase[] = ['train', 'put', 'judge', 'publish'];

export interface TimelinePhase {
  readonly phase: Phase;
  readonly state: 'done' | 'now' | 'next';
  /** 0-1; undefined while it lasts as long as it lasts. */
  readonly fraction: number | undefined;
}

export interface Timeline {
  readonly phases: readonly TimelinePhase[];
  /** What comes next and when. */
  readonly text: string;
}

/** @param nowMs the validator's time */
export function timeline(clock: ClockState, nowMs: number): Timeline {
  const opens = Date.parse(clock.opensAt);
  const putOpens = Date.parse(clock.putOpensAt);
  const putCloses = Date.parse(clock.putClosesAt);
  const current = PHASES.indexOf(clock.phase);
  const share = (from: number, to: number): number => Math.min(1, Math.max(0, (nowMs - from) / Math.max(1, to - from)));
  const fractions: Record<Phase, number | undefined> = {
    train: share(opens, putOpens),
    put: share(putOpens, putCloses),
    judge: undefined,
    publish: undefined,
  };
  return {
    phases: PHASES.map((phase, i) => ({
      phase,
      state: i < current ? 'done' : i === current ? 'now' : 'next',
      fraction: i < current ? 1 : i === current ? fractions[phase] : 0,
    })),
    text: wording(clock.phase, (putOpens - nowMs) / 1_000, (putCloses - nowMs) / 1_000),
  };
}

function wording(phase: Phase, untilPut: number, untilClose: number): string {
  const [open, close] = [formatCountdown(untilPut), formatCountdown(untilClose)];
  const judging = formatCountdown(Math.max(0, -untilClose));
  switch (phase) {
    case 'train':
      return untilPut > 0 ? t`Uploads open in ${open}` : t`Uploads open now`;
    case 'put':
      return untilClose > 0 ? t`Uploads close in ${close}` : t`Uploads close now`;
    case 'judge':
      return t`Scoring for ${judging}`;
    case 'publish':
      return t`Publishing the next model`;
    default:
      return phase satisfies never;
  }
}
