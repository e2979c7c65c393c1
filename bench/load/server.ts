/** The validator of the load benchmark: the production one in a process of its own, watched from inside. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createLog } from '../../validator/adapters/log.ts';
import { createValidator } from '../../validator/serve.ts';
import { instantNow, keyOf, tell } from './messages.ts';

const [dataDir, guests] = process.argv.slice(2) as [string, string];
/** `monitorEventLoopDelay` counts its own period in. */
const RESOLUTION_MS = 10;
const RSS_EVERY_MS = 100;

const joins = Number(guests);
const validator = await createValidator({
  dataDir,
  port: 0,
  host: '127.0.0.1',
  log: createLog('error'),
  // All of them come from one address here.
  joins: { burst: joins, perMinute: joins },
});

const late = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
late.enable();
let peakRssBytes = process.memoryUsage.rss();
setInterval(() => {
  peakRssBytes = Math.max(peakRssBytes, process.memoryUsage.rss());
}, RSS_EVERY_MS);

let since = { at: performance.now(), cpu: process.cpuUsage(), clock: validator.service.clock() };

function endPhase(clock: typeof since.clock): void {
  const { user, system } = process.cpuUsage(since.cpu);
  const elapsedMs = performance.now() - since.at;
  const beyond = (ns: number): number => Math.max(0, ns / 1e6 - RESOLUTION_MS);
  void tell({
    type: 'phase',
    window: since.clock.window,
    phase: since.clock.phase,
    seconds: elapsedMs / 1_000,
    cpu: (user + system) / 1_000 / elapsedMs,
    lateP99Ms: beyond(late.percentile(99)),
    lateMaxMs: beyond(late.max),
    peakRssBytes,
  });
  late.reset();
  peakRssBytes = process.memoryUsage.rss();
  since = { at: performance.now(), cpu: process.cpuUsage(), clock };
}

validator.service.subscribe((event) => {
  void tell({ type: 'event', key: keyOf(event), at: instantNow() });
  if (event.type === 'clock' && event.clock.phase !== since.clock.phase) {
    // Not before the event is on its way: this is the first of the listeners.
    setImmediate(endPhase, event.clock);
  }
  if (event.type !== 'window') return;
  const { window, participants, aggregated } = event.window;
  void validator.service.window(window).then((record) => {
    void tell({
      type: 'window',
      window,
      participants: participants ?? 0,
      aggregated,
      evaluated: record.evaluated.length,
      overrunMs: Date.parse(record.publishedAt!) - Date.parse(record.putClosesAt),
    });
  });
});

process.on('message', (ask: 'memory' | 'end') => {
  if (ask === 'memory') void tell({ type: 'memory', rssBytes: process.memoryUsage.rss() });
  else void validator.close().then(() => process.exit());
});
// Whoever started it is gone.
process.once('disconnect', () => process.exit());
void tell({ type: 'ready', url: validator.url, run: validator.run.run });
