import { describe, expect, it, vi } from 'vitest';
import { createSignal } from './subscribable.ts';

describe('signal', () => {
  it('listens to its source only while somebody listens', () => {
    let changed: (() => void) | undefined;
    const detach = vi.fn(() => (changed = undefined));
    const attach = vi.fn((on: () => void) => {
      changed = on;
      return detach;
    });
    const signal = createSignal(() => 1, attach);
    expect(attach).not.toHaveBeenCalled();
    const [first, second] = [vi.fn(), vi.fn()];
    const stopFirst = signal.subscribe(first);
    const stopSecond = signal.subscribe(second);
    changed!();
    expect(attach).toHaveBeenCalledTimes(1);
    expect(first).toHaveBeenCalledTimes(1);
    stopFirst();
    changed!();
    expect(first).toHaveBeenCalledTimes(1);
    expect(second).toHaveBeenCalledTimes(2);
    stopSecond();
    expect(detach).toHaveBeenCalledTimes(1);
    signal.subscribe(first);
    expect(attach).toHaveBeenCalledTimes(2);
  });
});
