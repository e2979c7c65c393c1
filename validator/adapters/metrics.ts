/** Prometheus figures of a validator. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Metrics } from '../rounds/ports.ts';

export interface PrometheusMetrics extends Metrics {
  readonly contentType: string;
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
