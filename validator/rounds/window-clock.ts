/** What ends a window's phases: this server's clock, or the finalised blocks of a chain. */
import type { WindowBlocks } from '../../core/protocol/chain.ts';
import type { RunChain as ChainParameters, RunManifest } from '../../core/protocol/manifest.ts';
import { CorruptRunError } from './corrupt-run.ts';
import type { Clock, FinalisedBlock, RunChain } from './ports.ts';
import type { Deadlines, OpenWindow } from './store.ts';

/** A phase that lasts until the judge's begins. */
export type UploadPhase = 'train' | 'put' | 'judge';

export interface WindowClock {
  /** The phase of a window that is not being judged yet. */
  phase(open: OpenWindow): UploadPhase;
  /** Deadlines as far as they are foretold now. */
  forecast(open: OpenWindow): Pick<Deadlines, 'putOpensAt' | 'putClosesAt'>;
  /** For the clock route; null without a chain. */
  blocks(open: OpenWindow): WindowBlocks | null;
  /** Called when what `forecast` says has changed. @returns stops it */
  onChange(listener: () => void): () => void;
  /** Whether settling a window waits for somebody else, so that nothing else may wait for it. */
  readonly settlesLate: boolean;
  /**
   * Deadlines for a window that has none yet, or that peers could not reach while this was down: they lost touch when the
   * put phase closed, otherwise only the put phase begins anew. Receipts stay valid either way.
   *
   * @returns undefined when the window goes on as it was
   */
  settle(open: OpenWindow, signal: AbortSignal): Promise<Deadlines | undefined>;
  /** Waits for the put phase. @returns deadlines where these are not what was planned */
  untilPutOpens(open: OpenWindow, signal: AbortSignal): Promise<Deadlines | undefined>;
  /** The put phase's deadlines are stored: uploads may come. */
  putOpened(window: number): void;
  /** Waits for its end. @returns as above */
  untilPutCloses(open: OpenWindow, signal: AbortSignal): Promise<Deadlines | undefined>;
  /** The block that ended the put phase, for the beacon. */
  closingBlock(open: OpenWindow): Promise<FinalisedBlock | undefined>;
}

/** @throws CorruptRunError for a run on a chain that there is none to ask of */
export function windowClockOf(
  manifest: Pick<RunManifest, 'chain' | 'window'>,
  { clock, chain }: { readonly clock: Clock; readonly chain?: RunChain },
): WindowClock {
  if (!manifest.chain) return createWallClock(clock, manifest.window);
  if (!chain) throw new CorruptRunError('the run hangs on a chain, and there is none to ask');
  return createBlockClock(clock, chain, manifest.chain);
}

/** Deadlines are instants of this server. */
export function createWallClock(clock: Clock, { trainSeconds, putSeconds }: RunManifest['window']): WindowClock {
  async function sleepUntil(time: number, signal: AbortSignal): Promise<undefined> {
    for (let left = time - clock.now(); left > 0; left = time - clock.now()) await clock.sleep(left, signal);
  }

  return {
    phase({ putOpensAt, putClosesAt }) {
      const now = clock.now();
      if (now < putOpensAt) return 'train';
      return now < putClosesAt ? 'put' : 'judge';
    },
    forecast: ({ putOpensAt, putClosesAt }) => ({ putOpensAt, putClosesAt }),
    blocks: () => null,
    onChange: () => () => undefined,
    settlesLate: false,
    settle(open) {
      const now = clock.now();
      if (now < open.putOpensAt) return Promise.resolve(undefined);
      const putOpensAt = now >= open.putClosesAt ? now + trainSeconds * 1_000 : open.putOpensAt;
      const putClosesAt = Math.max(now, putOpensAt) + putSeconds * 1_000;
      return Promise.resolve({ putOpensAt, putClosesAt, blocks: null });
    },
    untilPutOpens: ({ putOpensAt }, signal) => sleepUntil(putOpensAt, signal),
    putOpened: () => undefined,
    untilPutCloses: ({ putClosesAt }, signal) => sleepUntil(putClosesAt, signal),
    closingBlock: () => Promise.resolve(undefined),
  };
}

/**
 * Deadlines are finalised blocks, and the instants forecasts. A window whose opening no block was heard of since has no
 * deadlines yet: it gets them with the next. Heads may jump (a cut connection, a slow node), so a put phase that opens
 * late ends as many blocks later, and is never passed over.
 */
export function createBlockClock(clock: Clock, chain: RunChain, parameters: ChainParameters): WindowClock {
  const { trainBlocks, putBlocks, blockSeconds } = parameters;
  const headNumber = (): number | undefined => chain.head()?.number;
  let heardAt = clock.now();
  chain.onHead(() => (heardAt = clock.now()));
  /** The window whose put phase has opened. */
  let putWindow: number | undefined;

  /** When a block is due: from the newest one on, a block takes as long as planned. ms since the epoch */
  function dueAt(block: number): number {
    const now = clock.now();
    const head = headNumber();
    return head === undefined ? now : Math.max(now, heardAt + (block - head) * blockSeconds * 1_000);
  }
  const planned = (block: number): Deadlines => {
    const blocks = { putOpens: block + trainBlocks, putCloses: block + trainBlocks + putBlocks };
    return { putOpensAt: dueAt(blocks.putOpens), putClosesAt: dueAt(blocks.putCloses), blocks };
  };
  const openedAt = (block: number, putOpensAt: number): Deadlines => ({
    putOpensAt,
    putClosesAt: dueAt(block + putBlocks),
    blocks: { putOpens: block, putCloses: block + putBlocks },
  });

  return {
    phase({ window, blocks }) {
      if (!blocks || putWindow !== window) return 'train';
      return (headNumber() ?? 0) < blocks.putCloses ? 'put' : 'judge';
    },
    forecast({ window, putOpensAt, putClosesAt, blocks }) {
      if (!blocks) return { putOpensAt, putClosesAt };
      if (putWindow === window) return { putOpensAt, putClosesAt: dueAt(blocks.putCloses) };
      // A late opening delays the end as well: whoever has to wait for it must not think that it is over.
      const opensAt = dueAt(blocks.putOpens);
      return { putOpensAt: opensAt, putClosesAt: opensAt + putBlocks * blockSeconds * 1_000 };
    },
    blocks: ({ blocks }) => blocks && { head: headNumber() ?? null, ...blocks },
    onChange: (listener) => chain.onHead(listener),
    settlesLate: true,
    async settle({ blocks }, signal) {
      const { number } = await chain.reached(0, signal);
      if (!blocks || number >= blocks.putCloses) return planned(number);
      return number > blocks.putOpens ? openedAt(number, clock.now()) : undefined;
    },
    async untilPutOpens({ blocks }, signal) {
      const { number } = await chain.reached(blocks!.putOpens, signal);
      return openedAt(number, clock.now());
    },
    putOpened: (window) => {
      putWindow = window;
    },
    async untilPutCloses({ putOpensAt, blocks }, signal) {
      await chain.reached(blocks!.putCloses, signal);
      return { putOpensAt, putClosesAt: clock.now(), blocks };
    },
    async closingBlock({ blocks }) {
      if (!blocks) return undefined;
      return { number: blocks.putCloses, hash: await chain.hashOf(blocks.putCloses) };
    },
  };
}
