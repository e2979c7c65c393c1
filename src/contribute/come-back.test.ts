import { describe, expect, it } from 'vitest';
import { comingBack } from './come-back.ts';

describe('a tab that comes back', () => {
  it('goes on where it was contributing', () => {
    expect(comingBack({ finishingWindow: null }, 7)).toEqual({ finishing: false });
  });

  it('finishes the window that it was to finish, and does not begin another', () => {
    expect(comingBack({ finishingWindow: 7 }, 7)).toEqual({ finishing: true });
    expect(comingBack({ finishingWindow: 7 }, 8)).toBeUndefined();
  });

  it('does nothing where nobody had started it', () => {
    expect(comingBack(undefined, 7)).toBeUndefined();
  });
});
