/** Figures of how a process stands, read when somebody asks for them. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { ValidatorService } from '../http/validator-service.ts';
import type { LiveChain } from './chain/run-chain.ts';
import type { JobFigures } from './postgres/evaluation-jobs.ts';

/** What may be asked of a process that serves a run. */
export interface Standing {
  /** ms since the epoch. */
  readonly now: () => number;
  readonly service: Pick<ValidatorService, 'clock' | 'unready'>;
  /** Whether it drives the windows. */
  drives(): boolean;
  peers(): Promise<number>;
  /** Of the event stream. */
  listeners(): number;
  connections(): Promise<number>;
  /** Connections that were closed as they came, so far. */
  turnedAway(): number;
  /** Of the file system that the run's folder is on; absent where nothing of the run is kept there. */
  readonly disk?: () => Promise<{ readonly free: number; readonly size: number }>;
  /** Where evaluators may join. */
  readonly jobs?: () => JobFigures;
  /** In a run with a chain. */
  readonly chain?: Pick<LiveChain, 'head' | 'heardAt' | 'connections'>;
}

/** A database that does not answer must not keep everything else from being told. */
const PATIENCE_MS = 1_000;

async function orNothing(read: () => number | Promise<number>): Promise<number> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<number>((resolve) => (timer = setTimeout(resolve, PATIENCE_MS, Number.NaN)));
  try {
    return await Promise.race([read(), late]);
  } catch {
    return Number.NaN;
  } finally {
    clearTimeout(timer);
  }
}

type Counts = Readonly<Record<string, number>>;

/** Adds the gauges to a registry. What cannot be read is NaN. */
export function addStanding(registry: Registry, standing: Standing): void {
  const { now, service, disk, jobs, chain } = standing;
  const gauge = (name: string, help: string, read: () => number | Promise<number>): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        this.set(await orNothing(read));
      },
    });
  };
  /** @param counts by label, so far */
  const counter = (name: string, help: string, label: string | undefined, counts: () => Counts): void => {
    new Counter({
      name,
      help,
      labelNames: label === undefined ? [] : [label],
      registers: [registry],
      collect() {
        this.reset();
        for (const [value, count] of Object.entries(counts())) {
          this.inc(label === undefined ? {} : { [label]: value }, count);
        }
      },
    });
  };
  gauge('gauntlet_window', 'Newest published window', () => service.clock().window - 1);
  gauge(
    'gauntlet_window_age_seconds',
    'Time since it was published',
    () => (now() - Date.parse(service.clock().opensAt)) / 1_000,
  );
  gauge('gauntlet_ready', 'Whether the process can serve, as /readyz says', () => Number(!service.unready()));
  gauge('gauntlet_drives', 'Whether the process drives the windows', () => Number(standing.drives()));
  gauge('gauntlet_peers', 'Peers of the run', () => standing.peers());
  gauge('gauntlet_event_listeners', 'Listeners to the event stream', () => standing.listeners());
  gauge('gauntlet_connections', 'Open connections', () => standing.connections());
  counter('gauntlet_connections_turned_away_total', 'Connections closed as they came: too many', undefined, () => ({
    all: standing.turnedAway(),
  }));
  if (disk) {
    gauge('gauntlet_disk_free_bytes', 'Room on the disk of the run’s folder', async () => (await disk()).free);
    gauge('gauntlet_disk_size_bytes', 'Size of that disk', async () => (await disk()).size);
  }
  if (jobs) {
    gauge('gauntlet_evaluators', 'Evaluators that are there', () => jobs().evaluators);
    gauge('gauntlet_evaluator_lanes', 'Measurements that they make at once', () => jobs().lanes);
    gauge('gauntlet_evaluation_jobs_waiting', 'Measurements asked of evaluators, unanswered', () => jobs().waiting);
    counter('gauntlet_evaluation_jobs_total', 'Measurements that evaluators made, or failed to make', 'result', () => ({
      made: jobs().made,
      failed: jobs().failed,
    }));
  }
  if (chain) {
    gauge('gauntlet_chain_head', 'Newest finalised block heard of', () => chain.head()?.number ?? 0);
    gauge('gauntlet_chain_head_age_seconds', 'Time since a finalised block was heard of', () => {
      const heardAt = chain.heardAt();
      return heardAt === undefined ? Number.NaN : (now() - heardAt) / 1_000;
    });
    gauge('gauntlet_chain_connections', 'Connections to nodes of the chain that were made', () => chain.connections());
  }
}
