/**
 * A validator to be killed: a tiny run on a real socket and real files, in a process of its own, whose time and whose faults
 * the test steers by messages. Everything but the clock and the secrets of the beacon is production.
 */
import { parseArgs } from 'node:util';
import { createFaults, type FaultRates } from './faults.ts';
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
import { createApp } from '../../validator/http/app.ts';
import type { SealedUploads } from '../../validator/rounds/ports.ts';
import { openRounds } from '../../validator/rounds/rounds.ts';

/** What the test says. */
export type Steering = { readonly time: number } | { readonly faults: FaultRates } | { readonly stop: true };

const LEASE_EVERY_MS = 1_000;
const PERMIT_MS = 60_000;

const { values } = parseArgs({
  options: { data: { type: 'string' }, time: { type: 'string' }, seed: { type: 'string' } },
});
const clock = new FakeClock();
clock.moveTo(Number(values.time));
const faults = createFaults(values.seed ?? '');

const folder = await openRunFolder(values.data!, placesOf(process.env), silentLog);
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
    log: silentLog,
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
  addressOf: () => 'the test',
  joins: { allow: () => true },
  onError: () => undefined,
});
process.on('message', (steering: Steering) => {
  if ('time' in steering) clock.moveTo(steering.time);
  if ('faults' in steering) faults.set(steering.faults);
});
// The test is gone: so is this.
process.on('disconnect', () => process.exit());
const server = await listen(app, { host: '127.0.0.1', port: 0 });
rounds.start();
process.send!({ url: server.url });
