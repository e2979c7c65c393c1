/**
 * A validator to be killed: a tiny run on a real socket and real files, in a process of its own, whose time and whose faults
 * the test steers by messages. Everything but the clock and the secrets of the beacon is production.
 */
import { parseArgs } from 'node:util';
import { createFaults, type Fault, type FaultRates } from './faults.ts';
import { placesOf } from '../../validator/adapters/places.ts';
import { listen } from '../../validator/adapters/node-server.ts';
import { openRunFolder } from '../../validator/adapters/run-folder.ts';
import {
  FakeClock,
  fixedBytes,
  noMetrics,
  sharedEngine,
  silentLog,
} from '../../validator/adapters/testing/test-run.ts';
import type { Phase } from '../../core/protocol/api.ts';
import { createApp } from '../../validator/http/app.ts';
import type { Clock, Log, SealedUploads } from '../../validator/rounds/ports.ts';
import { openRounds } from '../../validator/rounds/rounds.ts';

/** What the test says. */
export type Steering = { readonly time: number } | { readonly faults: FaultRates };
/** What it says to the test: that it answers, what was done to it, what it is at, and what it waits for. */
export type Telling =
  | { readonly url: string }
  | { readonly fault: Fault }
  | { readonly phase: Phase }
  | { readonly complaint: string }
  | { readonly waitsUntil: number };

const LEASE_EVERY_MS = 1_000;
const PERMIT_MS = 60_000;

const { values } = parseArgs({
  options: { data: { type: 'string' }, time: { type: 'string' }, seed: { type: 'string' } },
});
const tell = (telling: Telling): void => void process.send?.(telling);
const steered = new FakeClock();
steered.moveTo(Number(values.time));
const clock: Clock = {
  now: steered.now,
  sleep(ms, signal) {
    tell({ waitsUntil: steered.now() + ms });
    return steered.sleep(ms, signal);
  },
};
/** What an operator would read when it does not go on. */
const complain = (fields: object, message: string): void => {
  const { err } = fields as { readonly err?: unknown };
  tell({ complaint: `${message}: ${err instanceof Error ? (err.stack ?? err.message) : String(err)}` });
};
const log: Log = { ...silentLog, warn: complain, error: complain };
const faults = createFaults(values.seed ?? '', (fault) => tell({ fault }));

const folder = await openRunFolder(values.data!, placesOf(process.env), log);
if (folder.shared) {
  const { lease } = folder.shared;
  await lease.take();
  setInterval(() => void lease.take().catch(() => false), LEASE_EVERY_MS);
}
/** Time is steered, so the store's clock has to be. */
function inSteeredTime({ direct, ...uploads }: SealedUploads): SealedUploads {
  if (!direct) return uploads;
  return {
    ...uploads,
    direct: {
      ...direct,
      permit: (ticket) => direct.permit(ticket, Date.now() + PERMIT_MS),
      async collect(id) {
        const arrived = await direct.collect(id);
        return arrived && { ...arrived, arrivedAt: clock.now() };
      },
    },
  };
}

const rounds = await openRounds(
  {
    ...faults.around({ ...folder, uploads: inSteeredTime(folder.uploads) }),
    clock,
    log,
    metrics: noMetrics,
    createJudgeEngine: sharedEngine,
    randomBytes: fixedBytes,
  },
  { maxPeers: 50 },
);
const { app } = createApp({
  service: rounds,
  blobs: folder.blobs,
  corsOrigins: [],
  onError: (err) => complain({ err }, 'a request failed'),
});
process.on('message', (steering: Steering) => {
  if ('time' in steering) steered.moveTo(steering.time);
  if ('faults' in steering) faults.set(steering.faults);
});
// The test is gone: so is this.
process.on('disconnect', () => process.exit());
const server = await listen(app, { host: '127.0.0.1', port: 0 });
rounds.subscribe((event) => {
  if (event.type === 'clock') tell({ phase: event.clock.phase });
});
tell({ phase: rounds.clock().phase });
rounds.start();
tell({ url: server.url });
