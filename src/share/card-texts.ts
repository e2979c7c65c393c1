/** A card in words: what is written on it, and what is read where it cannot be seen. */
import { plural, t } from '@lingui/core/macro';
import { formatCompact, formatDecimal, formatInteger, UNKNOWN } from '../ui/format.ts';
import type { CardTexts } from './card-layout.ts';
import type { CardFacts } from './facts.ts';

export function cardTexts({ run, windows, tokens, rank, peers, rating, curve }: CardFacts): CardTexts {
  const trained = tokens > 0 ? [{ value: formatCompact(tokens), label: t`tokens trained in this visit` }] : [];
  const placed = rank === null ? [] : [{ value: `#${formatInteger(rank)}`, label: t`rank of ${formatInteger(peers)}` }];
  return {
    brand: 'Gauntlet',
    run,
    headline: t`My browser tab trains a language model`,
    figures: [
      {
        value: formatInteger(windows),
        label: plural(windows, { one: 'window contributed', other: 'windows contributed' }),
      },
      ...trained,
      ...placed,
      { value: `${formatDecimal(rating.mu, 1)} ± ${formatDecimal(rating.sigma, 1)}`, label: t`rating` },
    ],
    curve: t`Loss of the model over windows: lower is better`,
    own: t`with a contribution of mine`,
    firstLoss: formatDecimal(curve[0]?.loss, 2),
    lastLoss: formatDecimal(curve.at(-1)?.loss, 2),
  };
}

/** The card for those who do not see it, and for a message. */
export function cardInWords({ run, windows, rank, peers, rating, curve }: CardFacts): string {
  const count = plural(windows, { one: '# window', other: '# windows' });
  const place = rank === null ? UNKNOWN : t`#${formatInteger(rank)} of ${formatInteger(peers)}`;
  const band = `${formatDecimal(rating.mu, 1)} ± ${formatDecimal(rating.sigma, 1)}`;
  const [from, to] = [formatDecimal(curve[0]?.loss, 2), formatDecimal(curve.at(-1)?.loss, 2)];
  return t`My browser tab trains a language model together with strangers, in the run “${run}”: ${count} contributed, rank ${place}, rating ${band}. The model’s loss went from ${from} to ${to}.`;
}
