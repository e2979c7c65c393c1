import { expect, test, type Page } from '@playwright/test';
import { evaluateGraph } from '../../engine/graph/evaluate.ts';
import { NIGHTLY } from '../nightly.ts';
import { buildCase, KERNEL_CASES } from './kernel-cases.ts';

/** Of fp32 sums and exponentials, as a part of a result's largest element. */
const TOLERANCE = 3e-6;

/** Of an operator with more cases than that, half of them are run but for the nightly form. */
const MANY_CASES = 16;

/** By the Thue-Morse sequence: cases that vary in two or four ways lose none of them. */
const isLeftOut = (number: number): boolean => number.toString(2).replaceAll('0', '').length % 2 === 1;

function largestError(actual: Float32Array, expected: Float64Array): number {
  if (actual.length !== expected.length) return Infinity;
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const error = expected.reduce((most, value, i) => {
    const difference = Math.abs(value - actual[i]!);
    return Number.isNaN(difference) ? Infinity : Math.max(most, difference);
  }, 0);
  return largest === 0 ? error : error / largest;
}

test.describe('kernels give what double precision gives, steadily, and write nowhere else', () => {
  let page: Page;

  test.beforeAll(async ({ browser }) => {
    page = await browser.newPage();
    await page.goto('/e2e/engine/kernels-harness.html');
    await page.waitForFunction(() => 'runKernelCase' in window);
  });
  test.afterAll(() => page.close());

  for (const [operator, cases] of Object.entries(KERNEL_CASES)) {
    test(operator, async () => {
      expect(new Set(cases.map(({ name }) => name)).size, 'cases have names of their own').toBe(cases.length);
      for (const [number, kernelCase] of cases.entries()) {
        if (!NIGHTLY && cases.length > MANY_CASES && isLeftOut(number)) continue;
        const { name, donated = [] } = kernelCase;
        const result = await page.evaluate(([...of]) => window.runKernelCase(...of), [operator, number] as const);
        const { outputs, feeds } = buildCase(kernelCase);
        for (const [output, expected] of Object.entries(evaluateGraph(outputs, feeds))) {
          expect.soft(largestError(result.outputs[output]!, expected), `${name}: ${output}`).toBeLessThan(TOLERANCE);
        }
        expect.soft(result.unsteady, `${name}: other bits in a second run`).toEqual([]);
        expect.soft(result.overwritten, `${name}: inputs written over`).toEqual([]);
        expect.soft(result.inPlace, `${name}: in the memory it was given`).toBe(donated.length > 0);
      }
    });
  }
});
