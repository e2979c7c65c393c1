/** Time by name, during which at least one call of that name is under way. */
export interface Stopwatch {
  /** The object with its methods timed. @param names what a method's time counts for; others are not timed */
  watch<T extends object>(of: T, names: Partial<Record<keyof T, string>>): T;
  readonly time: <T>(name: string, work: () => T | Promise<T>) => Promise<T>;
  /** Milliseconds by name. */
  readonly totals: Record<string, number>;
}

export function createStopwatch(): Stopwatch {
  const totals: Record<string, number> = {};
  const under = new Map<string, { calls: number; since: number }>();

  async function time<T>(name: string, work: () => T | Promise<T>): Promise<T> {
    const state = under.get(name) ?? { calls: 0, since: 0 };
    under.set(name, state);
    if (state.calls++ === 0) state.since = performance.now();
    try {
      return await work();
    } finally {
      if (--state.calls === 0) totals[name] = (totals[name] ?? 0) + performance.now() - state.since;
    }
  }

  return {
    time,
    totals,
    watch: (of, names) =>
      new Proxy(of, {
        get(target, key) {
          const value: unknown = Reflect.get(target, key);
          const name = names[key as keyof typeof of];
          if (name === undefined || typeof value !== 'function') return value;
          return (...args: unknown[]) => time(name, () => (value as (...given: unknown[]) => unknown)(...args));
        },
      }),
  };
}
