/** A chain whose finalised blocks come when a test says so. */
import { createHash } from 'node:crypto';
import { ChainUnreachableError, type FinalisedBlock, type RunChain } from '../../rounds/ports.ts';

export const hashOfBlock = (number: number): string =>
  `0x${createHash('sha256').update(`block ${number}`).digest('hex')}`;

export class ScriptedChain implements RunChain {
  readonly registered = new Map<string, number>();
  readonly owners = new Map<string, string>();
  reachable = true;
  #head: FinalisedBlock | undefined;
  readonly #listeners = new Set<(head: FinalisedBlock) => void>();

  /** A new finalised head, however far ahead. */
  moveTo(number: number): void {
    const head = { number, hash: hashOfBlock(number) };
    this.#head = head;
    for (const listener of [...this.#listeners]) listener(head);
  }

  head = (): FinalisedBlock | undefined => this.#head;

  onHead = (listener: (head: FinalisedBlock) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  reached = (number: number, signal: AbortSignal): Promise<FinalisedBlock> =>
    new Promise((resolve, reject) => {
      const stopped = new AbortController();
      const look = (head: FinalisedBlock | undefined): void => {
        if (!head || head.number < number) return;
        stopped.abort();
        stop();
        resolve(head);
      };
      const stop = this.onHead(look);
      const onAbort = (): void => {
        stop();
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', onAbort, { signal: stopped.signal });
      look(this.#head);
    });

  hashOf = (number: number): Promise<string> =>
    this.reachable ? Promise.resolve(hashOfBlock(number)) : Promise.reject(new ChainUnreachableError('cut off'));

  registration = (hotkey: string): Promise<{ uid: number } | null> => {
    if (!this.reachable) return Promise.reject(new ChainUnreachableError('cut off'));
    const uid = this.registered.get(hotkey);
    return Promise.resolve(uid === undefined ? null : { uid });
  };

  ownerOf = (hotkey: string): Promise<string | null> => Promise.resolve(this.owners.get(hotkey) ?? null);

  state = (): ReturnType<RunChain['state']> => ({
    genesisHash: hashOfBlock(0),
    netuid: 3,
    endpoint: null,
    specVersion: null,
    head: this.#head ?? null,
    weights: null,
  });
}
