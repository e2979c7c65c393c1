/** The runs that experiments are made of, as data: they are carried out in other processes. */
import type { PeerHistoryPoint } from '../../core/protocol/api.ts';
import { runExperiment, type ExperimentOptions } from '../experiment.ts';
import type { PeerKind } from '../attacks/crowd.ts';
import { trainWithAdamW, type AdamWOptions } from './adamw-baseline.ts';

/** A run of the validator with its peers. */
export type CrowdRun = Pick<
  ExperimentOptions,
  | 'preset'
  | 'windows'
  | 'honest'
  | 'attackers'
  | 'pages'
  | 'pagesOf'
  | 'leavesAfter'
  | 'maxPeers'
  | 'seed'
  | 'scheme'
  | 'gauntlet'
>;

export type Job =
  { readonly kind: 'crowd'; readonly run: CrowdRun } | { readonly kind: 'adamw'; readonly run: AdamWOptions };

export interface PeerOutcome {
  readonly name: string;
  readonly kind: PeerKind;
  readonly poc: number;
  readonly ordinal: number;
  readonly gate: number;
  readonly peerScore: number;
  readonly weight: number;
  readonly accepted: number;
  readonly aggregated: number;
  readonly history: readonly PeerHistoryPoint[];
}

export interface Outcome {
  /** On the held-out pages, nats a token: before the first window and after each. */
  readonly losses: readonly number[];
  /** None where there are none. */
  readonly peers: readonly PeerOutcome[];
}

export async function carryOut(job: Job): Promise<Outcome> {
  if (job.kind === 'adamw') return { losses: await trainWithAdamW(job.run), peers: [] };
  const { windows, peers } = await runExperiment(job.run);
  return {
    losses: [windows[0]!.lossBefore!, ...windows.map(({ lossAfter }) => lossAfter!)],
    peers: peers.map(({ name, kind, state }) => ({
      name,
      kind,
      poc: state.poc,
      ordinal: state.rating.ordinal,
      gate: state.gate,
      peerScore: state.peerScore,
      weight: state.weight,
      accepted: state.contributions.accepted,
      aggregated: state.contributions.aggregated,
      history: state.history,
    })),
  };
}
