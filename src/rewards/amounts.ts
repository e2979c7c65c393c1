/** Amounts of a token and of blocks, as people read them. */
import { plural, t } from '@lingui/core/macro';
import { localised } from '../ui/format.ts';

const small = localised((locale) => new Intl.NumberFormat(locale, { maximumSignificantDigits: 3 }));
const fixed = localised((locale) =>
  [0, 1, 2, 3, 4].map(
    (digits) => new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }),
  ),
);

/** As many digits as an amount deserves, the same for amounts of a size: "1,234.5", "30.000", "0.0000123". */
export function formatAmount(value: number): string {
  const size = Math.abs(value);
  if (size < 0.1) return small().format(value);
  return fixed()[size >= 1_000 ? 1 : size >= 100 ? 2 : size >= 1 ? 3 : 4]!.format(value);
}

/** A share of 1 in percent, with digits enough to tell small miners apart. */
export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent === 100) return '100 %';
  return `${percent >= 1 ? fixed()[2]!.format(percent) : small().format(percent)} %`;
}

/** In the largest unit that is not too coarse: "12 s", "46 min", "24 h", "9 days". */
function roughly(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const hours = seconds / 3_600;
  if (hours < 2) return `${Math.round(seconds / 60)} min`;
  return hours < 72 ? `${Math.round(hours)} h` : plural(Math.round(hours / 24), { one: '# day', other: '# days' });
}

/** "300 blocks, about 60 min" */
export function formatBlocks(blocks: number, blockSeconds: number): string {
  return t`${plural(blocks, { one: '# block', other: '# blocks' })}, about ${roughly(blocks * blockSeconds)}`;
}
