/**
 * A share card as marks on a sheet: where everything goes, apart from drawing it. Coordinates in pixels of 1200 x 630,
 * the size that link previews take.
 */
import { curveCoordinates } from '../ui/curve.ts';
import type { CardFacts } from './facts.ts';

export const CARD_WIDTH = 1_200;
export const CARD_HEIGHT = 630;

export type Ink = 'paper' | 'ink' | 'soft' | 'line' | 'accent' | 'faint' | 'own';

export type Mark =
  | {
      readonly kind: 'text';
      readonly text: string;
      /** The baseline's beginning, or its end where it is aligned right. */
      readonly x: number;
      readonly y: number;
      readonly size: number;
      readonly weight: 400 | 600;
      readonly ink: Ink;
      readonly align: 'left' | 'right';
      /** Longer text is set narrower. */
      readonly maxWidth: number;
    }
  | {
      readonly kind: 'box';
      readonly x: number;
      readonly y: number;
      readonly width: number;
      readonly height: number;
      readonly radius: number;
      readonly ink: Ink;
    }
  | { readonly kind: 'line'; readonly points: readonly Point[]; readonly width: number; readonly ink: Ink }
  | { readonly kind: 'dot'; readonly at: Point; readonly radius: number; readonly ink: Ink };

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Everything on the card that is words, in the language of the page. */
export interface CardTexts {
  readonly brand: string;
  readonly run: string;
  readonly headline: string;
  /** At most four; each with what it is of. */
  readonly figures: readonly { readonly value: string; readonly label: string }[];
  readonly curve: string;
  readonly own: string;
  readonly firstLoss: string;
  readonly lastLoss: string;
}

const MARGIN = 64;
const INNER = CARD_WIDTH - 2 * MARGIN;
const CURVE = { x: MARGIN + 90, y: 372, width: INNER - 180, height: 170 };
const BAND = { width: 200, height: 10 };
/** A dot for every window of a long run would be a second line. */
const MAX_DOTS = 80;

export function layoutCard(facts: CardFacts, texts: CardTexts): Mark[] {
  return [
    { kind: 'box', x: 0, y: 0, width: CARD_WIDTH, height: CARD_HEIGHT, radius: 0, ink: 'paper' },
    { kind: 'box', x: 0, y: 0, width: CARD_WIDTH, height: 10, radius: 0, ink: 'accent' },
    text(texts.brand, MARGIN, 82, 30, { weight: 600, ink: 'accent', maxWidth: INNER / 3 }),
    text(texts.run, CARD_WIDTH - MARGIN, 82, 28, { ink: 'soft', align: 'right', maxWidth: (INNER * 3) / 5 }),
    text(texts.headline, MARGIN, 158, 50, { weight: 600, maxWidth: INNER }),
    ...figures(texts),
    ...ratingBand(facts, texts.figures.length - 1),
    ...curve(facts, texts),
  ];
}

function text(
  content: string,
  x: number,
  y: number,
  size: number,
  {
    weight = 400,
    ink = 'ink',
    align = 'left',
    maxWidth,
  }: { weight?: 400 | 600; ink?: Ink; align?: 'left' | 'right'; maxWidth: number },
): Mark {
  return { kind: 'text', text: content, x, y, size, weight, ink, align, maxWidth };
}

function column(i: number, count: number): { x: number; width: number } {
  const width = INNER / count;
  return { x: MARGIN + i * width, width: width - 24 };
}

function figures({ figures: all }: CardTexts): Mark[] {
  return all.flatMap(({ value, label }, i) => {
    const { x, width } = column(i, all.length);
    return [
      text(value, x, 252, 52, { weight: 600, maxWidth: width }),
      text(label, x, 288, 22, { ink: 'soft', maxWidth: width }),
    ];
  });
}

/** Under the last figure, the rating: mu, a sigma to either side, on a scale from 0 to 50 (twice a newcomer's mu). */
function ratingBand({ rating: { mu, sigma, ordinal } }: CardFacts, i: number): Mark[] {
  const { x } = column(i, i + 1);
  const at = (value: number): number => x + (Math.min(50, Math.max(0, value)) / 50) * BAND.width;
  const y = 306;
  return [
    { kind: 'box', x, y, width: BAND.width, height: BAND.height, radius: 5, ink: 'line' },
    {
      kind: 'box',
      x: at(mu - sigma),
      y,
      width: at(mu + sigma) - at(mu - sigma),
      height: BAND.height,
      radius: 5,
      ink: 'faint',
    },
    { kind: 'dot', at: { x: at(mu), y: y + BAND.height / 2 }, radius: 7, ink: 'accent' },
    {
      kind: 'line',
      points: [
        { x: at(ordinal), y: y - 5 },
        { x: at(ordinal), y: y + BAND.height + 5 },
      ],
      width: 4,
      ink: 'own',
    },
  ];
}

function curve({ curve: points }: CardFacts, texts: CardTexts): Mark[] {
  const legendY = 592;
  const legend: Mark[] = [
    text(texts.curve, MARGIN, legendY, 22, { ink: 'soft', maxWidth: INNER * 0.58 }),
    { kind: 'dot', at: { x: CARD_WIDTH - MARGIN - INNER * 0.36, y: legendY - 8 }, radius: 7, ink: 'own' },
    text(texts.own, CARD_WIDTH - MARGIN - INNER * 0.36 + 18, legendY, 22, { ink: 'soft', maxWidth: INNER * 0.36 - 18 }),
  ];
  if (points.length === 0) return [];
  const at = curveCoordinates(points, { ...CURVE, margin: 0 }).map(({ x, y }) => ({ x: x + CURVE.x, y: y + CURVE.y }));
  const own = at.filter((_, i) => points[i]!.own);
  const every = Math.ceil(own.length / MAX_DOTS);
  return [
    { kind: 'line', points: at, width: 5, ink: 'accent' },
    ...own.filter((_, i) => i % every === 0).map((dot): Mark => ({ kind: 'dot', at: dot, radius: 7, ink: 'own' })),
    text(texts.firstLoss, CURVE.x - 18, at[0]!.y + 8, 24, { ink: 'soft', align: 'right', maxWidth: 84 }),
    text(texts.lastLoss, CURVE.x + CURVE.width + 18, at.at(-1)!.y + 8, 24, { weight: 600, maxWidth: 84 }),
    ...legend,
  ];
}
