import fc from 'fast-check';
import { expect, it } from 'vitest';
import { applySignStep, type SignStep } from '../../core/lockstep/sign-step.ts';
import { withTrialStep } from './trial-step.ts';

/** Any bits at all: subnormals, zeros of both signs, infinities, values that η disappears in. */
const anyParameters = fc.uint32Array({ minLength: 1, maxLength: 200 }).map((bits) => new Float32Array(bits.buffer));
const words = fc.uint32Array({ minLength: 7, maxLength: 7 });

const bitsOf = (values: Float32Array): Uint32Array =>
  new Uint32Array(values.buffer, values.byteOffset, values.length).slice();

function stepOf(total: number, descend: Uint32Array, touched: Uint32Array): SignStep {
  const length = Math.ceil(total / 32);
  return {
    kind: 'sign',
    learningRate: Math.fround(0.0125),
    total,
    descend: descend.slice(0, length),
    touched: touched.slice(0, length),
  };
}

it('shows the stepped parameters to the work, and restores every bit', async () => {
  await fc.assert(
    fc.asyncProperty(anyParameters, words, words, async (base, descend, touched) => {
      const live = base.slice();
      const step = stepOf(base.length, descend, touched);
      const expected = base.slice();
      applySignStep(expected, step);
      const seen = await withTrialStep({ live, base }, step, () => Promise.resolve(bitsOf(live)));
      expect(seen).toEqual(bitsOf(expected));
      expect(bitsOf(live)).toEqual(bitsOf(base));
    }),
  );
});

it('restores every bit when the work fails', async () => {
  await fc.assert(
    fc.asyncProperty(anyParameters, words, words, async (base, descend, touched) => {
      const live = base.slice();
      const failing = withTrialStep({ live, base }, stepOf(base.length, descend, touched), () =>
        Promise.reject(new Error('in the middle')),
      );
      await expect(failing).rejects.toThrow('in the middle');
      expect(bitsOf(live)).toEqual(bitsOf(base));
    }),
  );
});

it('subtracting a step back would not have restored it', () => {
  const theta = Float32Array.of(1e-9);
  const step = stepOf(1, Uint32Array.of(1), Uint32Array.of(1));
  applySignStep(theta, step);
  applySignStep(theta, { ...step, descend: Uint32Array.of(0) });
  expect(theta[0]).not.toBe(Math.fround(1e-9));
});

it('refuses a step of another model, and changes nothing', async () => {
  const base = Float32Array.of(1, 2, 3);
  const live = base.slice();
  const step = stepOf(2, Uint32Array.of(3), Uint32Array.of(3));
  await expect(withTrialStep({ live, base }, step, () => Promise.resolve())).rejects.toThrow(RangeError);
  expect(live).toEqual(base);
});
