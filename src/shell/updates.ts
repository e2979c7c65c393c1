/** The service worker that keeps the page's own files, and the news that a newer version of them is there. */
import { createStore } from 'zustand/vanilla';

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
  const { registerSW } = await import('virtual:pwa-register');
  const apply = registerSW({
    onNeedRefresh: () => updates.setState({ apply: () => void apply(true) }),
    onRegisteredSW: (_url, registration) => {
      if (!registration) return;
      // Offline it fails, and is asked again.
      setInterval(() => void registration.update().catch(() => undefined), ASK_EVERY_MS);
    },
    // Forbidden, or in private browsing: the page works without.
    onRegisterError: () => undefined,
  });
}
