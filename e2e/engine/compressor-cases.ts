/** What the specs of the compressors share: models, where their tensors lie, gradients, and what a window must do. */
import { expect, type Browser, type Page } from '@playwright/test';
import type { ParameterLayout } from '../../core/model/layout.ts';
import { chunkGrid, gatherChunk } from '../../core/numerics/chunks.ts';
import { createBlockTransform } from '../../core/numerics/dct.ts';
import type { SchemeParameters } from '../../core/protocol/manifest.ts';
import { createScheme } from '../../core/scheme/create-scheme.ts';
import { random } from './cases.ts';
import type { CompressorApi, Place } from './compressor-harness.ts';

export type Compressor = {
  [Method in keyof CompressorApi]: (
    ...args: Parameters<CompressorApi[Method]>
  ) => Promise<Awaited<ReturnType<CompressorApi[Method]>>>;
};

/** One page for all tests: a shape's kernels are compiled once, which in software takes longer than everything else. */
export async function openCompressor(browser: Browser): Promise<{ page: Page; gpu: Compressor }> {
  const page = await browser.newPage();
  await page.goto('/e2e/engine/compressor-harness.html');
  await page.waitForFunction(() => 'compressor' in window);
  const gpu = new Proxy({} as Compressor, {
    get(_, method: keyof CompressorApi) {
      return (...args: unknown[]) =>
        page.evaluate(([method, args]) => (window.compressor[method] as (...args: unknown[]) => unknown)(...args), [
          method,
          args,
        ] as const);
    },
  });
  return { page, gpu };
}

export function layoutOf(...shapes: number[][]): ParameterLayout {
  let offset = 0;
  const parameters = shapes.map((shape, i) => {
    const spec = { name: `t${i}`, shape, offset, size: shape.reduce((a, b) => a * b, 1) };
    offset += spec.size;
    return spec;
  });
  return { parameters, total: offset };
}

/**
 * Full blocks, several to a tensor and across two tensors; rows that do not divide among the threads; blocks of one row,
 * of one column and of one element; an odd number of kept coefficients.
 */
export const ODD = layoutOf([128, 64], [64, 64], [61, 64], [3, 130], [128, 1], [24], [24], [67], [1], [2, 2]);

/** One buffer a tensor. */
export function apart({ parameters }: ParameterLayout): Place[] {
  return parameters.map((_, buffer) => ({ buffer, offset: 0 }));
}

/** All in one buffer and in order, none of them aligned to anything. */
export function together({ parameters }: ParameterLayout): Place[] {
  return parameters.map(({ offset }) => ({ buffer: 0, offset: offset + 3 }));
}

/** All in one buffer, the last one first. */
export function reversed({ parameters, total }: ParameterLayout): Place[] {
  return parameters.map(({ offset, size }) => ({ buffer: 0, offset: total - offset - size }));
}

export function gradientOf({ total }: ParameterLayout, label: string, size = 1): Float32Array<ArrayBuffer> {
  const draw = random(label);
  return Float32Array.from({ length: total }, () => (2 * draw.uniform() - 1) * size);
}

/** Some tensors silent, one constant, one with a single value, the others of very different sizes. */
export function unevenGradient(layout: ParameterLayout): Float32Array<ArrayBuffer> {
  const gradient = gradientOf(layout, 'uneven');
  layout.parameters.forEach(({ offset, size }, i) => {
    const tensor = gradient.subarray(offset, offset + size);
    if (i % 5 === 1) tensor.fill(0);
    else if (i % 5 === 2) tensor.fill(0.25);
    else if (i % 5 === 3) tensor.fill(0, 1);
    else tensor.set(tensor.map((value) => value * 10 ** (3 * (i % 7) - 9)));
  });
  return gradient;
}

export function largest(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** fp32 rounding of a transform, as a part of the largest value. */
export const ROUNDING = 1e-5;

/** A model, and the scheme it is trained by. */
export interface CompressorModel {
  readonly layout: ParameterLayout;
  readonly parameters: SchemeParameters;
}

/** What a window must have done, tensor by tensor and chunk by chunk. */
export function expectWindow(
  { layout, parameters }: CompressorModel,
  folded: Float32Array,
  body: Uint8Array,
  after: Float32Array,
): void {
  const scheme = createScheme(parameters, layout);
  const transformed = parameters.name === 'decoupled-momentum';
  const delta = scheme.decodeBody(body);
  layout.parameters.forEach((spec, tensor) => {
    const grid = chunkGrid(spec, parameters.chunk, parameters.topK);
    const { rows, columns, kept } = grid;
    const { indices, values } = delta.tensors[tensor]!;
    const transform = createBlockTransform(rows, columns);
    const coefficients = new Float32Array(grid.length);
    const residual = new Float32Array(grid.length);
    for (let chunk = 0; chunk < grid.count; chunk++) {
      const name = `${spec.name} [${spec.shape.join(', ')}], chunk ${chunk}`;
      gatherChunk(folded, grid, chunk, coefficients);
      const room = ROUNDING * largest(coefficients);
      if (transformed) transform.forward(coefficients, coefficients);
      const sent = indices.subarray(chunk * kept, (chunk + 1) * kept);

      // The largest, save what rounding makes equal.
      const bySize = coefficients.map(Math.abs).sort().reverse();
      const least = bySize[kept - 1]!;
      const tie = ROUNDING * bySize[0]!;
      const isSent = new Set(sent);
      const wrong = [...coefficients.keys()].filter((i) => {
        const size = Math.abs(coefficients[i]!);
        return isSent.has(i) ? size < least - tie : size > least + tie;
      });
      expect(wrong, name).toEqual([]);

      // What was sent and what is left make up what there was.
      // Decoupled momentum sends no lengths.
      const norm = !transformed ? 1 : Math.hypot(...Array.from(sent, (i) => coefficients[i]!));
      const decoded = new Float32Array(grid.length);
      sent.forEach((i, at) => (decoded[i] = values[chunk * kept + at]! * norm));
      if (transformed) transform.inverse(decoded, decoded);
      gatherChunk(after, grid, chunk, residual);
      gatherChunk(folded, grid, chunk, coefficients);
      const error = coefficients.map((value, i) => value - decoded[i]! - residual[i]!);
      expect(largest(error), name).toBeLessThanOrEqual(room + 1e-37);
    }
  });
}
