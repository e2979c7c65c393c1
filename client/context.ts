/** What the parts of one running contributor share. */
import type { ValidatorApi } from './api.ts';
import type { Controls } from './controls.ts';
import type { ContributorEvent, ContributorStatus } from './events.ts';
import type { ContributorPorts } from './ports.ts';
import type { ServerClock } from './server-clock.ts';

export interface ContributorContext {
  readonly ports: ContributorPorts;
  readonly api: ValidatorApi;
  readonly clock: ServerClock;
  readonly controls: Controls;
  readonly signal: AbortSignal;
  readonly emit: (event: ContributorEvent) => void;
  readonly status: (status: ContributorStatus) => void;
}
