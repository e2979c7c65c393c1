/** What strangers send: bytes, texts and JSON that are nearly right, for tests of whatever reads them. */
import fc from 'fast-check';
import { expect } from 'vitest';

const NIGHTLY = process.env['NIGHTLY'] === '1';

/** Nightly runs are so many times as long: a million inputs over all decoders and routes. */
const NIGHTLY_FACTOR = 80;

/** The same inputs at every change, others each night; a failure prints its seed. */
export function sample(runs: number): { numRuns: number; seed?: number; endOnFailure: boolean } {
  return NIGHTLY
    ? { numRuns: runs * NIGHTLY_FACTOR, endOnFailure: true }
    : { numRuns: runs, seed: 20_260_101, endOnFailure: false };
}

/** For tests of so many inputs; a night has hours. */
export const FUZZ_TIMEOUT_MS = NIGHTLY ? 3_600_000 : 120_000;

const counts = new Map<string, { inputs: number; accepted: number }>();

/** Counts an input, for the record of a night. */
export function tally(what: string, accepted: boolean): void {
  const count = counts.get(what) ?? { inputs: 0, accepted: 0 };
  counts.set(what, { inputs: count.inputs + 1, accepted: count.accepted + (accepted ? 1 : 0) });
}

/** So many inputs of a kind were accepted: a fuzzer whose inputs are all refused at the door tests the door alone. */
export function acceptedOf(what: string): number {
  return counts.get(what)?.accepted ?? 0;
}

/** Says in the nightly form what was tried. */
export function printTally(): void {
  if (!NIGHTLY) return;
  const total = [...counts.values()].reduce((sum, { inputs }) => sum + inputs, 0);
  const lines = [...counts].map(([what, { inputs, accepted }]) => `  ${inputs} ${what}, ${accepted} accepted`);
  console.log(`${total} hostile inputs\n${lines.join('\n')}`);
}

/** Texts that trip readers up: numbers that are none, signs that cannot be seen, one letter for another, paths out. */
export const TRAPS: readonly string[] = [
  '',
  ' ',
  '\0',
  'null',
  'NaN',
  '-0',
  '1e400',
  '0x10',
  '9007199254740993',
  '__proto__',
  'constructor',
  'toString',
  '../../etc/passwd',
  '..\\..\\',
  '%2e%2e%2f',
  '\u{feff}',
  '\u{202e}gnirts',
  'a\u{200b}b',
  '\u{0430}dmin',
  'e\u{301}'.repeat(40),
  '\ud800',
  '\udc00x',
  '\u{1f468}\u{200d}\u{1f469}',
  "'; DROP TABLE peers; --",
  '<script>alert(1)</script>',
  '{{7*7}}',
  '${jndi:ldap://127.0.0.1/}',
  '\r\nset-cookie: a=b',
  '2026-02-30T00:00:00.000Z',
  `2026-01-01T00:00:00.${'0'.repeat(3_000)}Z`,
  'a'.repeat(5_000),
];

export const trap = (): fc.Arbitrary<string> => fc.constantFrom(...TRAPS);

/** Any UTF-16, well-formed or not. */
const anyUtf16 = (): fc.Arbitrary<string> =>
  fc.array(fc.nat(0xffff), { maxLength: 40 }).map((units) => String.fromCharCode(...units));

export const hostileText = (): fc.Arbitrary<string> =>
  fc.oneof(trap(), anyUtf16(), fc.string({ unit: 'grapheme', maxLength: 60 }));

/** Bytes that are random, or a valid example cut, with bits or bytes changed, or spliced with another. */
export function hostileBytes(examples: readonly Uint8Array[]): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  const example = fc.constantFrom(...examples);
  const place = fc.double({ min: 0, max: 1, noNaN: true });
  const at = (bytes: Uint8Array, where: number): number => Math.floor(where * bytes.length);
  const changed = (change: (bytes: Uint8Array<ArrayBuffer>, at: number, value: number) => void) =>
    fc
      .tuple(example, fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 4 }))
      .map(([bytes, changes]) => {
        const copy = Uint8Array.from(bytes);
        if (copy.length > 0)
          for (const [where, value] of changes) change(copy, Math.min(at(copy, where), copy.length - 1), value);
        return copy;
      });
  return fc.oneof(
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
    { weight: 1, arbitrary: example.map((bytes) => Uint8Array.from(bytes)) },
    { weight: 2, arbitrary: fc.tuple(example, place).map(([bytes, where]) => bytes.slice(0, at(bytes, where))) },
    { weight: 3, arbitrary: changed((bytes, i, value) => (bytes[i]! ^= 1 << (value & 7))) },
    { weight: 2, arbitrary: changed((bytes, i, value) => (bytes[i] = [0, 255, 127, 128][value & 3]!)) },
    { weight: 1, arbitrary: changed((bytes, i, value) => (bytes[i] = value)) },
    // Headers come first, and lengths are in them.
    { weight: 2, arbitrary: changed((bytes, i, value) => (bytes[i % Math.min(bytes.length, 48)] = value)) },
    {
      weight: 1,
      arbitrary: fc.tuple(example, example, place, place).map(([head, tail, to, from]) => {
        const spliced = [...head.subarray(0, at(head, to)), ...tail.subarray(at(tail, from))];
        return Uint8Array.from(spliced);
      }),
    },
  );
}

/** What stands in JSON text for itself, since no value has such a form. */
const RAW = '\u{1}raw:';
const RAW_TOKENS = [
  '1e400',
  '-1e400',
  '-0',
  '1e-400',
  '9007199254740993',
  '0.1e1',
  '123456789012345678901234567890',
  'NaN',
  'Infinity',
  'undefined',
  "'a'",
  '01',
  '"\\ud800"',
  '[1,]',
  '{"a":1,"a":2}',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"toString":0,"valueOf":0}',
  `${'['.repeat(500)}${']'.repeat(500)}`,
  '{"a":'.repeat(300),
];

type Path = readonly string[];

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, member]) => pathsOf(member, [...path, key]))];
}

/** A copy in which what lies at a path is changed; undefined takes it away. */
function changedAt(value: unknown, path: Path, change: (old: unknown) => unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return change(value);
  if (Array.isArray(value))
    return value.map((item: unknown, i) => (String(i) === key ? changedAt(item, rest, change) : item));
  const entries = Object.entries(value as object).map(([name, member]: [string, unknown]) =>
    name === key ? [name, changedAt(member, rest, change)] : [name, member],
  );
  return Object.fromEntries(entries);
}

const hostileValue = (): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...RAW_TOKENS).map((token) => RAW + token) },
    { weight: 3, arbitrary: hostileText() },
    {
      weight: 3,
      arbitrary: fc.constantFrom<unknown[]>(null, true, -1, 0, 1.5, 2 ** 31, 2 ** 53, [], {}, [[]], undefined),
    },
    { weight: 1, arbitrary: fc.jsonValue() },
  );

const changes = (value: unknown): fc.Arbitrary<unknown> =>
  fc
    .array(fc.tuple(fc.nat(), fc.boolean(), hostileText(), hostileValue()), { minLength: 1, maxLength: 3 })
    .map((list) =>
      list.reduce<unknown>((changed, [where, added, key, hostile]) => {
        const paths = pathsOf(changed);
        return changedAt(changed, paths[where % paths.length]!, (old) => {
          if (!added || typeof old !== 'object' || old === null) return hostile;
          // A key of its own even where it is called __proto__.
          return Array.isArray(old)
            ? [...(old as unknown[]), hostile]
            : Object.fromEntries([...Object.entries(old), [key, hostile]]);
        });
      }, value),
    );

function textOf(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  return (text ?? '').replaceAll(/"\\u0001raw:((?:[^"\\]|\\.)*)"/g, (whole) =>
    (JSON.parse(whole) as string).slice(RAW.length),
  );
}

/** JSON texts: of a valid value, of one that was changed here and there, cut, or of nothing of the kind. */
export function hostileJson(valid: fc.Arbitrary<unknown>): fc.Arbitrary<string> {
  const text = valid.map(textOf);
  return fc.oneof(
    { weight: 3, arbitrary: text },
    { weight: 6, arbitrary: valid.chain(changes).map(textOf) },
    { weight: 1, arbitrary: fc.tuple(text, fc.nat()).map(([whole, to]) => whole.slice(0, to % (whole.length + 1))) },
    { weight: 1, arbitrary: fc.oneof(fc.json(), hostileText(), fc.constantFrom(...RAW_TOKENS)) },
    { weight: 1, arbitrary: fc.tuple(trap(), text).map(([before, whole]) => before + whole) },
  );
}

/** Nothing that was read may have reached what all objects have in common. */
export function expectUnpolluted(): void {
  const bare: Record<string, unknown> = {};
  expect(bare['polluted']).toBeUndefined();
  for (const key in bare) expect.unreachable(`every object has ${key}`);
}
