import { describe, expect, it } from 'vitest';
import { parseParameters } from './parameters.ts';

describe('page parameters', () => {
  it('default to this page’s own validator and the best backend', () => {
    expect(parseParameters('https://app.example/deep/?x=1#y')).toEqual({
      start: { validatorUrl: 'https://app.example/' },
      complaints: [],
    });
  });

  it('take another validator, a backend and a throttle', () => {
    expect(parseParameters('https://app.example/?validator=http://127.0.0.1:8899&backend=wasm&throttle=50')).toEqual({
      start: { validatorUrl: 'http://127.0.0.1:8899/', forceBackend: 'wasm', throttlePercent: 50 },
      complaints: [],
    });
  });

  it.each(['validator=javascript:alert(1)', 'backend=cuda', 'throttle=0', 'throttle=fast'])(
    'complain about %s',
    (query) => {
      const { complaints, start } = parseParameters(`https://app.example/?${query}`);
      expect(complaints).toHaveLength(1);
      expect(start).toEqual({ validatorUrl: 'https://app.example/' });
    },
  );
});
