/** What a run of any size moves, computes and costs, from its preset and a few assumptions that anybody may change. */
import { parameterLayout } from '../../core/model/layout.ts';
import { pageTokens, PRESETS, type PresetName } from '../../core/model/presets.ts';
import type { SchemeParameters } from '../../core/protocol/manifest.ts';
import { createScheme } from '../../core/scheme/create-scheme.ts';

export interface Prices {
  /** Euros for 10⁹ bytes that leave the object store. Reading from some stores is free, from others 0.09. */
  readonly egressGb: number;
  /** Euros for 10⁹ bytes kept for a month. */
  readonly storageGb: number;
  /** Euros for an hour of a GPU that an evaluator runs on. */
  readonly gpuHour: number;
  /** Euros a month for a machine of 8 cores that drives the windows or answers requests, database included. */
  readonly machineMonth: number;
}

export const PRICES: Prices = { egressGb: 0.01, storageGb: 0.015, gpuHour: 2, machineMonth: 80 };

export interface Scenario {
  readonly preset: PresetName;
  readonly scheme: SchemeParameters['name'];
  readonly peers: number;
  /** Seconds from window to window. */
  readonly windowSeconds: number;
  /** Windows that a peer stays, on average. */
  readonly stay: number;
  /** Evaluations of a peer in that time. */
  readonly evaluationsOfStay: number;
  /** Contributions in an outer step. */
  readonly aggregated: number;
  /** Browsers that look on and fetch the leaderboard after each window. */
  readonly watchers: number;
  /** Windows whose contributions are kept. */
  readonly keptWindows: number;
  /** Share of what peers fetch that they get from one another and not from the store: 0 in this code. */
  readonly fromPeers: number;
}

export interface Load {
  /** Bytes of a peer a window. */
  readonly up: number;
  readonly down: number;
  /** Bytes of somebody who joins: the newest checkpoint and half of the steps that follow one. */
  readonly join: number;
  /** Bytes a window, all peers. */
  readonly arriving: number;
  readonly leaving: number;
  /** Bytes a second that leave the store, on average. */
  readonly egressRate: number;
  readonly joinsAMinute: number;
  readonly evaluations: number;
  /** Floating-point operations of an evaluation. */
  readonly evaluationFlops: number;
  /** GPUs that measure a window's evaluations in half of its time. */
  readonly evaluators: number;
  /** Bytes a window that leave the API for watchers: a leaderboard of all, each. */
  readonly leaderboards: number;
  readonly rows: number;
  readonly database: number;
  /** Bytes that the store keeps. */
  readonly kept: number;
}

export interface Month {
  readonly egress: number;
  readonly leaderboards: number;
  readonly storage: number;
  readonly evaluators: number;
  readonly machines: number;
  readonly total: number;
}

/** Of docs/measurements/growth.md: leaderboard entry, of its trend too; rows and bytes of a contribution in the database. */
const ENTRY_BYTES = 300;
const ROWS_OF_CONTRIBUTION = 8;
const DATABASE_BYTES_OF_CONTRIBUTION = 4_900;
/** Sustained by an H100 on fp32 matrices through onnxruntime: a fifth of the 400 TFLOP/s that TF32 has on paper. */
const GPU_FLOPS = 8e13;
const MONTH_SECONDS = 30 * 86_400;
/** A machine answers so many requests a second (p99 within bounds). */
const REQUESTS_A_MACHINE = 1_000;

const GB = 1e9;

export function loadOf(scenario: Scenario): Load {
  const { peers, windowSeconds, stay, evaluationsOfStay, aggregated, watchers, keptWindows, fromPeers } = scenario;
  const preset = PRESETS[scenario.preset];
  const layout = parameterLayout(preset.model);
  const scheme = createScheme(preset.schemes[scenario.scheme], layout);
  const checkpoint = 4 * layout.total;
  const step = scheme.stepBytes(aggregated);
  const pages = preset.training.pagesPerWindow * pageTokens(preset) * 2;
  const up = scheme.bodyBytes;
  const down = step + pages;
  const join = checkpoint + (preset.checkpoint.everyWindows / 2) * step;
  const joins = peers / stay;
  const evaluations = (peers * evaluationsOfStay) / stay;
  const { evaluationPages } = preset.gauntlet;
  // Own pages before and after, and random ones after; two operations a parameter and token.
  const evaluationFlops = 3 * evaluationPages * pageTokens(preset) * 2 * layout.total;
  const leaving = (1 - fromPeers) * (peers * down + joins * join);
  return {
    up,
    down,
    join,
    arriving: peers * up,
    leaving,
    egressRate: leaving / windowSeconds,
    joinsAMinute: (60 * joins) / windowSeconds,
    evaluations,
    evaluationFlops,
    evaluators: Math.ceil((evaluations * evaluationFlops) / GPU_FLOPS / (windowSeconds / 2)),
    leaderboards: watchers * peers * ENTRY_BYTES,
    rows: peers * ROWS_OF_CONTRIBUTION,
    database: peers * DATABASE_BYTES_OF_CONTRIBUTION,
    kept: keptWindows * (peers * up + step) + 2 * checkpoint,
  };
}

/** @param watching 'all' sends everybody the whole leaderboard after each window, 'page' its first 50 rows and one's own */
export function monthOf(scenario: Scenario, prices: Prices, watching: 'all' | 'page'): Month {
  const { peers, watchers, windowSeconds } = scenario;
  const load = loadOf(scenario);
  const windows = MONTH_SECONDS / windowSeconds;
  const leaderboards = watching === 'all' ? load.leaderboards : watchers * Math.min(51, peers) * ENTRY_BYTES;
  // A ticket, an arrival and a clock a peer; a clock, a leaderboard and a window a watcher: all within the put phase.
  const requests = (3 * (peers + watchers)) / (windowSeconds / 4);
  const parts = {
    egress: ((windows * load.leaving) / GB) * prices.egressGb,
    leaderboards: ((windows * leaderboards) / GB) * prices.egressGb,
    storage: ((load.kept + windows * load.database) / GB) * prices.storageGb,
    evaluators: load.evaluators * (MONTH_SECONDS / 3_600) * prices.gpuHour,
    machines: (1 + Math.ceil(requests / REQUESTS_A_MACHINE)) * prices.machineMonth,
  };
  return { ...parts, total: Object.values(parts).reduce((sum, part) => sum + part, 0) };
}
