/**
 * A run as seen by a process that does not drive its windows: it answers from the record, takes uploads, and hears from
 * the driving process what is new. Any number of them may run; none of them holds anything that the record lacks.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Phase, ValidatorEvent } from '../../core/protocol/api.ts';
import type { ValidatorService } from '../http/validator-service.ts';
import { loadContext, type RoundsPorts } from './context.ts';
import { CorruptRunError } from './corrupt-run.ts';
import { createEventHub } from './events.ts';
import { loadParameters } from './parameters.ts';
import type { ModelState } from './ports.ts';
import { createService, type RoundsOptions } from './service.ts';
import type { OpenWindow } from './store.ts';
import { windowClockOf } from './window-clock.ts';

/** What the driving process tells the others: enough to look it up. */
export type NewsItem =
  | { readonly type: 'clock'; readonly window: number; readonly phase: Phase }
  | { readonly type: 'window'; readonly window: number }
  | { readonly type: 'leaderboard'; readonly window: number };

export interface News {
  /** Tells all processes, this one too. Lost when nobody can be reached: what it is about is on record. */
  publish(item: NewsItem): void;
  /** @returns stops listening */
  onNews(listener: (item: NewsItem) => void): () => void;
}

export function newsOf(event: ValidatorEvent): NewsItem {
  switch (event.type) {
    case 'clock':
      return { type: 'clock', window: event.clock.window, phase: event.clock.phase };
    case 'window':
      return { type: 'window', window: event.window.window };
    case 'leaderboard':
      return { type: 'leaderboard', window: event.window };
  }
}

/** News may be lost, and a deadline may be set by a process that dies before it tells: the record is looked at anyway. */
const REFRESH_MS = 2_000;
/** Nobody has driven the windows for so long after a put phase ended: somebody should look. */
const OVERDUE_MS = 5 * 60_000;

export interface Follower extends ValidatorService {
  close(): Promise<void>;
}

/** @throws CorruptRunError when there is no run, or it is another key's */
export async function openFollower(ports: RoundsPorts, news: News, options: RoundsOptions): Promise<Follower> {
  const { store, clock, log } = ports;
  const context = await loadContext(ports);
  const { run, manifest } = context;
  if (bytesToHex(ports.signer.publicKey) !== manifest.validator.publicKey) {
    throw new CorruptRunError('the signing key is not the one of the run’s manifest');
  }
  const windowClock = windowClockOf(manifest, ports);
  const abort = new AbortController();
  const hub = createEventHub();
  const engine = ports.createJudgeEngine({ run, manifest });
  let open: OpenWindow = await store.openWindow();
  let published: Phase | undefined;
  let model: { readonly root: string; readonly loaded: Promise<ModelState> } | undefined;
  let lost: string | undefined;

  /** For downloads only, so it is put together when somebody asks. */
  function modelNow(): Promise<ModelState> {
    const { stateRoot: root } = open;
    if (model?.root === root) return model.loaded;
    const loaded = loadParameters(context, ports, root).then((parameters) => ({ root, parameters }));
    model = { root, loaded };
    loaded.catch(() => {
      if (model?.loaded === loaded) model = undefined;
    });
    return loaded;
  }

  const state = {
    open: () => open,
    phase: (): Phase => published ?? (open.judging ? 'judge' : windowClock.phase(open)),
    engine: () => engine,
    model: modelNow,
    stopping: () => abort.signal.aborted,
  };
  const { service, uploads, views } = createService(context, ports, windowClock, state, options);

  async function refresh(): Promise<void> {
    const before = open;
    open = await store.openWindow();
    lost = undefined;
    if (open.window !== before.window) published = undefined;
  }

  async function eventOf(item: NewsItem): Promise<ValidatorEvent | undefined> {
    if (item.type === 'leaderboard') return item;
    if (item.type === 'clock') {
      if (item.window !== open.window) return undefined;
      published = item.phase === 'publish' ? 'publish' : undefined;
      if (item.phase === 'put') windowClock.putOpened(item.window);
      return { type: 'clock', clock: service.clock() };
    }
    const [window] = await views.windows(item.window, 1);
    return window?.window === item.window ? { type: 'window', window } : undefined;
  }

  /** One after the other, so that events keep their order. */
  let work = Promise.resolve();
  function next(step: () => Promise<void>): void {
    work = work.then(step).catch((error: unknown) => {
      lost = 'The database cannot be asked at the moment.';
      log.warn({ run, window: open.window, err: error }, 'news could not be looked up');
    });
  }

  const stopNews = news.onNews((item) => {
    next(async () => {
      await refresh();
      const event = await eventOf(item);
      if (event) hub.emit(event);
    });
  });
  const stopChain = windowClock.onChange(() => {
    hub.emit({ type: 'clock', clock: service.clock() });
  });
  const looking = (async () => {
    for (;;) {
      await clock.sleep(REFRESH_MS, abort.signal);
      next(async () => {
        const { window, putOpensAt, putClosesAt } = open;
        await refresh();
        const same = open.window === window && open.putOpensAt === putOpensAt && open.putClosesAt === putClosesAt;
        if (!same) hub.emit({ type: 'clock', clock: service.clock() });
      });
    }
  })().catch(() => undefined);

  /** What it answers must not be older than what the peer has heard from another process. */
  async function upToDate<T>(answer: () => Promise<T>): Promise<T> {
    await refresh();
    return answer();
  }

  return {
    ...service,
    model: () => upToDate(service.model),
    join: (request) => upToDate(() => service.join(request)),
    leaderboard: () => upToDate(service.leaderboard),
    window: (window) => upToDate(() => service.window(window)),
    ticket: (window, request) => upToDate(() => service.ticket(window, request)),
    receive: (ticket, declared, body) => upToDate(() => service.receive(ticket, declared, body)),
    arrived: (ticket) => upToDate(() => service.arrived(ticket)),
    subscribe: (listener) => hub.subscribe(listener),
    unready() {
      if (abort.signal.aborted) return 'This process is stopping.';
      const overdue = clock.now() - windowClock.forecast(open).putClosesAt;
      return lost ?? (overdue > OVERDUE_MS ? `Nobody has judged window ${open.window} so far.` : undefined);
    },
    async close() {
      abort.abort(new DOMException('the process stops', 'AbortError'));
      stopNews();
      stopChain();
      await looking;
      await work;
      await uploads.ended();
      await engine.dispose().catch(() => undefined);
    },
  };
}
