/** The service worker that keeps the page's own files, and the news that a newer version of them is there. */
import { createStore } from 'zustand/vanilla';
import { trustedScriptUrl, vouchFor } from '../../workers/trusted-urls.ts';

export interface Updates {
  /** Reloads the page as the newer version; undefined while this is the newest. */
  readonly apply: (() => void) | undefined;
}

export const updates = createStore<Updates>(() => ({ apply: undefined }));

/** How often a page that stays open for days asks whether there is a newer version. */
const ASK_EVERY_MS = 3_600_000;

/** Once the page has nothing better to do; only in a built page, where there is a service worker. */
export function startUpdates(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  const start = (): void => void register();
  if (document.readyState === 'complete') start();
  else window.addEventListener('load', start, { once: true });
}

async function register(): Promise<void> {
  const { Workbox } = await import('workbox-window');
  const script = new URL('sw.js', document.baseURI).href;
  vouchFor(script);
  const workbox = new Workbox(trustedScriptUrl(script));
  const apply = (): void => {
    // The newer worker takes the page over, here and in other tabs, and then there is another page to show.
    workbox.addEventListener('controlling', ({ isUpdate }) => isUpdate && location.reload());
    workbox.messageSkipWaiting();
  };
  workbox.addEventListener('waiting', () => updates.setState({ apply }));
  try {
    const registration = await workbox.register();
    // Offline it fails, and is asked again.
    setInterval(() => void registration?.update().catch(() => undefined), ASK_EVERY_MS);
  } catch {
    // Forbidden, or in private browsing: the page works without.
  }
}

/** A page's files are small: what is not here by then does not come. */
const INSTALL_MS = 20_000;
/** A service worker that is here is at work at once, or not at all. */
const ACTIVATE_MS = 5_000;

/** @returns whether it came to an end in this time */
async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), ms)));
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

function reached(worker: ServiceWorker, ...states: readonly ServiceWorkerState[]): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (![...states, 'redundant'].includes(worker.state)) return;
      worker.removeEventListener('statechange', look);
      resolve();
    };
    worker.addEventListener('statechange', look);
    look();
  });
}

async function install(registration: ServiceWorkerRegistration): Promise<void> {
  await registration.update();
  if (registration.installing) await reached(registration.installing, 'installed', 'activated');
}

async function useServed(): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration();
  if (!registration || !(await within(INSTALL_MS, install(registration)))) return;
  const { waiting } = registration;
  if (!waiting) return;
  waiting.postMessage({ type: 'SKIP_WAITING' });
  if (await within(ACTIVATE_MS, reached(waiting, 'activated'))) return;
  // While it begins, the browser keeps every page of this site waiting. Without it, pages come from their host again.
  await registration.unregister();
}

/**
 * Reloads the page as whatever its host serves now, newer or older: by itself the service worker goes on with the version
 * that it has.
 */
export async function takeServedVersion(): Promise<void> {
  // Without a service worker, or where it cannot be asked, reloading is all that can be done.
  if ('serviceWorker' in navigator) await useServed().catch(() => undefined);
  location.reload();
}
