import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeSafetensors,
  encodeSafetensors,
  headerLength,
  MAX_HEADER_BYTES,
  SafetensorsError,
  type NamedTensor,
} from './safetensors.ts';

/** A file of raw header text and data. */
function file(header: string, data = new Uint8Array()): Uint8Array {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

const tensor = fc.array(fc.nat(4), { maxLength: 3 }).chain((shape) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return fc.tuple(fc.constant(shape), fc.float32Array({ minLength: size, maxLength: size }));
});

const tensors = fc
  .dictionary(fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '7')), tensor)
  .map((record) =>
    Object.entries(record)
      .filter(([name]) => name !== '__metadata__')
      .map(([name, [shape, values]]): NamedTensor => ({ name, shape, values })),
  );

describe('safetensors', () => {
  it('reads back what it wrote, bit for bit', () => {
    fc.assert(
      fc.property(tensors, fc.dictionary(fc.string(), fc.string()), (list, metadata) => {
        const decoded = decodeSafetensors(encodeSafetensors(list, metadata));
        expect([...decoded.tensors.keys()].sort()).toEqual(list.map(({ name }) => name).sort());
        for (const { name, shape, values } of list) {
          const read = decoded.tensors.get(name)!;
          expect(read.shape).toEqual(shape);
          expect(new Uint32Array(read.values.buffer)).toEqual(new Uint32Array(values.slice().buffer));
        }
        expect(Object.fromEntries(decoded.metadata)).toEqual(Object.fromEntries(Object.entries(metadata)));
      }),
    );
  });

  it('fails only with its own error on any bytes', () => {
    const valid = encodeSafetensors([{ name: 'a', shape: [2, 3], values: new Float32Array(6).fill(1) }]);
    const damaged = fc.tuple(fc.nat(valid.length - 1), fc.nat(255)).map(([at, byte]) => {
      const copy = valid.slice();
      copy[at] = byte;
      return copy;
    });
    const cut = fc.nat(valid.length).map((length) => valid.slice(0, length));
    const json = fc.json().map((text) => file(text));
    const entry = fc.record(
      {
        dtype: fc.constantFrom('F32', 'F16', 'I64', 'X', '__proto__', 3),
        shape: fc.oneof(fc.array(fc.oneof(fc.nat(4), fc.double())), fc.string()),
        data_offsets: fc.oneof(fc.array(fc.oneof(fc.nat(64), fc.maxSafeInteger())), fc.constant(null)),
      },
      { requiredKeys: [] },
    );
    const shaped = fc
      .tuple(fc.dictionary(fc.string(), entry), fc.uint8Array({ maxLength: 64 }))
      .map(([header, data]) => file(JSON.stringify(header), data));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), damaged, cut, json, shaped), (bytes) => {
        try {
          decodeSafetensors(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(SafetensorsError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('starts the data at a multiple of 8 and says format pt', () => {
    const bytes = encodeSafetensors([{ name: 'weight', shape: [1], values: Float32Array.of(1) }]);
    expect((bytes.length - 4) % 8).toBe(0);
    expect(decodeSafetensors(bytes).metadata.get('format')).toBe('pt');
  });

  it('widens F16 and BF16 exactly', () => {
    const half = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x8000, 0x7c00, 0x3555);
    const brain = Uint16Array.of(0x3f80, 0xc000);
    const data = new Uint8Array(18);
    data.set(new Uint8Array(half.buffer));
    data.set(new Uint8Array(brain.buffer), 14);
    const { tensors } = decodeSafetensors(
      file(
        '{"h":{"dtype":"F16","shape":[7],"data_offsets":[0,14]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[14,18]}}  ',
        data,
      ),
    );
    expect([...tensors.get('h')!.values]).toEqual([1, -2, 2 ** -24, 65504, -0, Infinity, 0.333251953125]);
    expect([...tensors.get('b')!.values]).toEqual([1, -2]);
  });

  const f32 = (begin: number, end: number, shape: number[]): string =>
    `{"dtype":"F32","shape":${JSON.stringify(shape)},"data_offsets":[${begin},${end}]}`;

  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(), /shorter than its 8-byte/],
    ['a header past the end', file('{}').slice(0, 9), /ends inside its header/],
    ['a header that is no object', file('[]'), /does not begin with \{/],
    ['a header that is no JSON', file('{'), /not JSON/],
    ['a gap', file(`{"a":${f32(4, 8, [1])}}`, new Uint8Array(8)), /leaves a gap from byte 0/],
    ['an overlap', file(`{"a":${f32(0, 8, [2])},"b":${f32(4, 8, [1])}}`, new Uint8Array(8)), /overlaps/],
    ['bytes that no tensor has', file(`{"a":${f32(0, 4, [1])}}`, new Uint8Array(8)), /take 4 bytes, the file has 8/],
    ['too few bytes', file(`{"a":${f32(0, 8, [2])}}`, new Uint8Array(4)), /take 8 bytes, the file has 4/],
    ['a shape of another size', file(`{"a":${f32(0, 8, [3])}}`, new Uint8Array(8)), /does not fill/],
    ['a shape past the safe integers', file(`{"a":${f32(0, 0, [2 ** 50, 2 ** 50])}}`), /does not fill/],
    ['a negative size', file(`{"a":${f32(0, 4, [-1])}}`, new Uint8Array(4)), /not a list of sizes/],
    ['an unknown dtype', file('{"a":{"dtype":"F12","shape":[],"data_offsets":[0,4]}}'), /unknown dtype F12/],
    ['an unknown member', file('{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1],"x":1}}'), /unknown member x/],
    ['an integer tensor', file('{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}', new Uint8Array(1)), /only F32/],
    ['metadata that is no text', file('{"__metadata__":{"a":1}}'), /must be a string/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes)).toThrow(SafetensorsError);
    expect(() => decodeSafetensors(bytes)).toThrow(message);
  });

  it('refuses a header longer than allowed before it reads it', () => {
    const prefix = new Uint8Array(8);
    new DataView(prefix.buffer).setBigUint64(0, BigInt(MAX_HEADER_BYTES + 1), true);
    expect(() => headerLength(prefix, 2 ** 40)).toThrow(SafetensorsError);
    new DataView(prefix.buffer).setBigUint64(0, 2n ** 64n - 1n, true);
    expect(() => headerLength(prefix, 2 ** 40)).toThrow(SafetensorsError);
  });

  it('does not write a name twice, nor values that do not fit', () => {
    const one = { name: 'a', shape: [1], values: new Float32Array(1) };
    expect(() => encodeSafetensors([one, one])).toThrow(SafetensorsError);
    expect(() => encodeSafetensors([{ ...one, name: '__metadata__' }])).toThrow(SafetensorsError);
    expect(() => encodeSafetensors([{ ...one, shape: [2] }])).toThrow(SafetensorsError);
  });
});
