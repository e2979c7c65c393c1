import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { curveCoordinates, lossPoints } from './curve.ts';

const box = { width: 320, height: 96, margin: 6 };

describe('curve', () => {
  it('begins before the first window and leaves out what was not measured', () => {
    const windows = [
      { window: 1, lossBefore: 8, lossAfter: 7 },
      { window: 2, lossBefore: 7, lossAfter: null },
      { window: 3, lossBefore: 7, lossAfter: 6 },
    ];
    expect(lossPoints(windows)).toEqual([
      { window: 0, loss: 8 },
      { window: 1, loss: 7 },
      { window: 3, loss: 6 },
    ]);
    expect(lossPoints([])).toEqual([]);
  });

  it('puts the highest loss at the top and stays in its box', () => {
    expect(curveCoordinates([{ window: 1, loss: 5 }], box)).toEqual([{ x: 160, y: 48 }]);
    const at = curveCoordinates(
      [
        { window: 1, loss: 8 },
        { window: 3, loss: 4 },
      ],
      box,
    );
    expect(at).toEqual([
      { x: 6, y: 6 },
      { x: 314, y: 90 },
    ]);
    const loss = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(fc.array(loss, { minLength: 1, maxLength: 50 }), (losses) => {
        const coordinates = curveCoordinates(
          losses.map((value, window) => ({ window, loss: value })),
          box,
        );
        for (const { x, y } of coordinates) {
          expect(x).toBeGreaterThanOrEqual(5.999);
          expect(x).toBeLessThanOrEqual(314.001);
          expect(y).toBeGreaterThanOrEqual(5.999);
          expect(y).toBeLessThanOrEqual(90.001);
        }
      }),
    );
  });
});
