/**
 * Which routes are bounded, by address and by key, and what a caller hears of it (draft-ietf-httpapi-ratelimit-headers).
 *
 * The numbers come from what a machine bears, not from what one person needs: a classroom of thirty tabs behind one
 * address stays far below all of them, and one address alone cannot keep two cores busy. Callers on the machine itself
 * are the operator's: they are bounded in joins alone.
 */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { ProblemError } from '../../core/protocol/problem.ts';
import type { Caller } from './caller.ts';
import type { Rate, RateState, RateStore } from './rate-limit.ts';

/** By address, but for `peer` (by hotkey) and `ticket` (by ticket). */
export const DEFAULT_RATES = {
  /** A class that comes at once, twice over; then one every other second. */
  joins: { burst: 60, perMinute: 30 },
  /** Tickets, uploads and revocations: 40 a second are signatures for a twentieth of a core. */
  writes: { burst: 2_400, perMinute: 2_400 },
  /** What is read from the record: thirty tabs ask some twenty times a second. */
  reads: { burst: 3_000, perMinute: 3_000 },
  /** Books hold a window whole; an audit reads one after another. */
  books: { burst: 600, perMinute: 600 },
  /** A model as a file is held in memory while it is sent. */
  models: { burst: 120, perMinute: 60 },
  /** Thirty tabs that fetch a checkpoint, and then a window's pages, at once. */
  blobs: { burst: 12_000, perMinute: 12_000 },
  /** Streams opened. */
  events: { burst: 300, perMinute: 300 },
  /** A peer joins, asks for a ticket and revokes, and does each again when a line is bad. */
  peer: { burst: 60, perMinute: 60 },
  ticket: { burst: 30, perMinute: 30 },
} as const satisfies Record<string, Rate>;

export type RateName = keyof typeof DEFAULT_RATES;
export type Rates = Readonly<Record<RateName, Rate>>;

/** What no number of processes must multiply: these go to the store that they share. */
const SHARED: ReadonlySet<RateName> = new Set(['joins', 'writes', 'peer', 'ticket']);

/** In this order: the first that fits a route is its. */
const BY_ROUTE: readonly (readonly [method: string, path: string, name: RateName])[] = [
  ['POST', '/v1/peers', 'joins'],
  ['POST', '/v1/*', 'writes'],
  ['PUT', '/v1/*', 'writes'],
  ['GET', '/v1/windows/:window/book', 'books'],
  ['GET', '/v1/checkpoints/latest/:file', 'models'],
  ['GET', '/v1/blobs/:sha256', 'blobs'],
  ['GET', '/v1/events', 'events'],
  ['GET', '/v1/*', 'reads'],
];
/** Answered from memory. */
const FREE = new Set(['/v1/run', '/v1/clock']);

/** Too many requests, and when to come again. */
class RateLimitedError extends ProblemError {
  readonly headers: Readonly<Record<string, string>>;

  constructor(who: string, retryMs: number, headers: Readonly<Record<string, string>> = {}) {
    const seconds = String(Math.ceil(retryMs / 1_000));
    super('too-many-requests', `Too many requests ${who}: try again in ${seconds} s.`);
    this.headers = { ...headers, 'retry-after': seconds };
  }
}

/** What an answer of its own says of when to come again. */
export function retryHeaders(error: unknown): Readonly<Record<string, string>> {
  return error instanceof RateLimitedError ? error.headers : {};
}

export interface Limits {
  /** Bounds all routes by address. Before any route, and before bodies are read. */
  mount(app: OpenAPIHono): void;
  /**
   * Does something for a peer or a ticket, and counts it. Everybody may name a hotkey, and whose it is shows when the work
   * succeeds: else a stranger could use up somebody's requests. A ticket is known to its peer alone.
   */
  forKey<T>(c: Context, name: 'peer' | 'ticket', key: string, work: () => Promise<T>): Promise<T>;
}

export interface LimitsOptions {
  readonly callerOf: (c: Context) => Caller;
  readonly rates: Rates;
  /** Of this process. */
  readonly own: RateStore;
  /** Of all processes that answer. */
  readonly shared: RateStore;
}

export function createLimits({ callerOf, rates, own, shared }: LimitsOptions): Limits {
  const storeOf = (name: RateName): RateStore => (SHARED.has(name) ? shared : own);
  const keyOf = (name: RateName, key: string): string => `${name} ${key}`;

  /** @returns headers of the answer */
  async function admit(c: Context, name: RateName): Promise<Readonly<Record<string, string>>> {
    const { address, local } = callerOf(c);
    if (local && name !== 'joins') return {};
    const state = await storeOf(name).take(keyOf(name, address), rates[name]);
    const headers = rateHeaders(name, rates[name], state);
    if (!state.allowed) throw new RateLimitedError('from this address', state.retryMs, headers);
    return headers;
  }

  return {
    mount(app) {
      const admitted = new WeakSet<Context>();
      for (const [method, path, name] of BY_ROUTE) {
        app.on(method, path, async (c, next) => {
          if (admitted.has(c) || FREE.has(c.req.path)) return next();
          admitted.add(c);
          const headers = await admit(c, name);
          await next();
          for (const [header, value] of Object.entries(headers)) c.res.headers.set(header, value);
        });
      }
    },
    async forKey(c, name, key, work) {
      if (callerOf(c).local) return work();
      const [store, id, rate] = [storeOf(name), keyOf(name, key), rates[name]];
      const { allowed, retryMs } = await store.look(id, rate);
      if (!allowed) throw new RateLimitedError('of this peer', retryMs);
      try {
        const result = await work();
        await store.take(id, rate);
        return result;
      } catch (error) {
        const isKnown = !(error instanceof ProblemError && error.key === 'unknown-ticket');
        if (name === 'ticket' && isKnown) await store.take(id, rate);
        throw error;
      }
    },
  };
}

/** For a tab, an experiment, a test: everybody is oneself. */
export const noLimits: Limits = { mount: () => undefined, forKey: (_c, _name, _key, work) => work() };

function rateHeaders(name: RateName, rate: Rate, { remaining, resetMs }: RateState): Record<string, string> {
  const window = Math.ceil((60 * rate.burst) / rate.perMinute);
  return {
    'ratelimit-policy': `"${name}";q=${rate.burst};w=${window}`,
    ratelimit: `"${name}";r=${remaining};t=${Math.ceil(resetMs / 1_000)}`,
  };
}
