import { describe, expect, it } from 'vitest';
import { screenAt } from './screens.ts';

describe('screenAt', () => {
  it.each([
    ['/', 'Contribute'],
    ['/rewards', 'Rewards'],
    ['/rewards/3,5', 'Rewards'],
    ['/rewardsandmore', 'Contribute'],
    ['/nowhere', 'Contribute'],
  ])('%s is %s', (location, name) => {
    expect(screenAt(location).name).toBe(name);
  });
});
