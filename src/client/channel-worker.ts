/** For tests: a worker without a thread, the other end of a channel, whose errors tests can raise. */
// The far side of the boundary, which the rule is not about.
// eslint-disable-next-line no-restricted-imports
import { expose } from 'comlink';
import type { WorkerLike } from './rpc.ts';

export class ChannelWorker implements WorkerLike {
  terminated = false;
  readonly #signals = new EventTarget();
  readonly #channel = new MessageChannel();
  #events: MessagePort | undefined;

  /**
   * @param api what the worker offers besides taking the port for its events
   * @param holdsLife whether it says that it holds the lock
   */
  constructor(api: object, holdsLife = false) {
    const connect = (events: MessagePort): boolean => {
      this.#events = events;
      return holdsLife;
    };
    expose({ ...api, connect }, this.#channel.port2);
    this.#channel.port1.start();
  }

  get connected(): boolean {
    return this.#events !== undefined;
  }

  emit(event: unknown): void {
    this.#events?.postMessage(event);
  }

  /** What a browser does when the worker's script throws or cannot be loaded. */
  die(message: string): void {
    this.#signals.dispatchEvent(Object.assign(new Event('error'), { message }));
  }

  postMessage(message: unknown, transfer: Transferable[] = []): void {
    this.#channel.port1.postMessage(message, transfer);
  }

  addEventListener(type: string, listener: EventListenerOrEventListenerObject): void {
    (type === 'message' ? this.#channel.port1 : this.#signals).addEventListener(type, listener);
  }

  removeEventListener(type: string, listener: EventListenerOrEventListenerObject): void {
    (type === 'message' ? this.#channel.port1 : this.#signals).removeEventListener(type, listener);
  }

  terminate(): void {
    this.terminated = true;
    this.#channel.port1.close();
    this.#events?.close();
  }
}
