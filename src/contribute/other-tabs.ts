/**
 * Several tabs of one browser: one trains, the others watch it and may take over. Who trains is told by the lock that the
 * trainer holds, which a crashed tab lets go of; what it does is told by the tab itself, over a channel.
 */
import * as z from 'zod';
import { createStore, type StoreApi } from 'zustand/vanilla';
import { trainerLockName } from '../../workers/trainer-lock.ts';
import type { Controller } from './controller.ts';
import { isActive, type ContributeState } from './state.ts';

/** What a watching tab shows of the one that trains. Another version of the app may have sent it. */
const MirrorSchema = z.object({
  headline: z.string().max(200),
  loss: z.number().nullable(),
  tokensPerSecond: z.number().nullable(),
  delivered: z.int().nonnegative(),
});
export type Mirror = z.infer<typeof MirrorSchema>;

const MessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('doing'), mirror: MirrorSchema }),
  z.object({ type: z.literal('tell-me') }),
  z.object({ type: z.literal('let-go') }),
]);
type Message = z.infer<typeof MessageSchema>;

export interface OtherTab {
  /** Whether another tab of this browser trains for this validator. */
  readonly trains: boolean;
  readonly mirror: Mirror | undefined;
}

export interface OtherTabs {
  readonly store: StoreApi<OtherTab>;
  /** Asks the tab that trains to stop, and starts here as soon as it has let go. */
  readonly takeOver: () => void;
  readonly close: () => void;
}

export interface OtherTabsOptions {
  readonly validatorUrl: string;
  readonly controller: Pick<Controller, 'store' | 'stop' | 'takeOver'>;
  readonly describe: (state: ContributeState) => string;
  readonly locks?: Pick<LockManager, 'query'> | undefined;
  readonly channel?: BroadcastChannel;
}

const ASK_EVERY_MS = 1_500;
/** Often enough to look alive. */
const TELL_EVERY_MS = 500;

export function watchOtherTabs(options: OtherTabsOptions): OtherTabs {
  const { validatorUrl, controller, describe } = options;
  const locks = 'locks' in options ? options.locks : (navigator as Partial<Navigator>).locks;
  const name = trainerLockName(validatorUrl);
  const channel = options.channel ?? new BroadcastChannel(name);
  const store = createStore<OtherTab>(() => ({ trains: false, mirror: undefined }));
  const send = (message: Message): void => channel.postMessage(message);
  let told = 0;

  const tell = (state: ContributeState): void => {
    if (!isActive(state.status)) return;
    const { lastLoss, tokensPerSecond, receipts } = state;
    send({
      type: 'doing',
      mirror: {
        headline: describe(state).slice(0, 200),
        loss: lastLoss ?? null,
        tokensPerSecond: tokensPerSecond ?? null,
        delivered: receipts.length,
      },
    });
  };
  const unsubscribe = controller.store.subscribe((state) => {
    const now = Date.now();
    if (now - told < TELL_EVERY_MS) return;
    told = now;
    tell(state);
  });

  async function ask(): Promise<void> {
    const held = await locks?.query().catch(() => undefined);
    const trains =
      !isActive(controller.store.getState().status) && (held?.held?.some((lock) => lock.name === name) ?? false);
    if (trains !== store.getState().trains) {
      store.setState(trains ? { trains } : { trains, mirror: undefined });
      if (trains) send({ type: 'tell-me' });
    }
  }

  channel.onmessage = ({ data }: MessageEvent<unknown>) => {
    const message = MessageSchema.safeParse(data).data;
    switch (message?.type) {
      case 'doing':
        if (store.getState().trains) store.setState({ mirror: message.mirror });
        return;
      case 'tell-me':
        tell(controller.store.getState());
        return;
      case 'let-go':
        void controller.stop();
        return;
      case undefined:
    }
  };
  void ask();
  const timer = setInterval(() => void ask(), ASK_EVERY_MS);

  return {
    store,
    takeOver() {
      send({ type: 'let-go' });
      controller.takeOver();
      store.setState({ trains: false, mirror: undefined });
    },
    close() {
      clearInterval(timer);
      unsubscribe();
      channel.close();
    },
  };
}
