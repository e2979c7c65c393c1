/**
 * How the page starts a worker: its script is downloaded, compared with the hash that the page's import map names, and
 * runs from the very bytes that were compared. Browsers check what is imported and not what a worker is started from.
 */
import { checkedBytes } from '../engine/checked-bytes.ts';
import { knownHashes } from './known-hashes.ts';
import { trustedScriptUrl, vouchFor } from './trusted-urls.ts';

/** As much of a worker as the page has to do with. */
export interface StartedWorker extends EventTarget {
  onmessage: ((event: MessageEvent) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
  postMessage(message: unknown, options?: Transferable[] | StructuredSerializeOptions): void;
  terminate(): void;
}

/** Browsers tell a page what its policy refused, and nobody what a worker's did. */
const SAY_VIOLATIONS =
  "addEventListener('securitypolicyviolation', (event) => console.error('Refused by the page’s policy:', " +
  'event.effectiveDirective, event.blockedURI, event.sample));';

async function addressOf(url: string): Promise<string> {
  // The development server's workers import their parts one by one.
  if (import.meta.env.DEV) return url;
  const integrity = knownHashes().get(url);
  if (integrity === undefined) throw new Error(`${url} is no part of this page`);
  const script = await checkedBytes(url, integrity);
  const head = `globalThis.scriptUrl = ${JSON.stringify(url)}; ${SAY_VIOLATIONS}`;
  const parts = [head, script, `\n//# sourceURL=${url}\n`];
  return URL.createObjectURL(new Blob(parts, { type: 'text/javascript' }));
}

/** For as long as the page lives: a worker that is started anew is the same one, whatever the site serves by then. */
const addresses = new Map<string, Promise<string>>();

function checkedAddress(url: string): Promise<string> {
  const known = addresses.get(url);
  if (known) return known;
  const checking = addressOf(url);
  addresses.set(url, checking);
  // What failed may work the next time.
  checking.catch(() => addresses.delete(url));
  return checking;
}

/** Takes messages from the beginning; they are delivered once the worker is there. */
class PendingWorker extends EventTarget implements StartedWorker {
  onmessage: StartedWorker['onmessage'] = null;
  onerror: StartedWorker['onerror'] = null;
  #worker: Worker | undefined;
  #ended = false;
  readonly #waiting: (readonly [unknown, Transferable[]])[] = [];

  constructor(url: string, name: string) {
    super();
    checkedAddress(new URL(url, document.baseURI).href).then(
      (address) => this.#start(address, name),
      (error: unknown) => this.#fail(error),
    );
  }

  #start(address: string, name: string): void {
    if (this.#ended) return;
    vouchFor(address);
    let worker: Worker;
    try {
      worker = new Worker(trustedScriptUrl(address), { type: 'module', name });
    } catch (error) {
      this.#fail(error);
      return;
    }
    worker.onmessage = ({ data, ports }: MessageEvent<unknown>) => {
      const event = new MessageEvent('message', { data, ports: [...ports] });
      this.dispatchEvent(event);
      this.onmessage?.(event);
    };
    worker.onmessageerror = () => this.dispatchEvent(new MessageEvent('messageerror'));
    worker.onerror = ({ message }) => this.#tellError({ message });
    for (const [message, transfer] of this.#waiting.splice(0)) worker.postMessage(message, transfer);
    this.#worker = worker;
  }

  #fail(error: unknown): void {
    if (this.#ended) return;
    this.#tellError({ message: error instanceof Error ? error.message : String(error), error });
  }

  #tellError(init: ErrorEventInit): void {
    const event = new ErrorEvent('error', init);
    this.dispatchEvent(event);
    this.onerror?.(event);
  }

  postMessage(message: unknown, options?: Transferable[] | StructuredSerializeOptions): void {
    const transfer = Array.isArray(options) ? options : (options?.transfer ?? []);
    if (this.#worker) this.#worker.postMessage(message, transfer);
    else if (!this.#ended) this.#waiting.push([message, transfer]);
  }

  terminate(): void {
    this.#ended = true;
    this.#waiting.length = 0;
    this.#worker?.terminate();
  }
}

/**
 * What cannot be started says so by an `error` event, as a worker does.
 *
 * @param url as `import url from './script.ts?worker&url'` gives it
 * @param name shown by the browser's tools
 */
export function startWorker(url: string, name: string): StartedWorker {
  return new PendingWorker(url, name);
}
