/** One process of several drives the windows; the others answer, and one of them goes on when it is gone. */
import type { ValidatorService } from '../http/validator-service.ts';
import type { RoundsPorts } from './context.ts';
import { createEventHub } from './events.ts';
import { newsOf, openFollower, type News } from './follower.ts';
import { openRounds, type Rounds } from './rounds.ts';
import type { RoundsOptions } from './service.ts';

/** The right to drive the windows, which one process at a time has. */
export interface Lease {
  /** It runs out so long after it was last taken. */
  readonly ms: number;
  /** Takes the lease or renews it. @returns whether this process has it */
  take(): Promise<boolean>;
  /** Lets another process take it at once. */
  release(): Promise<void>;
}

/** What the processes of a run share besides the record. */
export interface SharedRun {
  readonly lease: Lease;
  readonly news: News;
}

export interface Succession {
  /** Of whichever this process is at the moment. */
  readonly service: ValidatorService;
  leads(): boolean;
  start(): void;
  /** Hands the windows over, after what is being done now. */
  stop(): Promise<void>;
}

interface Role {
  readonly service: ValidatorService;
  end(): Promise<void>;
}

/** @param onLead begins what only the driving process does. @returns what ends it */
export async function openSuccession(
  ports: RoundsPorts,
  { lease, news }: SharedRun,
  options: RoundsOptions,
  onLead: (rounds: Rounds) => () => Promise<void>,
): Promise<Succession> {
  const { clock, log } = ports;
  const hub = createEventHub();
  const abort = new AbortController();
  let role = await follow();
  let leads = false;
  let wanted = false;
  let renewing: Promise<void> | undefined;
  let changing = Promise.resolve();

  async function follow(): Promise<Role> {
    const follower = await openFollower(ports, news, options);
    const stop = follower.subscribe((event) => {
      hub.emit(event);
    });
    return {
      service: follower,
      async end() {
        stop();
        await follower.close();
      },
    };
  }

  async function lead(): Promise<Role> {
    const rounds = await openRounds(ports, options);
    const stop = rounds.subscribe((event) => {
      hub.emit(event);
      news.publish(newsOf(event));
    });
    const endWork = onLead(rounds);
    rounds.start();
    return {
      service: rounds,
      async end() {
        await Promise.all([rounds.stop(), endWork()]);
        stop();
      },
    };
  }

  async function change(): Promise<void> {
    if (wanted === leads || abort.signal.aborted) return;
    const next = await (wanted ? lead() : follow());
    const old = role;
    role = next;
    leads = wanted;
    log.info(
      { window: role.service.clock().window },
      leads ? 'this process drives the windows now' : 'another process drives the windows now',
    );
    hub.emit({ type: 'clock', clock: role.service.clock() });
    await old.end();
  }

  /** Apart from the changes, which take longer than a lease lasts. */
  async function renew(): Promise<void> {
    let heldUntil = 0;
    for (;;) {
      const began = clock.now();
      const held = await lease.take().catch((error: unknown) => {
        log.warn({ err: error }, 'the database cannot be asked who drives the windows');
        return undefined;
      });
      if (held === true) heldUntil = began + lease.ms;
      wanted = held ?? (leads && clock.now() < heldUntil);
      changing = changing.then(change).catch(async (error: unknown) => {
        log.error({ err: error }, wanted ? 'the windows could not be taken over' : 'the windows could not be left');
        // Perhaps another process can.
        if (wanted && !leads) await lease.release().catch(() => undefined);
      });
      await clock.sleep(lease.ms / 3, abort.signal);
    }
  }

  return {
    service: new Proxy({} as ValidatorService, {
      get: (_, key: keyof ValidatorService) =>
        key === 'subscribe' ? hub.subscribe.bind(hub) : role.service[key].bind(role.service),
    }),
    leads: () => leads,
    start() {
      renewing ??= renew().catch(() => undefined);
    },
    async stop() {
      abort.abort(new DOMException('the process stops', 'AbortError'));
      await renewing;
      await changing;
      await role.end();
      if (leads) await lease.release();
    },
  };
}
