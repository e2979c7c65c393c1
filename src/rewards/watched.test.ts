import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { rememberWatched, watchedOf } from './watched.ts';

const KEY = 'gauntlet.watched';
let values: Map<string, string>;

beforeEach(() => {
  values = new Map();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => values.set(key, value),
  });
});
afterEach(() => vi.unstubAllGlobals());

describe('who is watched', () => {
  it('is remembered by subnet, until nobody is', () => {
    rememberWatched('finney 3', ['1', '2']);
    rememberWatched('test 3', ['7']);
    expect(watchedOf('finney 3')).toEqual(['1', '2']);
    expect(watchedOf('test 3')).toEqual(['7']);
    rememberWatched('finney 3', []);
    expect(watchedOf('finney 3')).toEqual([]);
    expect(values.get(KEY)).not.toContain('finney');
  });

  it('does not grow for ever', () => {
    for (let i = 0; i < 100; i++) rememberWatched(`finney ${i}`, ['1']);
    expect(watchedOf('finney 99')).toEqual(['1']);
    expect(watchedOf('finney 0')).toEqual([]);
  });

  it.each(['{', '{"a": 1}', '[["finney 3", ["<script>"]]]'])('is nobody where storage holds %s', (text) => {
    values.set(KEY, text);
    expect(watchedOf('finney 3')).toEqual([]);
  });

  it('is nobody where storage is forbidden', () => {
    vi.stubGlobal('localStorage', undefined);
    rememberWatched('finney 3', ['1']);
    expect(watchedOf('finney 3')).toEqual([]);
  });
});
