/** Requests of the read-only routes at a steady rate, by autocannon: what all the pages' polls come to, and a few more. */
import autocannon from 'autocannon';
import { tell, type RouteFigures } from './messages.ts';

const [validatorUrl, ...wanted] = process.argv.slice(2) as [string, ...string[]];
const CONNECTIONS = 8;
/** It is ended by a message. */
const LONGEST_SECONDS = 3_600;

interface Route {
  readonly name: string;
  readonly path: string;
  readonly perSecond: number;
  readonly headers: Record<string, string>;
}

/** What a browser asks for. */
const BROWSER = { 'accept-encoding': 'gzip' };

const routes = wanted.map((text): Route => {
  const [name, path, perSecond] = text.split('|') as [string, string, string];
  return { name, path, perSecond: Number(perSecond), headers: BROWSER };
});

const running = routes.map(({ path, perSecond, headers }) => {
  const connections = Math.min(CONNECTIONS, perSecond);
  let end = (): void => undefined;
  const result = new Promise<autocannon.Result>((resolve, reject) => {
    const instance = autocannon(
      {
        url: validatorUrl + path,
        connections,
        overallRate: perSecond,
        duration: LONGEST_SECONDS,
        headers,
        timeout: 60,
      },
      (error: Error | null, figures) => {
        if (error) reject(error);
        else resolve(figures);
      },
    );
    end = () => {
      instance.stop();
    };
  });
  return { result, end: () => end() };
});

process.once('message', () => {
  for (const { end } of running) end();
});
process.once('disconnect', () => process.exit());

void tell({ type: 'ready' });
const results = await Promise.all(running.map(({ result }) => result));
await tell({
  type: 'routes',
  routes: results.map(({ latency, requests, throughput, errors, timeouts, non2xx, duration }, i): RouteFigures => ({
    name: routes[i]!.name,
    requests: requests.total,
    failed: errors + timeouts + non2xx,
    perSecond: requests.total / duration,
    bytesEach: requests.total === 0 ? 0 : throughput.total / requests.total,
    p50Ms: latency.p50,
    p99Ms: latency.p99,
    maxMs: latency.max,
  })),
});
process.exit();
