/**
 * Watchers of a run on PostgreSQL and an S3-compatible store, split over two processes that answer: whether news of the one
 * that drives reach all of them, and how much later in the one process than in the other.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startGauntlet } from '../../simulate/testing/gauntlet-process.ts';
import { placesOf } from '../../validator/adapters/places.ts';
import { findPostgres, findSwift, startObjectStore, startPostgres } from '../../validator/adapters/testing/servers.ts';
import { writeTestRun } from '../../validator/adapters/testing/test-run.ts';
import { currentCommit, describeMachine } from '../machine.ts';
import { WatchersMessage } from './messages.ts';
import { startPart } from './processes.ts';
import { latencyOf } from './report.ts';

const { values } = parseArgs({
  options: {
    watchers: { type: 'string', default: '4000' },
    windows: { type: 'string', default: '5' },
    busy: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const APIS = 2;
const SHARE = Math.floor(Number(values.watchers) / APIS);
const CONNECTS_A_SECOND = 200;
/** Of the run that tests use, without anybody in it: 6 s to train and 3 s to put. */
const WINDOW_MS = 9_500;

if (findPostgres() === undefined || !findSwift())
  throw new Error('PostgreSQL and OpenStack Swift have to be installed');
const folder = await mkdtemp(join(tmpdir(), 'gauntlet-shared-load-'));
const [postgres, store] = await Promise.all([startPostgres(), startObjectStore()]);
const bucket = await store.bucket('load');
const environment = {
  DATABASE_URL: await postgres.database('load'),
  BLOBS_URL: bucket.url,
  AWS_ACCESS_KEY_ID: bucket.accessKeyId,
  AWS_SECRET_ACCESS_KEY: bucket.secretAccessKey,
};
const data = join(folder, 'run');
await writeTestRun(data, undefined, undefined, placesOf(environment));
const driver = startGauntlet(['start', '--data', data, '--peers', '0', '--attackers', '0', '--port', '0'], environment);
const apis = Array.from({ length: APIS }, () => startGauntlet(['api', '--data', data, '--port', '0'], environment));
const urls = await Promise.all(apis.map(async (api) => (await api.said(/answering at (http:\S+)/))[1]!));
const watchers = urls.map((url) =>
  startPart('watchers', [url, String(SHARE), String(CONNECTS_A_SECOND)], WatchersMessage),
);
const ready = await Promise.all(watchers.map(({ told }) => told.first('ready')));
const connected = ready.map((one) => one.connected);
console.log(`${connected.join(' and ')} watchers follow`);

const ask = (what: 'report' | 'end') =>
  Promise.all(
    watchers.map(({ told, process: watching }) => {
      const before = told.all.length;
      watching.send(what);
      return told.first('report', before);
    }),
  );
await ask('report');
await new Promise((resolve) => setTimeout(resolve, Number(values.windows) * WINDOW_MS));
const reports = await ask('end');
await Promise.all([driver.interrupt(), ...apis.map((api) => api.interrupt())]);
await Promise.all([postgres.stop(), store.stop(), rm(folder, { recursive: true, force: true })]);

/** Windows' events alone, which come once each; those at the ends of the time may have come to one process only. */
const keys = [...new Set(reports.flatMap(({ arrivals }) => Object.keys(arrivals)))]
  .filter((key) => !key.startsWith('clock'))
  .sort((a, b) => Number(a.split(' ')[1]) - Number(b.split(' ')[1]));
const events = keys.map((event) => {
  const each = reports.map(({ arrivals }) => arrivals[event] ?? []);
  const first = Math.min(...each.flat());
  return {
    event,
    delivered: each.map(({ length }) => length),
    firstMs: each.map((times) => Math.round(Math.min(...times) - first)),
    last: latencyOf(each.flat().map((time) => time - first)),
  };
});
for (const { event, delivered, firstMs, last } of events) {
  console.log(
    `${event}: ${delivered.join(' + ')} of ${connected.join(' + ')}; first after ${firstMs.join(' and ')} ms, p99 ${last.p99} ms, last ${last.max} ms`,
  );
}
const broken = reports.reduce((sum, report) => sum + report.broken, 0);
console.log(`${broken} streams broke`);
if (values.json) {
  const about = {
    date: new Date().toISOString(),
    commit: currentCommit(),
    machine: describeMachine(),
    node: process.version,
    busy: values.busy,
  };
  await writeFile(values.json, `${JSON.stringify({ ...about, connected, broken, events }, null, 2)}\n`);
}
process.exit();
