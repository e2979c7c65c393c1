import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bitSet, hasBit, setBits } from './bits.ts';

describe('setBits', () => {
  it('sets exactly the run, across words', () => {
    fc.assert(
      fc.property(fc.nat(130), fc.nat(130), (start, length) => {
        const total = 131;
        const count = Math.min(length, total - start);
        const words = bitSet(total);
        setBits(words, start, count);
        for (let i = 0; i < total; i++) expect(hasBit(words, i)).toBe(i >= start && i < start + count);
      }),
    );
  });

  it('keeps what is set', () => {
    const words = bitSet(64);
    setBits(words, 3, 2);
    setBits(words, 0, 64);
    expect([...words]).toEqual([0xffffffff, 0xffffffff]);
  });
});
