import { describe, expect, it } from 'vitest';
import { formatAmount, formatBlocks, formatShare } from './amounts.ts';

describe('amounts', () => {
  it.each([
    [0, '0'],
    [0.00001234, '0.0000123'],
    [0.04123, '0.0412'],
    [0.15, '0.1500'],
    [30, '30.000'],
    [148.07691, '148.08'],
    [1_234.56, '1,234.6'],
  ])('%d is %s', (value, text) => {
    expect(formatAmount(value)).toBe(text);
  });

  it.each([
    [0, '0 %'],
    [0.000123, '0.0123 %'],
    [0.0123, '1.23 %'],
    [0.61147, '61.15 %'],
    [1, '100 %'],
    [0.023, '2.30 %'],
  ])('a share of %d is %s', (share, text) => {
    expect(formatShare(share)).toBe(text);
  });

  it('of blocks are said in time too', () => {
    expect(formatBlocks(300, 12)).toBe('300 blocks, about 60 min');
    expect(formatBlocks(1, 12)).toBe('1 block, about 12 s');
    expect(formatBlocks(7_200, 12)).toBe('7,200 blocks, about 24 h');
    expect(formatBlocks(64_800, 12)).toBe('64,800 blocks, about 9 days');
  });
});
