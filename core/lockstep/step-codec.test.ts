import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkGrid } from '../numerics/chunks.ts';
import { ProblemError, type ProblemKey } from '../protocol/problem.ts';
import { bitSet, setBits } from './bits.ts';
import type { SignStep } from './sign-step.ts';
import { decodeSignStep, encodeSignStep, signStepBytes, touchChunk, type StepContext } from './step-codec.ts';

const SPECS = [
  { name: 'matrix', shape: [6, 8], offset: 0, size: 48 },
  { name: 'vector', shape: [3], offset: 48, size: 3 },
];
const grids = SPECS.map((spec) => chunkGrid(spec, 4, 4));
const context: StepContext = { run: '0a'.repeat(16), window: 9, scheme: 1, total: 51, grids };

/** A valid step: chunks (numbered over all tensors) that are touched, and parameters among them that descend. */
function stepOf(chunks: readonly number[], descending: readonly number[]): SignStep {
  const touched = bitSet(context.total);
  let first = 0;
  for (const grid of grids) {
    for (const chunk of chunks)
      if (chunk >= first && chunk < first + grid.count) touchChunk(touched, grid, chunk - first);
    first += grid.count;
  }
  const descend = bitSet(context.total);
  for (const i of descending) setBits(descend, i, 1);
  return {
    kind: 'sign',
    learningRate: Math.fround(0.01),
    total: context.total,
    descend: descend.map((word, i) => word & touched[i]!),
    touched,
  };
}

const example = encodeSignStep(stepOf([0, 2, 4], [0, 1, 9, 50]), context);

function keyOf(bytes: Uint8Array, where: StepContext = context): ProblemKey | undefined {
  try {
    decodeSignStep(bytes, where);
  } catch (error) {
    expect(error).toBeInstanceOf(ProblemError);
    return (error as ProblemError).key;
  }
  return undefined;
}

describe('encodeSignStep', () => {
  it('has one bit a chunk and one a parameter', () => {
    const chunks = grids.reduce((sum, { count }) => sum + count, 0);
    expect(chunks).toBe(5);
    expect(signStepBytes(context)).toBe(34 + 1 + 7);
    expect(Buffer.from(example.subarray(0, 21)).toString('latin1')).toBe(`GNTS\x01${'\n'.repeat(16)}`);
    expect(example[34]).toBe(0b10101);
  });

  it('refuses a step of another size', () => {
    expect(() => encodeSignStep({ ...stepOf([], []), total: 50 }, context)).toThrow(RangeError);
  });
});

describe('decodeSignStep', () => {
  it('undoes encoding', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(4)), fc.uniqueArray(fc.nat(50)), (chunks, descending) => {
        const step = stepOf(chunks, descending);
        expect(decodeSignStep(encodeSignStep(step, context), context)).toEqual(step);
      }),
    );
  });

  it('says of which run and window a step is not', () => {
    expect(keyOf(example, { ...context, run: '0b'.repeat(16) })).toBe('wrong-run');
    expect(keyOf(example, { ...context, window: 10 })).toBe('wrong-window');
    expect(keyOf(example, { ...context, scheme: 2 })).toBe('malformed-request');
    expect(keyOf(example, { ...context, total: 52 })).toBe('malformed-request');
  });

  it('refuses other lengths and learning rates', () => {
    for (let length = 0; length < example.length; length++)
      expect(keyOf(example.subarray(0, length))).toBe('malformed-request');
    expect(keyOf(Uint8Array.of(...example, 0))).toBe('malformed-request');
    for (const rate of [0, -1, Infinity, Number.NaN]) {
      const bytes = Uint8Array.from(example);
      new DataView(bytes.buffer).setFloat32(26, rate, true);
      expect(keyOf(bytes)).toBe('malformed-request');
    }
  });

  it('accepts one byte form only: whatever decodes encodes to the same bytes', () => {
    fc.assert(
      fc.property(fc.nat(example.length - 1), fc.nat(255), (at, value) => {
        const bytes = Uint8Array.from(example);
        bytes[at] = value;
        if (keyOf(bytes) === undefined)
          expect([...encodeSignStep(decodeSignStep(bytes, context), context)]).toEqual([...bytes]);
      }),
      { numRuns: 500 },
    );
    const movesUntouched = Uint8Array.from(example);
    movesUntouched[35]! |= 1 << 4;
    expect(keyOf(movesUntouched)).toBe('malformed-request');
    const padded = Uint8Array.from(example);
    padded[34]! |= 1 << 5;
    expect(keyOf(padded)).toBe('malformed-request');
    const beyond = Uint8Array.from(example);
    beyond[41]! |= 1 << 7;
    expect(keyOf(beyond)).toBe('malformed-request');
  });

  it('throws nothing but problems for random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(34), (bytes, keep) => {
        keyOf(bytes);
        keyOf(Uint8Array.of(...example.subarray(0, keep), ...bytes));
      }),
    );
  });
});
