import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { PeerState } from '../../core/protocol/api.ts';
import { CARD_HEIGHT, CARD_WIDTH, layoutCard, type Mark } from './card-layout.ts';
import { cardInWords, cardTexts } from './card-texts.ts';
import { drawCard } from './draw-card.ts';
import { ownWindows, type CardFacts } from './facts.ts';

const facts: CardFacts = {
  run: 'a small run',
  windows: 12,
  tokens: 1_500_000,
  rank: 3,
  peers: 20,
  rating: { mu: 27.4, sigma: 3.1, ordinal: 5.2 },
  curve: [
    { window: 0, loss: 8.3, own: false },
    { window: 1, loss: 7.1, own: true },
    { window: 2, loss: 6.4, own: true },
  ],
};

const layout = (changed: Partial<CardFacts> = {}): Mark[] => {
  const all = { ...facts, ...changed };
  return layoutCard(all, cardTexts(all));
};

const texts = (marks: readonly Mark[]): string[] => marks.flatMap((mark) => (mark.kind === 'text' ? [mark.text] : []));

const extent = (mark: Mark): { x: number; y: number }[] => {
  switch (mark.kind) {
    case 'text':
      return [
        { x: mark.x, y: mark.y - mark.size },
        { x: mark.align === 'left' ? mark.x + mark.maxWidth : mark.x - mark.maxWidth, y: mark.y },
      ];
    case 'box':
      return [
        { x: mark.x, y: mark.y },
        { x: mark.x + mark.width, y: mark.y + mark.height },
      ];
    case 'line':
      return [...mark.points];
    case 'dot':
      return [mark.at];
    default:
      return mark satisfies never;
  }
};

describe('the share card', () => {
  it('says the real figures and no others', () => {
    expect(texts(layout())).toEqual(
      expect.arrayContaining(['12', 'windows contributed', '1.5M', '#3', 'rank of 20', '27.4 ± 3.1', '8.30', '6.40']),
    );
    const newcomer = texts(layout({ tokens: 0, rank: null, windows: 1 }));
    expect(newcomer).toContain('window contributed');
    expect(newcomer.join(' ')).not.toMatch(/rank|tokens/);
  });

  it('marks one’s own windows on the curve and no others', () => {
    const dots = (marks: Mark[]): number => marks.filter(({ kind, ink }) => kind === 'dot' && ink === 'own').length;
    // One of them is the legend’s.
    expect(dots(layout())).toBe(3);
    expect(dots(layout({ curve: facts.curve.map((point) => ({ ...point, own: false })) }))).toBe(1);
    const long = Array.from({ length: 5_000 }, (_, window) => ({ window, loss: 9 - window / 1_000, own: true }));
    expect(dots(layout({ curve: long }))).toBeLessThanOrEqual(81);
    expect(layout({ curve: [] }).some(({ kind, ink }) => kind === 'line' && ink === 'accent')).toBe(false);
  });

  it('keeps everything on the sheet, whatever the figures', () => {
    const number = fc.double({ min: -1e9, max: 1e9, noNaN: true });
    const any = fc.record({
      windows: fc.nat(),
      rank: fc.option(fc.integer({ min: 1 }), { nil: null }),
      rating: fc.record({ mu: number, sigma: fc.double({ min: 0, max: 1e6, noNaN: true }), ordinal: number }),
      curve: fc.array(fc.record({ window: fc.nat(), loss: number, own: fc.boolean() }), { maxLength: 30 }),
    });
    fc.assert(
      fc.property(any, (changed) => {
        const curve = [...changed.curve].sort((a, b) => a.window - b.window);
        for (const { x, y } of layout({ ...changed, curve }).flatMap(extent)) {
          expect(x).toBeGreaterThanOrEqual(-0.01);
          expect(x).toBeLessThanOrEqual(CARD_WIDTH + 0.01);
          expect(y).toBeGreaterThanOrEqual(-0.01);
          expect(y).toBeLessThanOrEqual(CARD_HEIGHT + 0.01);
        }
      }),
    );
  });

  it('is drawn mark by mark', () => {
    const context = {
      clearRect: vi.fn(),
      beginPath: vi.fn(),
      roundRect: vi.fn(),
      fill: vi.fn(),
      stroke: vi.fn(),
      moveTo: vi.fn(),
      lineTo: vi.fn(),
      arc: vi.fn(),
      fillText: vi.fn<(text: string) => void>(),
    };
    const marks = layout();
    drawCard(context as unknown as CanvasRenderingContext2D, marks);
    expect(context.fillText.mock.calls.map(([text]) => text)).toEqual(texts(marks));
    expect(context.arc).toHaveBeenCalledTimes(marks.filter(({ kind }) => kind === 'dot').length);
  });

  it('has words for whoever does not see it', () => {
    expect(cardInWords(facts)).toBe(
      'My browser tab trains a language model together with strangers, in the run “a small run”: 12 windows contributed, rank #3 of 20, rating 27.4 ± 3.1. The model’s loss went from 8.30 to 6.40.',
    );
  });

  it('takes for one’s own the windows of receipts and of aggregated contributions', () => {
    const peer = {
      receipts: [{ receipt: { window: 4 } }],
      history: [
        { window: 2, aggregated: true },
        { window: 3, aggregated: false },
      ],
    } as unknown as PeerState;
    expect(ownWindows(peer)).toEqual(new Set([4, 2]));
  });
});
