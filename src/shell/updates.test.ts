import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { takeServedVersion } from './updates.ts';

/** A service worker that goes through these states, each after some time. */
class FakeWorker extends EventTarget {
  state: ServiceWorkerState = 'installing';
  readonly messages: unknown[] = [];
  postMessage(message: unknown): void {
    this.messages.push(message);
  }
  becomes(state: ServiceWorkerState, afterMs: number): void {
    setTimeout(() => {
      this.state = state;
      this.dispatchEvent(new Event('statechange'));
    }, afterMs);
  }
}

const SKIP = { type: 'SKIP_WAITING' };

describe('the version that is served', () => {
  let worker: FakeWorker | undefined;
  let update: () => Promise<void>;
  let reloadedAfter: number | undefined;
  const unregister = vi.fn(() => Promise.resolve(true));

  beforeEach(() => {
    vi.useFakeTimers();
    worker = new FakeWorker();
    update = () => Promise.resolve();
    reloadedAfter = undefined;
    unregister.mockClear();
    const began = Date.now();
    const whileIn = (state: ServiceWorkerState) => (worker?.state === state ? worker : null);
    const registration = {
      update: () => update(),
      get installing() {
        return whileIn('installing');
      },
      get waiting() {
        return whileIn('installed');
      },
      unregister,
    };
    vi.stubGlobal('navigator', { serviceWorker: { getRegistration: () => Promise.resolve(registration) } });
    vi.stubGlobal('location', { reload: () => (reloadedAfter = Date.now() - began) });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  async function taken(): Promise<number | undefined> {
    void takeServedVersion();
    await vi.advanceTimersByTimeAsync(60_000);
    return reloadedAfter;
  }

  it('is taken as soon as its service worker is at work', async () => {
    worker!.becomes('installed', 1_000);
    worker!.becomes('activated', 3_000);
    expect(await taken()).toBe(3_000);
    expect(worker!.messages).toEqual([SKIP]);
    expect(unregister).not.toHaveBeenCalled();
  });

  it('is taken from its host where its service worker never comes to work', async () => {
    worker!.becomes('installed', 1_000);
    worker!.becomes('activating', 1_100);
    expect(await taken()).toBe(6_000);
    expect(unregister).toHaveBeenCalledTimes(1);
  });

  it('keeps the page for times without a network where its files do not come', async () => {
    expect(await taken()).toBe(20_000);
    expect(unregister).not.toHaveBeenCalled();
  });

  it('is asked for by reloading where there is no newer service worker, none at all, or no network', async () => {
    worker = undefined;
    expect(await taken()).toBe(0);
    update = () => Promise.reject(new TypeError('Failed to fetch'));
    reloadedAfter = undefined;
    expect(await taken()).toBeDefined();
    vi.stubGlobal('navigator', {});
    reloadedAfter = undefined;
    expect(await taken()).toBeDefined();
    expect(unregister).not.toHaveBeenCalled();
  });
});
