/** Sentences about a neuron's figures: the one place where they are written. */
import { plural, t } from '@lingui/core/macro';
import { ALPHA_SPLIT, blocksPerDay, type DeregistrationRisk } from '../../chain/economics.ts';
import type { Subnet } from '../../chain/types.ts';
import type { BadgeTone } from '../ui/badge.tsx';
import { formatInteger, formatPercent } from '../ui/format.ts';
import { formatAmount, formatBlocks, formatShare } from './amounts.ts';

/** The formula behind an amount a day, with its numbers. */
export function emissionFormula(emission: number, { tempo, alphaPrice }: Subnet, blockSeconds: number): string {
  const perDay = formatInteger(blocksPerDay(blockSeconds));
  const alpha = t`Alpha of the last epoch × blocks a day ÷ blocks an epoch: ${formatAmount(emission)} × ${perDay} ÷ ${formatInteger(tempo)}.`;
  const price =
    alphaPrice === null
      ? ''
      : t`In TAO: times the price of ${formatAmount(alphaPrice)} TAO for an alpha, before slippage.`;
  const caveat = t`Instantaneous, not a forecast: the next epoch may pay anything.`;
  return [alpha, price, caveat].filter((each) => each !== '').join(' ');
}

/** Who gets the alpha that a subnet emits. */
export function splitInWords(): string {
  return t`Of a subnet’s new alpha ${formatPercent(ALPHA_SPLIT.owner)} go to its owner (unless switched off), ${formatPercent(ALPHA_SPLIT.miners)} to miners by incentive and ${formatPercent(ALPHA_SPLIT.validators)} to validators and their stakers. That is the chain’s code at runtime 425; another runtime may divide it otherwise.`;
}

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
      return { tone: 'neutral', short: t`not known`, detail: t`This runtime does not say ${risk.missing}.` };
    case 'room':
      return {
        tone: 'good',
        short: t`none now`,
        detail: t`The subnet has room for ${plural(risk.free, { one: '# more neuron', other: '# more neurons' })}: nobody is replaced before it is full.`,
      };
    case 'immune':
      return {
        tone: 'good',
        short: t`immune`,
        detail: t`Not replaced for ${formatBlocks(risk.blocksLeft, blockSeconds)}; then the lowest emission goes first.`,
      };
    case 'exposed':
      return {
        tone: risk.place === 1 ? 'bad' : risk.place <= RISKY_PLACES ? 'warn' : 'neutral',
        short: risk.place === 1 ? t`next to go` : t`no. ${formatInteger(risk.place)} in line`,
        detail:
          risk.place === 1
            ? t`The subnet is full: each registration replaces the neuron with the lowest emission outside immunity, and that is this one.`
            : t`The subnet is full: each registration replaces the neuron with the lowest emission outside immunity, and ${plural(risk.place - 1, { one: '# other', other: '# others' })} would go before this one.`,
      };
  }
}

/** Shares closer than this are called the same: incentives are u16 fractions. */
const SAME_SHARE = 0.0005;

/** What it means that the chain pays another share than this validator would. */
export function compareWithGauntlet(incentive: number, weight: number): string {
  if (Math.abs(incentive - weight) < SAME_SHARE) {
    return t`The validators’ consensus pays the very share that this validator’s own scores ask for.`;
  }
  const share = formatShare(Math.abs(incentive - weight));
  return incentive > weight
    ? t`The chain pays ${share} of all incentive more than this validator’s scores ask for: incentive is what all validators agree on by stake, and it trails the scores by an epoch or more.`
    : t`The chain pays ${share} of all incentive less than this validator’s scores ask for: incentive is what all validators agree on by stake, and it trails the scores by an epoch or more.`;
}
