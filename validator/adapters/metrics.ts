/** Prometheus figures of a validator. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Metrics } from '../rounds/ports.ts';
import type { LiveChain } from './chain/run-chain.ts';

export interface PrometheusMetrics extends Metrics {
  readonly contentType: string;
  /** From now on tells of the chain that the run hangs on. @param now ms since the epoch */
  follow(chain: Pick<LiveChain, 'head' | 'heardAt' | 'connections'>, now: () => number): void;
  /** The exposition text of /metrics. */
  render(): Promise<string>;
}

export function createMetrics(run: string): PrometheusMetrics {
  const registry = new Registry();
  registry.setDefaultLabels({ run });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const accepted = new Counter({
    name: 'gauntlet_uploads_accepted_total',
    help: 'Contributions that got a receipt',
    registers,
  });
  const bytes = new Counter({
    name: 'gauntlet_upload_bytes_total',
    help: 'Bytes of accepted contributions',
    registers,
  });
  const refused = new Counter({
    name: 'gauntlet_uploads_refused_total',
    help: 'Contributions refused, by problem type',
    labelNames: ['problem'],
    registers,
  });
  const window = new Gauge({ name: 'gauntlet_window', help: 'Newest published window', registers });
  const loss = new Gauge({
    name: 'gauntlet_held_out_loss_nats',
    help: 'Loss on held-out pages after the window',
    registers,
  });
  const participants = new Gauge({
    name: 'gauntlet_participants',
    help: 'Contributions judged in the window',
    registers,
  });
  const aggregated = new Gauge({ name: 'gauntlet_aggregated', help: 'Contributions folded into the step', registers });
  const evaluations = new Counter({
    name: 'gauntlet_evaluations_total',
    help: 'Contributions whose loss scores were measured',
    registers,
  });
  const evaluationRate = new Gauge({
    name: 'gauntlet_evaluations_per_minute',
    help: 'Loss scores measured a minute, while the newest window’s were',
    registers,
  });
  const judge = new Histogram({
    name: 'gauntlet_judge_seconds',
    help: 'Time from the end of the put phase to publication',
    buckets: [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128],
    registers,
  });
  return {
    follow(chain, now) {
      new Gauge({
        name: 'gauntlet_chain_head',
        help: 'Newest finalised block heard of',
        registers,
        collect() {
          this.set(chain.head()?.number ?? 0);
        },
      });
      new Gauge({
        name: 'gauntlet_chain_head_age_seconds',
        help: 'Time since a finalised block was heard of',
        registers,
        collect() {
          const heardAt = chain.heardAt();
          this.set(heardAt === undefined ? Number.NaN : (now() - heardAt) / 1_000);
        },
      });
      new Gauge({
        name: 'gauntlet_chain_connections',
        help: 'Connections to nodes of the chain that were made so far',
        registers,
        collect() {
          this.set(chain.connections());
        },
      });
    },
    contentType: registry.contentType,
    render: () => registry.metrics(),
    accepted(count) {
      accepted.inc();
      bytes.inc(count);
    },
    refused: (key) => refused.inc({ problem: key }),
    judged(figures) {
      window.set(figures.window);
      loss.set(figures.loss);
      participants.set(figures.participants);
      aggregated.set(figures.aggregated);
      evaluations.inc(figures.evaluations);
      if (figures.evaluationsPerMinute !== null) evaluationRate.set(figures.evaluationsPerMinute);
      judge.observe(figures.seconds);
    },
  };
}
