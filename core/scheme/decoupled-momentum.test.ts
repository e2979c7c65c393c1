import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyOuterStep } from '../lockstep/outer-step.ts';
import type { ParameterLayout } from '../model/layout.ts';
import { REFERENCE_DECOUPLED_MOMENTUM } from '../model/presets.ts';
import { chunkGrid, gatherChunk, scatterChunk } from '../numerics/chunks.ts';
import { createBlockTransform } from '../numerics/dct.ts';
import { createRandom, seedFrom } from '../numerics/prng.ts';
import { ProblemError, type ProblemKey } from '../protocol/problem.ts';
import { createDecoupledMomentum } from './decoupled-momentum.ts';
import type { SparseDelta } from './scheme.ts';

function layoutOf(...shapes: number[][]): ParameterLayout {
  let offset = 0;
  const parameters = shapes.map((shape, i) => {
    const spec = { name: `t${i}`, shape, offset, size: shape.reduce((a, b) => a * b, 1) };
    offset += spec.size;
    return spec;
  });
  return { parameters, total: offset };
}

/** Blocks of several shapes, a run, and a vector of prime length whose chunks have one element. */
const layout = layoutOf([12, 16], [6, 10], [24], [11]);
const parameters = {
  ...REFERENCE_DECOUPLED_MOMENTUM,
  learningRate: 0.01,
  warmupWindows: 2,
  cosineWindows: 10,
  chunk: 8,
  topK: 6,
};
const scheme = createDecoupledMomentum(parameters, layout);
const grids = layout.parameters.map((spec) => chunkGrid(spec, parameters.chunk, parameters.topK));
const about = { run: '0a'.repeat(16), window: 3 };
const RATE = scheme.learningRate(3);

const noise = (seed: string, size = 1): Float32Array<ArrayBuffer> => {
  const random = createRandom(seedFrom(seed));
  return Float32Array.from({ length: layout.total }, () => (random.uniform() * 2 - 1) * size);
};

const bodyOf = (gradient: Float32Array): Uint8Array<ArrayBuffer> => scheme.createContributor().compress(gradient, RATE);
const deltaOf = (gradient: Float32Array): SparseDelta => scheme.decodeBody(bodyOf(gradient));
const stepBytes = (deltas: readonly SparseDelta[]): string =>
  Buffer.from(scheme.encodeStep(scheme.outerStep(deltas, RATE), about)).toString('hex');
const scaled = (delta: SparseDelta, factor: number): SparseDelta => ({
  ...delta,
  tensors: delta.tensors.map(({ indices, values }) => ({ indices, values: values.map((value) => value * factor) })),
});
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const momentumOf = (state: Uint8Array): Float32Array => new Float32Array(state.slice(12).buffer);

describe('a body', () => {
  it('has the length that the model prescribes', () => {
    const kept = [6, 6, 6, 1];
    const chunks = [4, 2, 3, 11];
    const indices = chunks.map((count, i) => Math.ceil((count * kept[i]!) / 2) * 3).reduce((a, b) => a + b);
    const codes = chunks.map((count, i) => count * kept[i]!).reduce((a, b) => a + b);
    expect(grids.map((grid) => grid.count)).toEqual(chunks);
    expect(scheme.bodyBytes).toBe(1032 + indices + codes);
    expect(bodyOf(noise('length'))).toHaveLength(scheme.bodyBytes);
  });

  it('carries the largest coefficients of every chunk at unit length, nearly', () => {
    const gradient = noise('largest');
    const delta = deltaOf(gradient);
    grids.forEach((grid, tensor) => {
      const { indices, values } = delta.tensors[tensor]!;
      const block = new Float32Array(grid.length);
      for (let chunk = 0; chunk < grid.count; chunk++) {
        gatherChunk(gradient, grid, chunk, block);
        createBlockTransform(grid.rows, grid.columns).forward(block, block);
        const bySize = [...block.keys()].sort((a, b) => Math.abs(block[b]!) - Math.abs(block[a]!));
        const largest = bySize.slice(0, grid.kept).sort((a, b) => a - b);
        const sent = [...indices.subarray(chunk * grid.kept, (chunk + 1) * grid.kept)];
        expect(sent).toEqual(largest);
        const norm = Math.hypot(...sent.map((index) => block[index]!));
        sent.forEach((index, i) => {
          expect(values[chunk * grid.kept + i]).toBeCloseTo(block[index]! / norm, 1);
        });
      }
    });
  });

  it('of a chunk without gradient is silent, and that chunk stays where it is', () => {
    const gradient = noise('silent');
    const silent = new Float32Array(grids[0]!.length);
    scatterChunk(silent, grids[0]!, 1, gradient);
    const delta = deltaOf(gradient);
    const { kept } = grids[0]!;
    expect([...delta.tensors[0]!.values.subarray(kept, 2 * kept)]).toEqual(new Array(kept).fill(0));
    const before = new Float32Array(layout.total).fill(1);
    const after = before.slice();
    applyOuterStep(after, scheme.outerStep([delta], RATE));
    const block = new Float32Array(grids[0]!.length);
    for (let chunk = 0; chunk < grids[0]!.count; chunk++) {
      gatherChunk(after, grids[0]!, chunk, block);
      expect(block.every((value) => value === 1)).toBe(chunk === 1);
    }
  });

  it('of no gradient at all touches nothing', () => {
    const step = scheme.outerStep([deltaOf(new Float32Array(layout.total))], RATE);
    expect(step.touched.every((word) => word === 0)).toBe(true);
    expect(scheme.decodeStep(scheme.encodeStep(step, about), about)).toEqual(step);
  });
});

describe('compress', () => {
  it('feeds back what was not sent: what was sent plus what is left is what went in', () => {
    const lossless = createDecoupledMomentum({ ...parameters, momentum: 1 }, layout);
    const contributor = lossless.createContributor();
    const input = new Float64Array(layout.total);
    const sent = new Float64Array(layout.total);
    for (let window = 1; window <= 6; window++) {
      const gradient = noise(`feedback ${window}`);
      // What was sent in true size is the difference of the momenta, which the next test checks against the message.
      const before = momentumOf(contributor.saveState());
      contributor.compress(gradient, RATE);
      const after = momentumOf(contributor.saveState());
      for (let i = 0; i < input.length; i++) {
        input[i]! += RATE * gradient[i]!;
        sent[i]! += Math.fround(before[i]! + RATE * gradient[i]!) - after[i]!;
      }
    }
    const residual = momentumOf(contributor.saveState());
    for (let i = 0; i < input.length; i++) expect(Math.abs(sent[i]! + residual[i]! - input[i]!)).toBeLessThan(1e-7);
    expect(Math.hypot(...residual)).toBeLessThan(Math.hypot(...input) * 1.5);
  });

  it('takes out of the momentum exactly the decoded message at the length of its chunk', () => {
    const gradient = noise('exact');
    const contributor = scheme.createContributor();
    const delta = scheme.decodeBody(contributor.compress(gradient, RATE));
    const residual = momentumOf(contributor.saveState());
    const momentum = gradient.map((value) => RATE * value);
    grids.forEach((grid, tensor) => {
      const { indices, values } = delta.tensors[tensor]!;
      const transform = createBlockTransform(grid.rows, grid.columns);
      const coefficients = new Float32Array(grid.length);
      const sparse = new Float32Array(grid.length);
      const left = new Float32Array(grid.length);
      for (let chunk = 0; chunk < grid.count; chunk++) {
        gatherChunk(momentum, grid, chunk, coefficients);
        const original = coefficients.slice();
        transform.forward(coefficients, coefficients);
        const range = [...Array(grid.kept).keys()].map((i) => chunk * grid.kept + i);
        const norm = Math.sqrt(range.reduce((sum, i) => sum + coefficients[indices[i]!]! ** 2, 0));
        sparse.fill(0);
        for (const i of range) sparse[indices[i]!] = values[i]! * norm;
        transform.inverse(sparse, sparse);
        gatherChunk(residual, grid, chunk, left);
        expect([...left]).toEqual([...original.map((value, i) => value - sparse[i]!)]);
      }
    });
  });

  it('takes a message back that was not delivered, once', () => {
    const contributor = scheme.createContributor();
    contributor.undo();
    const gradient = noise('undone');
    contributor.compress(gradient, RATE);
    for (let i = 0; i < 2; i++) {
      contributor.undo();
      const momentum = momentumOf(contributor.saveState());
      // The rounding of one subtraction and one addition.
      momentum.forEach((value, at) => {
        expect(Math.abs(value - Math.fround(RATE * gradient[at]!))).toBeLessThan(1e-8);
      });
    }
  });

  it('leaves the state alone when the gradient is refused', () => {
    const contributor = scheme.createContributor();
    contributor.compress(noise('first'), RATE);
    const before = contributor.saveState();
    for (const bad of [Number.NaN, Infinity, -Infinity, 3e38]) {
      const gradient = noise('second', 1);
      gradient[100] = bad;
      expect(() => contributor.compress(gradient, 1)).toThrow(RangeError);
    }
    expect(() => contributor.compress(new Float32Array(3), RATE)).toThrow(RangeError);
    expect(contributor.saveState()).toEqual(before);
  });

  it('goes on from a saved state as if it had never stopped', () => {
    const first = scheme.createContributor();
    first.compress(noise('a'), RATE);
    const second = scheme.createContributor();
    second.loadState(first.saveState());
    expect(second.compress(noise('b'), RATE)).toEqual(first.compress(noise('b'), RATE));
    expect(second.saveState()).toEqual(first.saveState());
  });

  it('refuses states that are none', () => {
    const contributor = scheme.createContributor();
    const state = contributor.saveState();
    const broken = (change: (bytes: DataView) => void): Uint8Array => {
      const bytes = state.slice();
      change(new DataView(bytes.buffer));
      return bytes;
    };
    const states = [
      new Uint8Array(0),
      state.subarray(1),
      Uint8Array.of(...state, 0),
      broken((view) => view.setUint8(0, 0)),
      broken((view) => view.setUint32(4, 2, true)),
      broken((view) => view.setUint32(8, 1, true)),
      broken((view) => view.setFloat32(20, Number.NaN, true)),
      broken((view) => view.setFloat32(20, Infinity, true)),
    ];
    for (const bytes of states)
      expect(() => {
        contributor.loadState(bytes);
      }).toThrow(RangeError);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(() => {
          contributor.loadState(bytes);
        }).toThrow(RangeError);
      }),
    );
  });
});

describe('decodeBody', () => {
  const valid = bodyOf(noise('valid'));
  const keyOf = (body: Uint8Array): ProblemKey | undefined => {
    try {
      const { tensors } = scheme.decodeBody(body);
      for (const { values } of tensors) expect(values.every(Number.isFinite)).toBe(true);
    } catch (error) {
      expect(error).toBeInstanceOf(ProblemError);
      return (error as ProblemError).key;
    }
    return undefined;
  };
  const changed = (change: (view: DataView) => void): Uint8Array => {
    const bytes = valid.slice();
    change(new DataView(bytes.buffer));
    return bytes;
  };

  it('refuses other lengths', () => {
    for (const body of [new Uint8Array(0), valid.subarray(1), Uint8Array.of(...valid, 0)]) {
      expect(keyOf(body)).toBe('malformed-contribution');
    }
  });

  it('refuses a quantiser that is not finite or out of range', () => {
    expect(
      keyOf(
        changed((view) => {
          view.setFloat32(0, Number.NaN, true);
        }),
      ),
    ).toBe('not-finite');
    expect(
      keyOf(
        changed((view) => {
          view.setFloat32(4, Infinity, true);
        }),
      ),
    ).toBe('not-finite');
    expect(
      keyOf(
        changed((view) => {
          view.setFloat32(8 + 4 * 200, -Infinity, true);
        }),
      ),
    ).toBe('not-finite');
    expect(
      keyOf(
        changed((view) => {
          view.setFloat32(0, 3e38, true);
          view.setFloat32(8, 3e38, true);
        }),
      ),
    ).toBe('not-finite');
    for (const scale of [0, 1e-13, 2e4, -2e4]) {
      expect(
        keyOf(
          changed((view) => {
            view.setFloat32(4, scale, true);
          }),
        ),
      ).toBe('malformed-contribution');
    }
  });

  it('refuses indices that are out of range, repeated, descending or padded with anything', () => {
    const indicesAt = 1032;
    expect(
      keyOf(
        changed((view) => {
          view.setUint8(indicesAt + 8, 0xff);
        }),
      ),
    ).toBe('index-out-of-range');
    const pair = (view: DataView, first: number, second: number): void => {
      view.setUint8(indicesAt, first);
      view.setUint8(indicesAt + 1, (second & 15) << 4);
      view.setUint8(indicesAt + 2, second >> 4);
    };
    expect(
      keyOf(
        changed((view) => {
          pair(view, 1, 1);
        }),
      ),
    ).toBe('malformed-contribution');
    expect(
      keyOf(
        changed((view) => {
          pair(view, 2, 1);
        }),
      ),
    ).toBe('malformed-contribution');
    const lastIndices = scheme.bodyBytes - 11 - 1;
    expect(
      keyOf(
        changed((view) => {
          view.setUint8(lastIndices, 1);
        }),
      ),
    ).toBe('malformed-contribution');
  });

  it('throws nothing but problems, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: scheme.bodyBytes, maxLength: scheme.bodyBytes }), (bytes) => {
        keyOf(bytes);
      }),
      { numRuns: 50 },
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(scheme.bodyBytes - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (edits) => {
          keyOf(
            changed((view) => {
              for (const [at, value] of edits) view.setUint8(at, value);
            }),
          );
        },
      ),
    );
  });

  it('gives arrays that can be aggregated for whatever it accepts', () => {
    const codesOfFirst = 1032 + 36;
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.nat(255), (centre, code) => {
        const body = changed((view) => {
          view.setFloat32(8 + 4 * code, centre, true);
          view.setUint8(codesOfFirst, code);
        });
        if (keyOf(body) !== undefined) return;
        const step = scheme.outerStep([scheme.decodeBody(body)], RATE);
        expect(scheme.decodeStep(scheme.encodeStep(step, about), about)).toEqual(step);
      }),
    );
  });
});

describe('outerStep', () => {
  const deltas = ['p', 'q', 'r'].map((seed) => deltaOf(noise(seed)));

  it('takes the sign of the mean of the normalised messages, as written out naively', () => {
    const step = scheme.outerStep(deltas, RATE);
    grids.forEach((grid, tensor) => {
      const out = new Float32Array(grid.length);
      const marks = Float32Array.from({ length: layout.total }, (_, i) => (step.descend[i >>> 5]! >>> (i & 31)) & 1);
      const bits = new Float32Array(grid.length);
      for (let chunk = 0; chunk < grid.count; chunk++) {
        const entries = new Map<number, number[]>();
        for (const delta of deltas) {
          const start = chunk * grid.kept;
          const values = delta.tensors[tensor]!.values.subarray(start, start + grid.kept);
          const norm = Math.hypot(...values);
          values.forEach((value, i) => {
            const index = delta.tensors[tensor]!.indices[start + i]!;
            entries.set(index, [...(entries.get(index) ?? []), value / norm]);
          });
        }
        out.fill(0);
        for (const [index, values] of entries) out[index] = values.reduce((a, b) => a + b) / values.length;
        createBlockTransform(grid.rows, grid.columns).inverse(out, out);
        gatherChunk(marks, grid, chunk, bits);
        expect([...bits]).toEqual([...out].map((value) => (value >= 0 ? 1 : 0)));
      }
    });
    expect(step.touched.slice(0, -1).every((word) => word === 0xffffffff)).toBe(true);
  });

  it('goes down the gradient of a single honest peer, mostly', () => {
    const gradient = noise('descent');
    const theta = new Float32Array(layout.total);
    applyOuterStep(theta, scheme.outerStep([deltaOf(gradient)], RATE));
    const progress = theta.reduce((sum, value, i) => sum + value * gradient[i]!, 0);
    expect(progress).toBeLessThan(0);
    expect(theta.every((value) => Math.abs(value) === RATE)).toBe(true);
  });

  it('is not moved by a rescaled contribution', () => {
    for (const factor of [2 ** -20, 0.5, 4, 2 ** 30]) {
      const louder = deltas.map((delta, i) => (i === 1 ? scaled(delta, factor) : delta));
      expect(stepBytes(louder)).toBe(stepBytes(deltas));
    }
    for (const factor of [1e-4, 3, 1e6]) {
      const louder = deltas.map((delta, i) => (i === 1 ? scaled(delta, factor) : delta));
      expect(stepBytes(louder)).toBe(stepBytes(deltas));
    }
  });

  it('is not moved by a rescaled gradient: the very bytes of the message are the same', () => {
    const gradient = noise('rescale');
    for (const factor of [2 ** -10, 0.25, 8, 2 ** 40]) {
      expect(bodyOf(gradient.map((value) => value * factor))).toEqual(bodyOf(gradient));
    }
  });

  it('turns round when every message does, in touched chunks without a zero', () => {
    const step = scheme.outerStep(deltas, RATE);
    const turned = scheme.outerStep(
      deltas.map((delta) => scaled(delta, -1)),
      RATE,
    );
    expect(turned.descend.map((word, i) => ~word & step.touched[i]!)).toEqual(step.descend);
  });

  it('ignores the silent as if they were absent', () => {
    const silent = deltaOf(new Float32Array(layout.total));
    expect(stepBytes([deltas[0]!, silent, deltas[1]!])).toBe(stepBytes([deltas[0]!, deltas[1]!]));
  });

  it('of no message moves nothing', () => {
    const before = noise('before');
    const after = before.slice();
    applyOuterStep(after, scheme.outerStep([], RATE));
    expect(after).toEqual(before);
  });

  it('rounds the learning rate to fp32', () => {
    expect(scheme.outerStep(deltas, 0.1).learningRate).toBe(Math.fround(0.1));
  });
});

describe('training', () => {
  it('brings three noisy peers towards the minimum of a quadratic', () => {
    const target = noise('target');
    const theta = new Float32Array(layout.total);
    const peers = [0, 1, 2].map(() => scheme.createContributor());
    const error = (): number => theta.reduce((sum, value, i) => sum + (value - target[i]!) ** 2, 0) / layout.total;
    const start = error();
    for (let window = 1; window <= 60; window++) {
      const deltas = peers.map((peer, i) => {
        const disturbance = noise(`disturbance ${i} ${window}`, 0.5);
        const gradient = theta.map((value, j) => value - target[j]! + disturbance[j]!);
        return scheme.decodeBody(peer.compress(gradient, 0.02));
      });
      applyOuterStep(theta, scheme.outerStep(deltas, 0.02));
    }
    expect(error()).toBeLessThan(0.15 * start);
  });
});

describe('lockstep', () => {
  it('is frozen: three peers over four windows give these bytes', () => {
    const peers = [0, 1, 2].map(() => scheme.createContributor());
    const theta = noise('initial', 0.1);
    const hashes: Record<string, string> = {};
    for (let window = 1; window <= 4; window++) {
      const rate = scheme.learningRate(window);
      const bodies = peers.map((peer, i) => peer.compress(noise(`peer ${i} window ${window}`, 10 ** -i), rate));
      const step = scheme.outerStep(
        bodies.map((body) => scheme.decodeBody(body)),
        rate,
      );
      const bytes = scheme.encodeStep(step, { run: about.run, window });
      applyOuterStep(theta, scheme.decodeStep(bytes, { run: about.run, window }));
      hashes[`bodies ${window}`] = sha(Buffer.concat(bodies));
      hashes[`step ${window}`] = sha(bytes);
    }
    hashes['momentum'] = sha(peers[0]!.saveState());
    hashes['parameters'] = sha(new Uint8Array(theta.buffer));
    expect(hashes).toMatchInlineSnapshot(`
      {
        "bodies 1": "3f011d0a7b0db18cb0d3825bade62520fba80faeb0d96dd32a574f4e974e40e3",
        "bodies 2": "37bf3e9c7d251cae07e70748c35d8c90716b3ca413a1be5bb5ba66163f93c017",
        "bodies 3": "191ae5087dadc73061ed477747745dfdf2ff779239cf8efaa5e039d898b8abcc",
        "bodies 4": "d6c4e1766142293e29e4b413c51dec01b69cc0cba5a13741498b618860202847",
        "momentum": "28e27fc69c11c519d0bebe45bb079a0ace69d40f5487007e6e6300607a38451e",
        "parameters": "c579b8162faa192c0ac4db9f71afc37933f509ac1552657b5832bcffc451b1c0",
        "step 1": "2701e09cd6716ceeff4550a77cd9ee04a1eb493d314bd21b50f426b4c399135d",
        "step 2": "53a7db06008191ce9ec245f95504ce5951a3a887e512a8bd2d90850c1816cd61",
        "step 3": "d6f44b019a7f7f46b00b3320c236de63f91daef535b2555fff46e09baa87d9b8",
        "step 4": "c7b2759c21bf30ebeda0a3b98d48b084b4318beae31fb66074dd4e68d7f7880f",
      }
    `);
  });
});

describe('createScheme', () => {
  it('refuses tensors without chunks', () => {
    expect(() => createDecoupledMomentum(parameters, layoutOf([2, 2, 2]))).toThrow(RangeError);
  });
});
