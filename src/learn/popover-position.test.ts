import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { besideAnchor } from './popover-position.ts';

const viewport = { clientWidth: 360, clientHeight: 640 };
const popover = { width: 280, height: 120 };

describe('besideAnchor', () => {
  it('is under the word, and above it where there is no room below', () => {
    expect(besideAnchor({ left: 20, top: 100, bottom: 120 }, popover, viewport)).toEqual({ left: 20, top: 124 });
    expect(besideAnchor({ left: 20, top: 580, bottom: 600 }, popover, viewport)).toEqual({ left: 20, top: 456 });
  });

  it('stays on the page from side to side and never covers its word', () => {
    const coordinate = fc.integer({ min: 0, max: 640 });
    fc.assert(
      fc.property(coordinate, coordinate, (left, top) => {
        const anchor = { left, top, bottom: top + 20 };
        const at = besideAnchor(anchor, popover, viewport);
        expect(at.left).toBeGreaterThanOrEqual(0);
        expect(at.left + popover.width).toBeLessThanOrEqual(viewport.clientWidth);
        expect(at.top >= anchor.bottom || at.top + popover.height <= anchor.top).toBe(true);
      }),
    );
  });
});
