/** Sentences about a neuron's figures: the one place where they are written. */
import { ALPHA_SPLIT, blocksPerDay, type DeregistrationRisk } from '../../chain/economics.ts';
import type { Subnet } from '../../chain/types.ts';
import type { BadgeTone } from '../ui/badge.tsx';
import { formatInteger, formatPercent, plural } from '../ui/format.ts';
import { formatAmount, formatBlocks, formatShare } from './amounts.ts';

/** The formula behind an amount a day, with its numbers. */
export function emissionFormula(emission: number, { tempo, alphaPrice }: Subnet, blockSeconds: number): string {
  const perDay = formatInteger(blocksPerDay(blockSeconds));
  const price =
    alphaPrice === null
      ? ''
      : ` In TAO: times the price of ${formatAmount(alphaPrice)} TAO for an alpha, before slippage.`;
  return (
    `Alpha of the last epoch × blocks a day ÷ blocks an epoch: ${formatAmount(emission)} × ${perDay} ÷ ` +
    `${formatInteger(tempo)}.${price} Instantaneous, not a forecast: the next epoch may pay anything.`
  );
}

/** Who gets the alpha that a subnet emits. */
export const SPLIT_IN_WORDS =
  `Of a subnet’s new alpha ${formatPercent(ALPHA_SPLIT.owner)} go to its owner (unless switched off), ` +
  `${formatPercent(ALPHA_SPLIT.miners)} to miners by incentive and ${formatPercent(ALPHA_SPLIT.validators)} to ` +
  `validators and their stakers. That is the chain’s code at runtime 425; another runtime may divide it otherwise.`;

export interface RiskInWords {
  readonly tone: BadgeTone;
  readonly short: string;
  readonly detail: string;
}

/** So near to being replaced that a person should know. */
export const RISKY_PLACES = 5;

export function describeRisk(risk: DeregistrationRisk, blockSeconds: number): RiskInWords {
  switch (risk.kind) {
    case 'unknown':
      return { tone: 'neutral', short: 'not known', detail: `This runtime does not say ${risk.missing}.` };
    case 'room':
      return {
        tone: 'good',
        short: 'none now',
        detail: `The subnet has room for ${plural(risk.free, 'more neuron')}: nobody is replaced before it is full.`,
      };
    case 'immune':
      return {
        tone: 'good',
        short: 'immune',
        detail: `Not replaced for ${formatBlocks(risk.blocksLeft, blockSeconds)}; then the lowest emission goes first.`,
      };
    case 'exposed':
      return {
        tone: risk.place === 1 ? 'bad' : risk.place <= RISKY_PLACES ? 'warn' : 'neutral',
        short: risk.place === 1 ? 'next to go' : `no. ${formatInteger(risk.place)} in line`,
        detail:
          'The subnet is full: each registration replaces the neuron with the lowest emission outside immunity, ' +
          (risk.place === 1
            ? 'and that is this one.'
            : `and ${plural(risk.place - 1, 'other')} would go before this one.`),
      };
  }
}

/** Shares closer than this are called the same: incentives are u16 fractions. */
const SAME_SHARE = 0.0005;

/** What it means that the chain pays another share than this validator would. */
export function compareWithGauntlet(incentive: number, weight: number): string {
  if (Math.abs(incentive - weight) < SAME_SHARE) {
    return 'The validators’ consensus pays the very share that this validator’s own scores ask for.';
  }
  const [more, share] = incentive > weight ? ['more', incentive - weight] : ['less', weight - incentive];
  return (
    `The chain pays ${formatShare(share)} of all incentive ${more} than this validator’s scores ask for: incentive is what ` +
    'all validators agree on by stake, and it trails the scores by an epoch or more.'
  );
}
