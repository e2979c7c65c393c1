/** Shapes to draw, numbers to fill them with, and somebody else's runtime for graphs of ONNX's operators. */
import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { createRandom, seedFrom } from '../../core/numerics/prng.ts';
import { sizeOf } from '../graph/ir.ts';

export const dimension = fc.integer({ min: 1, max: 4 });

export const shapeOf = (minLength: number, maxLength: number): fc.Arbitrary<number[]> =>
  fc.array(dimension, { minLength, maxLength });

/** A shape that broadcasts to the given one: some axes are 1, some leading ones left out. */
export const narrowed = (shape: readonly number[]): fc.Arbitrary<number[]> =>
  fc
    .tuple(fc.nat(shape.length - 1), ...shape.map(() => fc.boolean()))
    .map(([dropped, ...ones]) => shape.map((n, axis) => (ones[axis] ? 1 : n)).slice(dropped));

/** Draws arrays between -1 and 1, or between 0.5 and 1.5, that fp32 holds exactly; always the same ones in turn. */
export function createDraws(
  label: string,
): (shape: readonly number[], positive?: boolean) => Float32Array<ArrayBuffer> {
  const random = createRandom(seedFrom('graphs', label));
  return (shape, positive = false) =>
    Float32Array.from({ length: sizeOf(shape) }, () => (positive ? 0.5 + random.uniform() : 2 * random.uniform() - 1));
}

/** The outputs of an ONNX model on onnxruntime. */
export async function runOnnx(
  model: Uint8Array,
  feeds: Record<string, ort.Tensor>,
): Promise<Record<string, Float32Array>> {
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1 });
  const results = await session.run(feeds);
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.data as Float32Array]));
}
