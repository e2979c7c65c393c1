import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Metagraph, Neuron, Subnet } from './types.ts';
import { normaliseWeights, planOf } from './weights.ts';

const U16_MAX = 65_535;

/** Shares as a run has them: of any magnitude, some of them nothing. */
const sharesArbitrary = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e300, noNaN: true })), {
  maxLength: 256,
});
/** A limit in the chain's own unit. */
const limitArbitrary = fc.integer({ min: 1, max: U16_MAX }).map((limit) => limit / U16_MAX);

/** `vec_max_upscale_to_u16` of the runtime for u16 values (pallets/subtensor/src/epoch/math.rs), in exact integers. */
function upscaled(values: readonly number[]): number[] {
  const largest = BigInt(Math.max(...values));
  return values.map((value) => Number((2n * BigInt(value) * BigInt(U16_MAX) + largest) / (2n * largest)));
}

describe('normaliseWeights', () => {
  it('gives whole numbers of 16 bits above 0, the largest being 65535', () => {
    fc.assert(
      fc.property(sharesArbitrary, limitArbitrary, (shares, limit) => {
        const weights = normaliseWeights(shares, limit);
        const largest = shares.some((share) => share > 0) ? [U16_MAX] : [];
        expect(
          weights
            .map(({ value }) => value)
            .sort((a, b) => b - a)
            .slice(0, 1),
        ).toEqual(largest);
        for (const { index, value } of weights) {
          expect(shares[index]).toBeGreaterThan(0);
          expect(Number.isInteger(value) && value > 0 && value <= U16_MAX).toBe(true);
        }
      }),
    );
  });

  it('keeps the order of shares', () => {
    fc.assert(
      fc.property(sharesArbitrary, limitArbitrary, (shares, limit) => {
        const values = new Map(normaliseWeights(shares, limit).map(({ index, value }) => [index, value]));
        const byShare = shares
          .map((share, i) => ({ share, value: values.get(i) ?? 0 }))
          .sort((a, b) => a.share - b.share);
        expect(byShare.map(({ value }) => value)).toEqual(byShare.map(({ value }) => value).sort((a, b) => a - b));
      }),
    );
  });

  it('is what the runtime stores: its own scaling changes nothing, nor does a second one of ours', () => {
    fc.assert(
      fc.property(sharesArbitrary, limitArbitrary, (shares, limit) => {
        const values = normaliseWeights(shares, limit).map(({ value }) => value);
        if (values.length > 0) expect(upscaled(values)).toEqual(values);
        expect(normaliseWeights(values).map(({ value }) => value)).toEqual(values);
      }),
    );
  });

  it('gives shares to half a unit of the largest', () => {
    fc.assert(
      fc.property(sharesArbitrary, (shares) => {
        const largest = Math.max(...shares, 0);
        for (const { index, value } of normaliseWeights(shares)) {
          expect(Math.abs(value - (shares[index]! / largest) * U16_MAX)).toBeLessThanOrEqual(0.5 + 1e-9);
        }
      }),
    );
  });

  it('keeps the largest share within the subnet’s limit wherever that is possible', () => {
    fc.assert(
      fc.property(sharesArbitrary, fc.integer({ min: 1, max: U16_MAX }), (shares, limit) => {
        const values = normaliseWeights(shares, limit / U16_MAX).map(({ value }) => value);
        if (values.length * limit < U16_MAX) return;
        const sum = values.reduce((total, value) => total + value, 0);
        // `check_vec_max_limited` of the runtime, in exact integers.
        expect(BigInt(U16_MAX) * BigInt(U16_MAX) <= BigInt(limit) * BigInt(sum)).toBe(true);
      }),
    );
  });

  it('gives what one has too much to the others in proportion', () => {
    expect(normaliseWeights([8, 1, 1], 0.5)).toEqual([
      { index: 0, value: 65_535 },
      { index: 1, value: 32_768 },
      { index: 2, value: 32_768 },
    ]);
  });
});

const SUBNET: Subnet = {
  netuid: 7,
  neurons: 4,
  maxNeurons: 256,
  tempo: 360,
  nextEpochAt: 1_300,
  immunityPeriod: 100,
  burn: 1,
  registrationAllowed: true,
  alphaPrice: 0.1,
  commitReveal: false,
  revealPeriodEpochs: 1,
  weightsRateLimit: 100,
  minAllowedWeights: 2,
  maxWeight: 1,
  weightsVersion: 0,
};

const neuron = (uid: number): Neuron => ({
  uid,
  hotkey: `hotkey${uid}`,
  coldkey: 'coldkey',
  active: true,
  validatorPermit: uid === 0,
  stake: 0,
  stakeWeight: 0,
  incentive: 0,
  dividends: 0,
  consensus: 0,
  validatorTrust: 0,
  emission: 0,
  lastUpdate: 500,
  registeredAt: 1,
});

const metagraph = (subnet: Partial<Subnet> = {}): Metagraph => ({
  block: { number: 1_000, hash: '0x00' },
  at: '2026-01-01T00:00:00.000Z',
  specVersion: 1,
  subnet: { ...SUBNET, ...subnet },
  neurons: [0, 1, 2, 3].map(neuron),
  missing: [],
});

const shares = new Map([
  ['hotkey3', 0.25],
  ['hotkey1', 0.5],
  ['stranger', 0.25],
  ['hotkey2', 0],
]);

describe('planOf', () => {
  it('finds uids, leaves out who is not registered, and says so', () => {
    expect(planOf(metagraph(), 'hotkey0', shares)).toEqual({
      method: 'set',
      validatorUid: 0,
      entries: [
        { uid: 1, hotkey: 'hotkey1', value: 65_535 },
        { uid: 3, hotkey: 'hotkey3', value: 32_768 },
      ],
      unregistered: ['stranger'],
      allowedFrom: 600,
      obstacles: [],
    });
  });

  it('commits where the subnet wants that', () => {
    expect(planOf(metagraph({ commitReveal: true }), 'hotkey0', shares).method).toBe('commit');
  });

  it('counts the rate limit from the last weights, the first block after it being allowed', () => {
    const at = (weightsRateLimit: number): readonly string[] =>
      planOf(metagraph({ weightsRateLimit }), 'hotkey0', shares).obstacles;
    // A transaction is in block 1001 at the earliest, and the last weights are of block 500.
    expect(at(501)).toEqual([]);
    expect(at(502)).toEqual([expect.stringMatching(/502 blocks.*block 1002/)]);
  });

  it.each([
    ['no permit', 'hotkey1', {}, /no validator permit/],
    ['too few entries', 'hotkey0', { minAllowedWeights: 3 }, /at least 3 neurons; these are on 2/],
    ['a limit that two cannot keep', 'hotkey0', { maxWeight: 0.4 }, /40.00 % at most/],
  ])('names %s', (_name, hotkey, subnet, words) => {
    expect(planOf(metagraph(subnet), hotkey, shares).obstacles).toEqual([expect.stringMatching(words)]);
  });

  it('asks no more weights of a subnet than it has neurons', () => {
    const all = new Map([0, 1, 2, 3].map((uid) => [`hotkey${uid}`, 1]));
    expect(planOf(metagraph({ minAllowedWeights: 64 }), 'hotkey0', all).obstacles).toEqual([]);
  });

  it('lets anybody give all weight to itself, as the runtime does', () => {
    const strict = metagraph({ minAllowedWeights: 3, maxWeight: 0.1 });
    expect(planOf(strict, 'hotkey1', new Map([['hotkey1', 1]])).obstacles).toEqual([]);
  });

  it('has nothing to send where nobody with a weight is registered', () => {
    const { entries, obstacles } = planOf(metagraph(), 'hotkey0', new Map([['stranger', 1]]));
    expect(entries).toEqual([]);
    expect(obstacles).toEqual([expect.stringMatching(/No registered hotkey/)]);
  });

  it('refuses for a hotkey that is not registered', () => {
    expect(() => planOf(metagraph(), 'stranger', shares)).toThrow(
      expect.objectContaining({ name: 'ChainError', kind: 'refused' }),
    );
  });
});
