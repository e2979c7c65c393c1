/** The page of the engine tests: hands calls from Playwright on to a worker, where the app's engine runs too. */
import { wrap, type Remote } from 'comlink';
import { startWorker } from '../../workers/start-worker.ts';
import type { HarnessApi } from './harness-worker.ts';
import harnessWorker from './harness-worker.ts?worker&url';

declare global {
  interface Window {
    callEngine: (method: keyof HarnessApi, args: unknown[]) => Promise<unknown>;
  }
}

const worker: Remote<HarnessApi> = wrap(startWorker(harnessWorker, 'harness'));

window.callEngine = (method, args) => (worker[method] as (...args: unknown[]) => Promise<unknown>)(...args);
