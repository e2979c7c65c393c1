/** Whether the browser would install the page as an app now, and how to ask it to. */
import { createStore } from 'zustand/vanilla';

/** Chromium's own event, in no standard yet. */
interface InstallEvent extends Event {
  prompt(): Promise<unknown>;
}

export const installation = createStore<{ readonly install: (() => Promise<void>) | undefined }>(() => ({
  install: undefined,
}));

const forget = (): void => installation.setState({ install: undefined });

/** From the page's start: the browser says it once. */
export function followInstallation(): void {
  window.addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault();
    installation.setState({
      install: async () => {
        forget();
        await (event as InstallEvent).prompt();
      },
    });
  });
  window.addEventListener('appinstalled', forget);
}
