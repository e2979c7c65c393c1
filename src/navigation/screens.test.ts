import { describe, expect, it } from 'vitest';
import { screenAt } from './screens.ts';

describe('screenAt', () => {
  it.each([
    ['/', '/'],
    ['/rewards', '/rewards'],
    ['/rewards/3,5', '/rewards'],
    ['/rewardsandmore', '/'],
    ['/nowhere', '/'],
  ])('%s is %s', (location, path) => {
    expect(screenAt(location).path).toBe(path);
  });
});
