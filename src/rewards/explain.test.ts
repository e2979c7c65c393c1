import { describe, expect, it } from 'vitest';
import type { Subnet } from '../../chain/types.ts';
import { compareWithGauntlet, describeRisk, emissionFormula } from './explain.ts';

const subnet = { tempo: 360, alphaPrice: 0.04 } as Subnet;

describe('in words', () => {
  it('the formula has its numbers, and is no forecast', () => {
    const text = emissionFormula(1.5, subnet, 12);
    expect(text).toContain('1.500 × 7,200 ÷ 360.');
    expect(text).toContain('0.04 TAO for an alpha, before slippage');
    expect(text).toContain('Instantaneous, not a forecast');
  });

  it('there is no TAO where the runtime names no price', () => {
    expect(emissionFormula(1.5, { ...subnet, alphaPrice: null }, 12)).not.toContain('TAO');
  });

  it('who is next is told, and who is far from it too', () => {
    expect(describeRisk({ kind: 'exposed', place: 1 }, 12)).toMatchObject({ tone: 'bad', short: 'next to go' });
    expect(describeRisk({ kind: 'exposed', place: 3 }, 12)).toMatchObject({ tone: 'warn', short: 'no. 3 in line' });
    expect(describeRisk({ kind: 'exposed', place: 30 }, 12).detail).toContain('29 others would go before');
    expect(describeRisk({ kind: 'room', free: 1 }, 12).detail).toContain('room for 1 more neuron');
    expect(describeRisk({ kind: 'immune', blocksLeft: 300 }, 12).detail).toContain('300 blocks, about 60 min');
    expect(describeRisk({ kind: 'unknown', missing: 'ImmunityPeriod' }, 12).detail).toContain('ImmunityPeriod');
  });

  it('a difference from the validator’s own weight has a direction', () => {
    expect(compareWithGauntlet(0.3, 0.25)).toContain('5.00 % of all incentive more');
    expect(compareWithGauntlet(0.25, 0.3)).toContain('5.00 % of all incentive less');
    expect(compareWithGauntlet(0.25, 0.2501)).toContain('the very share');
  });
});
