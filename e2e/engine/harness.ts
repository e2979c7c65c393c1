/** The page of the engine tests: hands calls from Playwright on to a worker, where the app's engine runs too. */
import { wrap, type Remote } from 'comlink';
import type { HarnessApi } from './harness-worker.ts';

declare global {
  interface Window {
    callEngine: (method: keyof HarnessApi, args: unknown[]) => Promise<unknown>;
  }
}

const worker: Remote<HarnessApi> = wrap(
  new Worker(new URL('./harness-worker.ts', import.meta.url), { type: 'module' }),
);

window.callEngine = (method, args) => (worker[method] as (...args: unknown[]) => Promise<unknown>)(...args);
