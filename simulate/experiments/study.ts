/** An experiment of the report: the runs it needs, and what follows from their outcomes. */
import type { GauntletParameters } from '../../core/protocol/manifest.ts';
import { REFERENCE_GAUNTLET } from '../../core/model/presets.ts';
import type { Job, Outcome, PeerOutcome } from './job.ts';

export interface Series {
  readonly label: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Plot {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
  /** Both axes are logarithmic, and all numbers positive. */
  readonly logarithmic?: boolean;
}

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** A sentence that the data decide. */
export interface Finding {
  /** Whether what the literature says was seen; null where it says nothing. */
  readonly agrees: boolean | null;
  readonly text: string;
}

export interface Conclusions {
  readonly findings: readonly Finding[];
  readonly plots: readonly Plot[];
  readonly tables: readonly Table[];
}

export interface StudyOptions {
  readonly seed: string;
  /** More windows, peers and choices: hours instead of minutes. */
  readonly long: boolean;
}

export interface Study {
  readonly name: string;
  readonly title: string;
  readonly asks: string;
  readonly jobs: (options: StudyOptions) => readonly Job[];
  /** @param outcomes in the order of the jobs */
  readonly conclude: (outcomes: readonly Outcome[], options: StudyOptions) => Conclusions;
}

/** The paper's profile with everybody evaluated in every window, so that short runs say something. */
export const ALL_EVALUATED: GauntletParameters = { ...REFERENCE_GAUNTLET, evaluationsPerWindow: 40 };

/** θ's losses over the windows, from 0, which is before the first. */
export function lossSeries(label: string, { losses }: Outcome): Series {
  return { label, points: losses.map((loss, window) => [window, loss] as const) };
}

/** A figure of a peer over the windows in which it has one. */
export function historySeries(
  peer: PeerOutcome,
  figure: (point: PeerOutcome['history'][number]) => number | null,
  label = peer.name,
): Series {
  return {
    label,
    points: peer.history.flatMap((point) => {
      const value = figure(point);
      return value === null ? [] : [[point.window, value] as const];
    }),
  };
}

export const named = (outcome: Outcome, name: string): PeerOutcome => outcome.peers.find((peer) => peer.name === name)!;

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
export const round = (value: number, digits = 3): number => Number(value.toFixed(digits));
