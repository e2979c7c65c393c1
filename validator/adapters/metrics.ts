/** Prometheus figures of a validator. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Answered } from '../http/app.ts';
import type { Metrics } from '../rounds/ports.ts';
import type { BlobObserver, CallObserver } from './observed.ts';
import { addStanding, type Standing } from './standing-metrics.ts';

export interface PrometheusMetrics extends Metrics {
  readonly contentType: string;
  /** A request was answered. */
  answered(answer: Answered): void;
  /** This process drives the windows from now on. */
  tookOver(): void;
  /** It does no more: what it knows of the newest window is out of date from now on. */
  handedOver(): void;
  readonly database: CallObserver;
  readonly blobs: BlobObserver;
  /** From now on tells how the process stands, too. */
  watch(standing: Standing): void;
  /** The exposition text of /metrics. */
  render(): Promise<string>;
}

/** Of an answer or a statement, in seconds. */
const SHORT = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10];
const JUDGING = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128];

export function createMetrics(run: string): PrometheusMetrics {
  const registry = new Registry();
  registry.setDefaultLabels({ run });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const counter = <Label extends string = never>(name: string, help: string, ...labelNames: Label[]): Counter<Label> =>
    new Counter({ name, help, labelNames, registers });
  const seconds = <Label extends string = never>(
    name: string,
    help: string,
    buckets: number[],
    ...labelNames: Label[]
  ): Histogram<Label> => new Histogram({ name, help, buckets, labelNames, registers });
  /** Of the newest window: unknown, which is not nothing, unless this process judges. */
  const ofNewest: Gauge[] = [];
  const newest = (name: string, help: string): Gauge => {
    const gauge = new Gauge({ name, help, registers });
    gauge.set(Number.NaN);
    ofNewest.push(gauge);
    return gauge;
  };
  const accepted = counter('gauntlet_uploads_accepted_total', 'Contributions that got a receipt');
  const bytes = counter('gauntlet_upload_bytes_total', 'Bytes of accepted contributions');
  const refused = counter('gauntlet_uploads_refused_total', 'Contributions refused, by problem type', 'problem');
  const loss = newest('gauntlet_held_out_loss_nats', 'Loss on held-out pages after the window');
  const participants = newest('gauntlet_participants', 'Contributions judged in the window');
  const aggregated = newest('gauntlet_aggregated', 'Contributions folded into the step');
  const evaluations = counter('gauntlet_evaluations_total', 'Contributions whose loss scores were measured');
  const evaluationRate = newest(
    'gauntlet_evaluations_per_minute',
    'Loss scores measured a minute, while the newest window’s were',
  );
  const judge = seconds('gauntlet_judge_seconds', 'Time from the end of the put phase to publication', JUDGING);
  const judgeFailures = counter('gauntlet_judge_failures_total', 'Judgements that failed and were tried again');
  const takeovers = counter('gauntlet_takeovers_total', 'Times that the process began to drive the windows');
  const requests = counter('gauntlet_http_requests_total', 'Requests by route and class of status', 'route', 'status');
  const answers = seconds('gauntlet_http_seconds', 'Time until an answer began, by route', SHORT, 'route');

  const stored = counter('gauntlet_blob_bytes_total', 'Bytes of steps, checkpoints and books that were stored');

  const place = (name: string, what: string): CallObserver => {
    const calls = seconds(`gauntlet_${name}_seconds`, `Time that ${what} took to answer`, SHORT);
    const failures = counter(`gauntlet_${name}_errors_total`, `Calls to ${what} that failed`);
    return { answered: (ms) => calls.observe(ms / 1_000), failed: () => failures.inc() };
  };

  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    watch: (standing) => addStanding(registry, standing),
    database: place('database', 'the database'),
    blobs: { ...place('blob_store', 'the folder or store of blobs'), stored: (count) => stored.inc(count) },
    answered({ route, status, ms }) {
      requests.inc({ route, status: `${Math.floor(status / 100)}xx` });
      answers.observe({ route }, ms / 1_000);
    },
    tookOver: () => takeovers.inc(),
    handedOver() {
      for (const gauge of ofNewest) gauge.set(Number.NaN);
    },
    accepted(count) {
      accepted.inc();
      bytes.inc(count);
    },
    refused: (key) => refused.inc({ problem: key }),
    judged(figures) {
      loss.set(figures.loss);
      participants.set(figures.participants);
      aggregated.set(figures.aggregated);
      evaluations.inc(figures.evaluations);
      if (figures.evaluationsPerMinute !== null) evaluationRate.set(figures.evaluationsPerMinute);
      judge.observe(figures.seconds);
    },
    judgeFailed: () => judgeFailures.inc(),
  };
}
