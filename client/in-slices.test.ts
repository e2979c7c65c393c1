import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { parseInSlices } from './in-slices.ts';

const Schema = z.object({ window: z.int(), peers: z.array(z.object({ uid: z.int(), name: z.string() })) });

describe('parsing in slices', () => {
  it('says what parsing at once says', async () => {
    const row = fc.record({ uid: fc.oneof(fc.nat(), fc.string()), name: fc.string(), more: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.array(row, { maxLength: 4 }),
        fc.integer({ min: 0, max: 2_500 }),
        async (w, odd, n) => {
          const peers = [...Array.from({ length: n }, (_, uid) => ({ uid, name: `${uid}` })), ...odd];
          const value = { window: w, peers };
          const whole = Schema.safeParse(value);
          const sliced = await parseInSlices(Schema, 'peers', value).catch((error: unknown) => error);
          if (whole.success) expect(sliced).toEqual(whole.data);
          else expect(sliced).toBeInstanceOf(z.ZodError);
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each([null, 3, { peers: 'none' }, { window: 'x', peers: Array.from({ length: 2_000 }, () => ({})) }])(
    'refuses %j',
    async (value) => {
      await expect(parseInSlices(Schema, 'peers', value)).rejects.toBeInstanceOf(z.ZodError);
    },
  );

  it('lets others have the thread meanwhile', async () => {
    const peers = Array.from({ length: 5_000 }, (_, uid) => ({ uid, name: '' }));
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    await parseInSlices(Schema, 'peers', { window: 1, peers });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
  });
});
