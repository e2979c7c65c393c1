import { describe, expect, it } from 'vitest';
import { parseParameters } from './parameters.ts';

describe('page parameters', () => {
  it('default to this page’s own validator and the best backend', () => {
    expect(parseParameters('https://app.example/deep/?x=1#y')).toEqual({
      source: { kind: 'validator', validatorUrl: 'https://app.example/' },
      start: { validatorUrl: 'https://app.example/' },
      recycleWindows: 200,
      complaints: [],
    });
  });

  it('take another validator, a backend, a throttle, a memory and when to recycle', () => {
    const query = 'validator=http://127.0.0.1:8899&backend=wasm&throttle=50&memory=2048&recycle=3';
    expect(parseParameters(`https://app.example/?${query}`)).toEqual({
      source: { kind: 'validator', validatorUrl: 'http://127.0.0.1:8899/' },
      start: { validatorUrl: 'http://127.0.0.1:8899/', forceBackend: 'wasm', memoryMib: 2048, throttlePercent: 50 },
      recycleWindows: 3,
      complaints: [],
    });
  });

  it('ask for the demonstration, and for no validator beside it', () => {
    expect(parseParameters('https://app.example/?demo').source).toEqual({ kind: 'demo' });
    const both = parseParameters('https://app.example/?demo&validator=https://real.example');
    expect(both.source).toEqual({ kind: 'demo' });
  });

  it.each(['validator=javascript:alert(1)', 'backend=cuda', 'throttle=0', 'throttle=fast', 'recycle=0', 'memory=8GB'])(
    'complain about %s',
    (query) => {
      const { complaints, start, recycleWindows } = parseParameters(`https://app.example/?${query}`);
      expect(complaints).toHaveLength(1);
      expect(recycleWindows).toBe(200);
      expect(start).toEqual({ validatorUrl: 'https://app.example/' });
    },
  );
});
