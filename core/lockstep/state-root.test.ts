import { createHash, webcrypto } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256Digest } from './digest.ts';
import { parameterBytes, parameterChunks, parametersFromBytes } from './parameters.ts';
import { rootOfLeaves, stateRoot } from './state-root.ts';

const sha = (...parts: Uint8Array[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const leaf = (name: string): Buffer => sha(Buffer.from(name));
const joined = (left: Buffer, right: Buffer): Buffer => sha(Uint8Array.of(1), left, right);

describe('rootOfLeaves', () => {
  const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map(leaf) as [Buffer, Buffer, Buffer, Buffer, Buffer];
  const root = (...leaves: Buffer[]): string => rootOfLeaves(leaves.map((bytes) => bytes.toString('hex')));

  it('is the tree written out by hand', () => {
    expect(root(a)).toBe(a.toString('hex'));
    expect(root(a, b)).toBe(joined(a, b).toString('hex'));
    expect(root(a, b, c)).toBe(joined(joined(a, b), c).toString('hex'));
    expect(root(a, b, c, d, e)).toBe(joined(joined(joined(a, b), joined(c, d)), e).toString('hex'));
  });

  it('depends on order and number', () => {
    expect(new Set([root(a, b), root(b, a), root(a, b, b), root(a)]).size).toBe(4);
  });

  it('refuses no leaves and what is not a hash', () => {
    expect(() => rootOfLeaves([])).toThrow(RangeError);
    expect(() => rootOfLeaves(['00'])).toThrow(RangeError);
    expect(() => rootOfLeaves(['zz'.repeat(32)])).toThrow();
  });
});

describe('stateRoot', () => {
  it('hashes the little-endian bytes in chunks, the last one short', async () => {
    const parameters = Float32Array.of(1, -2, 0.5);
    const bytes = Buffer.from('0000803f000000c00000003f', 'hex');
    const result = await stateRoot(parameters, 8, sha256Digest);
    const leaves = [sha(bytes.subarray(0, 8)), sha(bytes.subarray(8))] as const;
    expect(result.leaves).toEqual(leaves.map((hash) => hash.toString('hex')));
    expect(result.root).toBe(joined(...leaves).toString('hex'));
  });

  it('is the same with WebCrypto', async () => {
    const parameters = Float32Array.from({ length: 5000 }, (_, i) => i / 7);
    const digest = async (bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> =>
      new Uint8Array(await webcrypto.subtle.digest('SHA-256', bytes));
    expect(await stateRoot(parameters, 4096, digest)).toEqual(await stateRoot(parameters, 4096, sha256Digest));
  });

  it('changes with any single value', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(99), async (index) => {
        const parameters = new Float32Array(100).fill(0.25);
        const before = await stateRoot(parameters, 64, sha256Digest);
        parameters[index] = 0.25 + 2 ** -25;
        const after = await stateRoot(parameters, 64, sha256Digest);
        expect(after.root).not.toBe(before.root);
        expect(after.leaves.filter((hash, i) => hash !== before.leaves[i])).toHaveLength(1);
      }),
    );
  });

  it('refuses an empty vector', async () => {
    await expect(stateRoot(new Float32Array(0), 64, sha256Digest)).rejects.toThrow(RangeError);
  });
});

describe('parameters', () => {
  it('go to bytes and back', () => {
    const values = Float32Array.of(1.5, -0, 3e-38, Number.MAX_VALUE);
    expect(parametersFromBytes(parameterBytes(values))).toEqual(values);
    expect(() => parametersFromBytes(new Uint8Array(5))).toThrow(RangeError);
  });

  it('are cut into chunks of whole values', () => {
    expect(parameterChunks(new Float32Array(5), 8).map((chunk) => chunk.length)).toEqual([8, 8, 4]);
    for (const bytes of [0, -4, 6, 1.5]) expect(() => parameterChunks(new Float32Array(5), bytes)).toThrow(RangeError);
  });
});
