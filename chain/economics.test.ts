import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ALPHA_SPLIT,
  alphaPerDay,
  blocksPerDay,
  blocksToEpoch,
  deregistrationRisk,
  immunityLeft,
  inTao,
  minerRanks,
} from './economics.ts';
import type { Metagraph, Neuron, Subnet } from './types.ts';

const SUBNET: Subnet = {
  netuid: 3,
  neurons: 4,
  maxNeurons: 4,
  tempo: 360,
  nextEpochAt: 1_300,
  immunityPeriod: 100,
  burn: 0.5,
  registrationAllowed: true,
  alphaPrice: 0.04,
  commitReveal: true,
  revealPeriodEpochs: 1,
  weightsRateLimit: 100,
  minAllowedWeights: 1,
  maxWeight: 1,
  weightsVersion: 0,
};

function neuron(uid: number, of: Partial<Neuron> = {}): Neuron {
  return {
    uid,
    hotkey: `hotkey ${uid}`,
    coldkey: null,
    active: true,
    validatorPermit: false,
    stake: 0,
    stakeWeight: 0,
    incentive: 0,
    dividends: 0,
    consensus: 0,
    validatorTrust: 0,
    emission: 0,
    lastUpdate: 0,
    registeredAt: 0,
    ...of,
  };
}

function metagraph(neurons: readonly Neuron[], subnet: Partial<Subnet> = {}): Metagraph {
  return {
    block: { number: 1_000, hash: `0x${'0'.repeat(64)}` },
    at: '2026-01-01T00:00:00.000Z',
    specVersion: 425,
    subnet: { ...SUBNET, neurons: neurons.length, maxNeurons: neurons.length, ...subnet },
    neurons,
    missing: [],
  };
}

describe('emission', () => {
  it('comes to so much a day: 7,200 blocks of 12 s, 20 epochs of 360 blocks', () => {
    expect(blocksPerDay()).toBe(7_200);
    expect(alphaPerDay(1.5, 360)).toBe(30);
    expect(alphaPerDay(1.5, 50_400)).toBeCloseTo(0.2142857, 6);
  });

  it('is of the blocks’ real length where that is another', () => {
    expect(alphaPerDay(1.5, 360, 6)).toBe(60);
  });

  it('is not made up for a subnet without epochs', () => {
    expect(alphaPerDay(1.5, 0)).toBeNull();
  });

  it('is worth its price in TAO, and nothing is said where the price is not', () => {
    expect(inTao(30, 0.04)).toBeCloseTo(1.2, 12);
    expect(inTao(30, null)).toBeNull();
    expect(inTao(null, 0.04)).toBeNull();
  });

  it('is divided without a rest: 18 % to the owner, halves of what is left', () => {
    const { owner, miners, validators } = ALPHA_SPLIT;
    expect(owner + miners + validators).toBe(1);
    expect(miners).toBeCloseTo((1 - 0.18) / 2, 12);
  });
});

describe('blocks', () => {
  it('are counted down to the epoch, and not below nothing', () => {
    expect(blocksToEpoch(SUBNET, 1_000)).toBe(300);
    expect(blocksToEpoch(SUBNET, 1_301)).toBe(0);
    expect(blocksToEpoch({ ...SUBNET, tempo: 0, nextEpochAt: Number.MAX_SAFE_INTEGER }, 1_000)).toBeNull();
  });

  it('of immunity run out', () => {
    expect(immunityLeft({ registeredAt: 950 }, SUBNET, 1_000)).toBe(50);
    expect(immunityLeft({ registeredAt: 900 }, SUBNET, 1_000)).toBe(0);
    expect(immunityLeft({ registeredAt: 100 }, SUBNET, 1_000)).toBe(0);
    expect(immunityLeft({ registeredAt: null }, SUBNET, 1_000)).toBeNull();
    expect(immunityLeft({ registeredAt: 950 }, { immunityPeriod: null }, 1_000)).toBeNull();
  });
});

describe('rank', () => {
  it('is by incentive among miners, and equals share one', () => {
    const neurons = [
      neuron(0, { validatorPermit: true, incentive: 0.9 }),
      neuron(1, { incentive: 0.2 }),
      neuron(2, { incentive: 0.5 }),
      neuron(3, { incentive: 0.2 }),
      neuron(4, { incentive: 0.1 }),
    ];
    expect(minerRanks(neurons)).toEqual(
      new Map([
        [2, 1],
        [1, 2],
        [3, 2],
        [4, 4],
      ]),
    );
  });

  it('is one more than the miners with more incentive', () => {
    const incentives = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.boolean()), { maxLength: 30 });
    fc.assert(
      fc.property(incentives, (drawn) => {
        const neurons = drawn.map(([incentive, validatorPermit], uid) => neuron(uid, { incentive, validatorPermit }));
        const miners = neurons.filter(({ validatorPermit }) => !validatorPermit);
        const ranks = minerRanks(neurons);
        expect(ranks.size).toBe(miners.length);
        for (const { uid, incentive } of miners) {
          expect(ranks.get(uid)).toBe(1 + miners.filter((other) => other.incentive > incentive).length);
        }
      }),
    );
  });
});

describe('risk of being replaced', () => {
  it('is none while the subnet has room', () => {
    const neurons = [neuron(0), neuron(1)];
    expect(deregistrationRisk(metagraph(neurons, { maxNeurons: 256 }), neurons[0]!)).toEqual({
      kind: 'room',
      free: 254,
    });
  });

  it('is put off by immunity', () => {
    const neurons = [neuron(0, { registeredAt: 960 }), neuron(1, { emission: 7 })];
    expect(deregistrationRisk(metagraph(neurons), neurons[0]!)).toEqual({ kind: 'immune', blocksLeft: 60 });
  });

  it('goes by emission, then by age, then by uid, and leaves immune ones out', () => {
    const neurons = [
      neuron(0, { emission: 2 }),
      neuron(1, { emission: 1, registeredAt: 20 }),
      neuron(2, { emission: 1, registeredAt: 10 }),
      neuron(3, { emission: 1, registeredAt: 10 }),
      neuron(4, { emission: 0, registeredAt: 990 }),
    ];
    const places = neurons.slice(0, 4).map((each) => deregistrationRisk(metagraph(neurons), each));
    expect(places).toEqual([4, 3, 1, 2].map((place) => ({ kind: 'exposed', place })));
  });

  it('falls on the immune where everybody is', () => {
    const neurons = [neuron(0, { registeredAt: 950, emission: 1 }), neuron(1, { registeredAt: 990 })];
    expect(deregistrationRisk(metagraph(neurons), neurons[1]!)).toEqual({ kind: 'exposed', place: 1 });
  });

  it('is not known where the runtime does not say what it takes', () => {
    const [known, unknown] = [neuron(0), neuron(1, { registeredAt: null })];
    const all = [known, unknown];
    expect(deregistrationRisk(metagraph(all, { maxNeurons: null }), known)).toEqual({
      kind: 'unknown',
      missing: 'MaxAllowedUids',
    });
    expect(deregistrationRisk(metagraph(all, { immunityPeriod: null }), known)).toEqual({
      kind: 'unknown',
      missing: 'ImmunityPeriod',
    });
    expect(deregistrationRisk(metagraph(all), unknown)).toEqual({ kind: 'unknown', missing: 'BlockAtRegistration' });
  });
});
