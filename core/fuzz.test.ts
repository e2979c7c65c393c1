/** Every decoder of `core/` on bytes and texts of strangers: it gives something valid, or throws what it says it throws. */
import { readFileSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';
import { gunzipSync } from 'node:zlib';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type * as z from 'zod';
import { ByteLevelBpe, trainBpe, countWords, TokenizerError } from './data/bpe.ts';
import { DataError, decodePage, decodePageIndex, encodePage, encodePageIndex, type PageFormat } from './data/pages.ts';
import { loadTokenizer, toTokenizerJson } from './data/tokenizer.ts';
import { verifyAccountSignature } from './identity/account-signature.ts';
import { canonicalBytes } from './identity/canonical.ts';
import { ManifestError, verifyManifest } from './identity/manifest.ts';
import { isRemarkOf } from './identity/remark-proof.ts';
import { memorySigner, signingBytes, verifyHex, verifySignature } from './identity/signing.ts';
import { AddressError, decodeAddress, encodeAddress } from './identity/ss58.ts';
import { parametersFromBytes, parameterBytes } from './lockstep/parameters.ts';
import { CheckpointError, planStateDict } from './model/checkpoint.ts';
import { fromHfConfig, HfConfigError, toHfConfig } from './model/hf-config.ts';
import { describingFiles } from './model/hf-export.ts';
import { PRESETS, REFERENCE_DECOUPLED_MOMENTUM, REFERENCE_SPARSELOCO } from './model/presets.ts';
import {
  decodeSafetensors,
  encodeSafetensors,
  headerLength,
  parseHeader,
  SafetensorsError,
} from './model/safetensors.ts';
import { packCodes, unpackCodes } from './numerics/bit-stream.ts';
import { chunkGrid } from './numerics/chunks.ts';
import { decodeEliasFano, encodeEliasFano } from './numerics/elias-fano.ts';
import { packIndices, unpackIndices } from './numerics/pack.ts';
import { createRandom, seedFrom } from './numerics/prng.ts';
import * as api from './protocol/api.ts';
import * as book from './protocol/book.ts';
import * as chain from './protocol/chain.ts';
import { ContributionHeaderSchema, type ContributionHeader } from './protocol/contribution.ts';
import * as manifests from './protocol/manifest.ts';
import * as primitives from './protocol/primitives.ts';
import { ProblemError, problemKey, ProblemSchema } from './protocol/problem.ts';
import { RecordingSchema } from './protocol/recording.ts';
import { createScheme } from './scheme/create-scheme.ts';
import type { Scheme } from './scheme/scheme.ts';
import {
  acceptedOf,
  expectUnpolluted,
  FUZZ_TIMEOUT_MS,
  hostileBytes,
  hostileJson,
  hostileText,
  printTally,
  sample,
  tally,
} from './testing/hostile.ts';
import { parseBoundedJson } from './wire/bounded-json.ts';
import { contributionBody, decodeContribution, encodeContribution } from './wire/contribution.ts';

type Bytes = Uint8Array<ArrayBuffer>;
type ErrorClass = abstract new (...args: never[]) => Error;

/** What the engine says when memory or stack would not do: no decoder's own words. */
const OUT_OF_ROOM = /array length|allocation failed|call stack|string length|out of memory|offset is out of bounds/i;

/** @returns what was decoded, undefined where it was refused as documented */
function decoded<T>(decode: () => T, errors: readonly ErrorClass[]): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (!errors.some((known) => error instanceof known)) throw error;
    expect((error as Error).message).toMatch(/\w/);
    expect((error as Error).message).not.toMatch(OUT_OF_ROOM);
    return undefined;
  }
}

const RUN = '0a'.repeat(16);
const signer = memorySigner(new Uint8Array(32).fill(7));
const secret = new Uint8Array(32).fill(7);
const sessionKey = bytesToHex(signer.publicKey);
const hotkey = encodeAddress(signer.publicKey);
const layout = {
  parameters: [
    { name: 'a', shape: [12, 16], offset: 0, size: 192 },
    { name: 'b', shape: [24], offset: 192, size: 24 },
    { name: 'c', shape: [11], offset: 216, size: 11 },
  ],
  total: 227,
};
const schemes = {
  'decoupled-momentum': createScheme(
    { ...REFERENCE_DECOUPLED_MOMENTUM, learningRate: 0.01, chunk: 8, topK: 6 },
    layout,
  ),
  'sparseloco at 4 levels': createScheme({ ...REFERENCE_SPARSELOCO, chunk: 8, topK: 8, levels: 4 }, layout),
  'sparseloco at 16 levels': createScheme({ ...REFERENCE_SPARSELOCO, chunk: 8, topK: 8, levels: 16 }, layout),
  'sparseloco at 256 levels': createScheme({ ...REFERENCE_SPARSELOCO, chunk: 8, topK: 8, levels: 256 }, layout),
} satisfies Record<string, Scheme>;
const grids = layout.parameters.map((spec) => chunkGrid(spec, 8, 8));

const noise = (seed: string): Float32Array<ArrayBuffer> => {
  const random = createRandom(seedFrom(seed));
  return Float32Array.from({ length: layout.total }, () => (random.uniform() - 0.5) * 0.02);
};
const about = { run: RUN, window: 3 };
const same = (a: Uint8Array, b: Uint8Array): void => expect(Buffer.compare(a, b)).toBe(0);

const header: ContributionHeader = {
  run: RUN,
  window: 4,
  hotkey,
  scheme: 'decoupled-momentum',
  root: 'ab'.repeat(32),
  pagesTrained: 8,
  sampleDigest: 'cd'.repeat(32),
  trainLoss: 3.5,
  syncSample: [0.5, -0.25, 1e-7],
};
const body = Uint8Array.from({ length: 50 }, (_, i) => i);
const contribution = await encodeContribution(header, body, signer);
const contributions = [contribution, await encodeContribution({ ...header, syncSample: [] }, body, signer)];

/** The envelope of any header bytes, properly signed: a stranger has a key of its own. */
function sealed(headerBytes: Uint8Array): Uint8Array {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, headerBytes.length, true);
  const signed = concatBytes(contribution.subarray(0, 5), length, headerBytes, body);
  return concatBytes(signed, ed25519.sign(signingBytes('contribution', sha256(signed)), secret));
}

const format: PageFormat = { sequences: 2, length: 5, tokenBytes: 2, vocabSize: 300 };
const wide: PageFormat = { ...format, tokenBytes: 4 };
const ids = Array.from({ length: 10 }, (_, i) => i * 29);
const tensors = [
  { name: 'a', shape: [2, 3], values: Float32Array.from([1, 2, 3, 4, 5, 6]) },
  { name: '__proto__', shape: [1], values: Float32Array.of(7) },
  { name: 'empty', shape: [0, 4], values: new Float32Array(0) },
];
const numbers = Uint16Array.from([1, 5, 6, 20, 33, 34, 60, 63]);

interface ByteDecoder {
  readonly examples: readonly Bytes[];
  /** Decodes and checks what came of it. @returns whether it was accepted */
  readonly accepts: (bytes: Bytes) => boolean;
  /** Checks curves at each input, which takes a thousand times as long. */
  readonly slow?: boolean;
}

/** @param check what holds of all that is accepted: mostly that there is no second form of it */
function bytesOf<T>(
  examples: readonly Uint8Array[],
  errors: readonly ErrorClass[],
  decode: (bytes: Bytes) => T,
  check: (value: T, bytes: Bytes) => void,
): ByteDecoder {
  return {
    examples: examples.map((bytes) => Uint8Array.from(bytes)),
    accepts: (bytes) => {
      const value = decoded(() => decode(bytes), errors);
      if (value === undefined) return false;
      check(value, bytes);
      return true;
    },
  };
}

const byteDecoders: Record<string, ByteDecoder> = {
  contributions: {
    ...bytesOf(
      contributions,
      [ProblemError],
      (bytes) => decodeContribution(bytes, { bodyBytes: body.length, sessionKey }),
      (value, bytes) => {
        expect(ContributionHeaderSchema.safeParse(value.header).success).toBe(true);
        same(bytes, sealed(canonicalBytes(value.header)));
      },
    ),
    slow: true,
  },
  'bodies of contributions': bytesOf(contributions, [ProblemError], (bytes) => contributionBody(bytes, body.length), (value) => expect(value).toHaveLength(body.length)), // prettier-ignore
  pages: bytesOf([encodePage(ids, format)], [DataError], (bytes) => decodePage(bytes, format), (value, bytes) => same(encodePage(value, format), bytes)), // prettier-ignore
  'pages of wide tokens': bytesOf([encodePage(ids, wide)], [DataError], (bytes) => decodePage(bytes, wide), (value, bytes) => same(encodePage(value, wide), bytes)), // prettier-ignore
  'page indices': bytesOf([encodePageIndex(['ab'.repeat(32), '01'.repeat(32)])], [DataError], (bytes) => decodePageIndex(bytes, 2), (value, bytes) => same(encodePageIndex(value), bytes)), // prettier-ignore
  parameters: bytesOf([parameterBytes(noise('p'))], [RangeError], parametersFromBytes, (value, bytes) => same(parameterBytes(value), bytes)), // prettier-ignore
  'safetensors files': bytesOf([encodeSafetensors(tensors), encodeSafetensors([])], [SafetensorsError], decodeSafetensors, ({ tensors: read }, bytes) => {
    let total = 0;
    for (const { values, shape } of read.values()) {
      expect(values.length).toBe(shape.reduce((product, size) => product * size, 1));
      total += values.length;
    }
    expect(total).toBeLessThanOrEqual(bytes.length);
  }), // prettier-ignore
  'codes of bits': bytesOf([packCodes(Uint8Array.from([1, 0, 3, 2, 1]), 2)], [RangeError], (bytes) => unpackCodes(bytes, 5, 2), (value, bytes) => same(packCodes(value, 2), bytes)), // prettier-ignore
  'packed indices': bytesOf([packIndices(numbers.slice(1)), packIndices(numbers)], [RangeError], (bytes) => unpackIndices(bytes, 7), (value, bytes) => same(packIndices(value), bytes)), // prettier-ignore
  'Elias-Fano codes': bytesOf([encodeEliasFano(numbers, 64)], [RangeError], (bytes) => decodeEliasFano(bytes, 64, 8), (value, bytes) => {
    // The order of the low bits and the bound are the caller's to refuse.
    if (value.every((number, i) => number < 64 && (i === 0 || number > value[i - 1]!))) same(encodeEliasFano(value, 64), bytes);
  }), // prettier-ignore
  'wallet signatures': {
    examples: [Uint8Array.from(ed25519.sign(body, secret)), new Uint8Array(65)],
    accepts: (bytes) => {
      const answers = (['sr25519', 'ed25519', 'ecdsa'] as const).map((key) =>
        verifyAccountSignature(key, signer.publicKey, body, bytes),
      );
      return answers.includes(true);
    },
    slow: true,
  },
  'session keys': {
    examples: [Uint8Array.from(signer.publicKey)],
    accepts: (bytes) => verifySignature('ticket', body, ed25519.sign(signingBytes('ticket', body), secret), bytes),
    slow: true,
  },
  remarks: {
    examples: [Uint8Array.from([0, 0, 4 << 2, ...new TextEncoder().encode('text'), ...new Uint8Array(32).fill(0xab)])],
    accepts: (bytes) => isRemarkOf(bytes, 'text', `0x${'ab'.repeat(32)}`),
  },
  'files that describe a model': bytesOf([new TextEncoder().encode('{"added_tokens":[{"id":0,"content":"</s>"}]}')], [CheckpointError], (bytes) => describingFiles(PRESETS.nano.model, bytes), (value) => expect(value.size).toBeGreaterThan(1)), // prettier-ignore
};

for (const [name, scheme] of Object.entries(schemes)) {
  const contributor = scheme.createContributor();
  const bodies = ['x', 'y'].map((seed) => contributor.compress(noise(seed), 0.01));
  const deltas = bodies.map((bytes) => scheme.decodeBody(bytes));
  const steps = [deltas, [], deltas.slice(1)].map((some) => scheme.encodeStep(scheme.outerStep(some, 0.01), about));
  byteDecoders[`bodies of ${name}`] = bytesOf(bodies, [ProblemError], (bytes) => scheme.decodeBody(bytes), (delta) => {
    delta.tensors.forEach(({ indices, values }, i) => {
      expect(indices).toHaveLength(values.length);
      expect(values.every(Number.isFinite)).toBe(true);
      expect(indices.every((index) => index < grids[i]!.length)).toBe(true);
    });
    // Whatever is let in can be aggregated.
    const step = scheme.outerStep([delta], 0.01);
    if (step.kind === 'sparse') expect(step.values.every(Number.isFinite)).toBe(true);
  }); // prettier-ignore
  byteDecoders[`outer steps of ${name}`] = bytesOf(steps, [ProblemError], (bytes) => scheme.decodeStep(bytes, about), (step, bytes) => same(scheme.encodeStep(step, about), bytes)); // prettier-ignore
  const state = contributor.saveState();
  byteDecoders[`saved states of ${name}`] = {
    examples: [state],
    accepts: (bytes) => {
      const loaded = decoded(() => {
        contributor.loadState(bytes);
        return true;
      }, [RangeError]);
      if (loaded) same(contributor.saveState(), bytes);
      return loaded ?? false;
    },
  };
}

interface TextDecoderCase {
  readonly texts: fc.Arbitrary<string>;
  readonly accepts: (text: string) => boolean;
  readonly slow?: boolean;
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
};

function schemaCase(schema: z.ZodType, examples: readonly unknown[]): TextDecoderCase {
  return {
    texts: hostileJson(fc.constantFrom(...examples)),
    accepts: (text) => {
      const { success, data } = schema.safeParse(parsed(text));
      // What was let in is what is signed and stored: it parses again to the same.
      if (success) expect(schema.parse(JSON.parse(JSON.stringify(data)))).toEqual(JSON.parse(JSON.stringify(data)));
      return success;
    },
  };
}

const counts = new Map<string, number>();
countWords('the cat sat on the mat and the cat ate the rat', counts);
const bpe = new ByteLevelBpe(trainBpe(counts, 270));
const delegation = {
  run: RUN,
  hotkey,
  sessionKey,
  scopes: ['contribute'],
  issuedAt: '2026-01-01T00:00:00.000Z',
  expiresAt: '2026-02-01T00:00:00.000Z',
};
const signature = 'ab'.repeat(64);

/** A recorded run: real documents of most kinds. */
const showcase = RecordingSchema.parse(
  JSON.parse(gunzipSync(readFileSync(new URL('../public/replay/showcase.json.gz', import.meta.url))).toString()),
);
const [first] = showcase.windows;
const { book: signedBook, summary, refusals } = first!;
const join = { kind: 'guest', delegation, signature };
const wallet = {
  kind: 'wallet',
  delegation,
  signer: hotkey,
  key: 'ecdsa',
  proof: { form: 'remark', payload: '00ff', signature: `${signature}00` },
};

const textDecoders: Record<string, TextDecoderCase> = {
  'headers of contributions': {
    texts: fc.oneof(hostileJson(fc.constant(header)), fc.constant(new TextDecoder().decode(canonicalBytes(header)))),
    slow: true,
    accepts: (text) => {
      const bytes = sealed(new TextEncoder().encode(text));
      const value = decoded(() => decodeContribution(bytes, { bodyBytes: body.length, sessionKey }), [ProblemError]);
      if (value) expect(new TextDecoder().decode(canonicalBytes(value.header))).toBe(text);
      return value !== undefined;
    },
  },
  'headers of safetensors files': {
    texts: hostileJson(
      fc.constant({ __metadata__: { format: 'pt' }, a: { dtype: 'F16', shape: [2, 3], data_offsets: [0, 12] } }),
    ),
    accepts: (text) => {
      const bytes = new TextEncoder().encode(text);
      const read = decoded(() => parseHeader(bytes, bytes.length + 8 + 12), [SafetensorsError]);
      for (const { begin, end } of read?.tensors.values() ?? []) expect(begin >= 0 && end <= 12).toBe(true);
      if (read) {
        const shapes = new Map([...read.tensors].map(([name, { shape }]) => [name, shape]));
        decoded(() => planStateDict(PRESETS.nano.model, shapes), [CheckpointError]);
      }
      return read !== undefined;
    },
  },
  addresses: {
    texts: fc.oneof(
      hostileText(),
      fc.constant(hotkey),
      fc
        .tuple(fc.nat(hotkey.length - 1), fc.oneof(hostileText(), fc.constantFrom('1', 'a', 'Z')))
        .map(([at, text]) => hotkey.slice(0, at) + text + hotkey.slice(at + 1)),
    ),
    accepts: (text) => {
      const key = decoded(() => decodeAddress(text), [AddressError]);
      if (key) expect(encodeAddress(key)).toBe(text);
      return key !== undefined;
    },
  },
  'signatures in hex': {
    texts: fc.oneof(hostileText(), fc.constant(bytesToHex(ed25519.sign(signingBytes('ticket', body), secret)))),
    slow: true,
    accepts: (text) => verifyHex('ticket', body, text, sessionKey) && !verifyHex('ticket', body, sessionKey, text),
  },
  tokenizers: {
    texts: hostileJson(fc.constant(toTokenizerJson(bpe))),
    slow: true,
    accepts: (text) => {
      const tokenizer = decoded(() => loadTokenizer(parsed(text)), [TokenizerError]);
      if (tokenizer) expect(tokenizer.decode(tokenizer.encode('the cat'))).toBe('the cat');
      return tokenizer !== undefined;
    },
  },
  'texts to be tokenised': {
    texts: hostileText(),
    accepts: (text) => {
      // What is no Unicode comes back as its replacement, all else as it was.
      expect(bpe.decode(bpe.encode(text))).toBe(text.toWellFormed());
      return true;
    },
  },
  'configurations of models': {
    texts: hostileJson(fc.constant(toHfConfig(PRESETS.nano.model, { begin: 1, end: null }))),
    accepts: (text) => {
      const config = decoded(() => fromHfConfig(parsed(text)), [HfConfigError]);
      if (config) expect(fromHfConfig(toHfConfig(config, { begin: null, end: null }))).toEqual(config);
      return config !== undefined;
    },
  },
  'types of problems': {
    texts: fc.oneof(
      hostileText(),
      hostileText().map((text) => `/problems/${text}`),
      fc.constant('x/problems/too-late'),
    ),
    accepts: (text) => {
      const key = problemKey(text);
      return key !== undefined && new ProblemError(key, 'Said.').status >= 400;
    },
  },
  'signed manifests': {
    texts: hostileJson(fc.constant(showcase.run)),
    slow: true,
    accepts: (text) => {
      const { data } = manifests.SignedManifestSchema.safeParse(parsed(text));
      return data !== undefined && decoded(() => verifyManifest(data), [ManifestError]) !== undefined;
    },
  },
  'JSON in general': {
    texts: hostileJson(fc.jsonValue()),
    accepts: (text) => {
      const value = decoded(() => ({ value: parseBoundedJson(new TextEncoder().encode(text)) }), [SyntaxError]);
      if (value) expect(value.value).toEqual(JSON.parse(text.toWellFormed().replace(/^\u{feff}/u, '')));
      return value !== undefined;
    },
  },
  instants: {
    texts: fc.oneof(
      hostileText().map((text) => JSON.stringify(text)),
      fc.constant(JSON.stringify(delegation.issuedAt)),
    ),
    accepts: (text) => {
      const { success, data } = primitives.InstantSchema.safeParse(JSON.parse(text));
      // A time that is let in is one: of what is not a number no deadline ever passes.
      if (success) expect(Date.parse(data)).not.toBeNaN();
      return success;
    },
  },
  'requests to join': schemaCase(api.JoinRequestSchema, [join, wallet]),
  revocations: schemaCase(api.RevocationRequestSchema, [
    { revocation: { run: RUN, hotkey, sessionKey, revokedAt: delegation.issuedAt }, signature },
  ]),
  'requests for tickets': schemaCase(api.TicketRequestSchema, [
    { ticket: { run: RUN, window: 3, hotkey, sha256: 'ab'.repeat(32), bytes: 900 }, signature },
  ]),
  tickets: schemaCase(api.TicketSchema, [
    {
      url: '/v1/uploads/a',
      expiresAt: delegation.issuedAt,
      store: { url: 'https://store.example/a', headers: { a: 'b' } },
    },
  ]),
  problems: schemaCase(ProblemSchema, [new ProblemError('too-late', 'Said.').toProblem('/v1')]),
  'window records': schemaCase(api.WindowRecordSchema, [signedBook.book.record]),
  'window summaries': schemaCase(api.WindowSummarySchema, [summary]),
  refusals: schemaCase(api.RefusalsSchema, [refusals]),
  books: { ...schemaCase(book.SignedBookSchema, [signedBook]), slow: true },
  'chains of runs': schemaCase(manifests.RunChainSchema, [
    {
      genesisHash: `0x${'ab'.repeat(32)}`,
      endpoints: ['wss://node.example'],
      netuid: 3,
      trainBlocks: 20,
      putBlocks: 5,
      blockSeconds: 12,
    },
  ]),
  'records of chains': schemaCase(chain.ChainRecordsSchema, [[]]),
};

/** Inputs of a decoder at every change; nightly `sample` makes them many more. */
const runsOf = ({ slow }: { readonly slow?: boolean }): number => (slow ? 90 : 340);

afterAll(printTally);

describe('decoders of bytes', () => {
  it.each(Object.keys(byteDecoders))(
    '%s',
    (name) => {
      const { examples, accepts, ...kind } = byteDecoders[name]!;
      for (const example of examples.slice(0, 1)) expect(accepts(example)).toBe(true);
      fc.assert(
        fc.property(hostileBytes(examples), (bytes) => tally(name, accepts(bytes))),
        sample(runsOf(kind)),
      );
      expectUnpolluted();
    },
    FUZZ_TIMEOUT_MS,
  );
});

describe('decoders of texts', () => {
  it.each(Object.keys(textDecoders))(
    '%s',
    (name) => {
      const { texts, accepts, ...kind } = textDecoders[name]!;
      fc.assert(
        fc.property(texts, (text) => tally(name, accepts(text))),
        sample(runsOf(kind)),
      );
      expect(acceptedOf(name)).toBeGreaterThan(0);
      expectUnpolluted();
    },
    FUZZ_TIMEOUT_MS,
  );
});

describe('lengths that lie', () => {
  /** What has been allocated by now and not been given back, in this thread alone. */
  const allocated = (): number => {
    const { used_heap_size, external_memory } = getHeapStatistics();
    return used_heap_size + external_memory;
  };
  const changed = (bytes: Uint8Array, at: number, ...values: number[]): Bytes => {
    const copy = Uint8Array.from(bytes);
    copy.set(values, at);
    return copy;
  };
  const most = [0xff, 0xff, 0xff, 0xff] as const;
  const scheme = schemes['sparseloco at 4 levels'];
  const sparse = scheme.encodeStep(scheme.outerStep([], 0.01), about);
  const state = scheme.createContributor().saveState();
  const claim = (text: string): Uint8Array => new TextEncoder().encode(text);
  const huge = (shape: string, end: number): string =>
    `{"a":{"dtype":"F32","shape":${shape},"data_offsets":[0,${end}]}}`;

  it.each<[string, ErrorClass, () => unknown]>([
    ['a header of 4 GiB', ProblemError, () => decodeContribution(changed(contribution, 5, ...most), { bodyBytes: body.length, sessionKey })], // prettier-ignore
    ['a header of 4 GiB, unsigned', ProblemError, () => contributionBody(changed(contribution, 5, ...most), body.length)], // prettier-ignore
    ['a step of 65,535 contributions', ProblemError, () => scheme.decodeStep(changed(sparse, 34, 0xff, 0xff), about)],
    ['a step of 4 billion parameters', ProblemError, () => scheme.decodeStep(changed(sparse, 30, ...most), about)],
    ['a state of 4 billion parameters', RangeError, () => { scheme.createContributor().loadState(changed(state, 8, ...most)); }], // prettier-ignore
    ['a file whose header has 2^64 bytes', SafetensorsError, () => headerLength(new Uint8Array(8).fill(0xff), 2 ** 53)],
    ['a tensor of 8 PiB', SafetensorsError, () => parseHeader(claim(huge('[2251799813685248]', 2 ** 53 - 1)), 2 ** 20)],
    ['a tensor of more than there are numbers', SafetensorsError, () => parseHeader(claim(huge('[9007199254740991,9007199254740991]', 4)), 2 ** 20)], // prettier-ignore
    ['an index of a billion pages', DataError, () => decodePageIndex(new Uint8Array(64), 2 ** 30)],
    ['a page of a billion tokens', DataError, () => decodePage(new Uint8Array(64), { ...format, length: 2 ** 30 })],
    ['a billion codes', RangeError, () => unpackCodes(new Uint8Array(64), 2 ** 30, 4)],
    ['a billion indices', RangeError, () => unpackIndices(new Uint8Array(64), 2 ** 30)],
  ])('%s is refused before anything is allocated for it', (_, errors, decode) => {
    expect(decoded(decode, [errors])).toBeUndefined();
    const before = allocated();
    for (let i = 0; i < 20; i++) decoded(decode, [errors]);
    expect(allocated() - before).toBeLessThan(2 * 2 ** 20);
  });

  it.each<[string, string]>([
    ['brackets alone', '['],
    ['objects in objects', '{"a":'],
    ['lists in objects', '[{"a":'],
  ])('nested JSON of %s is refused before it is parsed, which would take forty times its size', (_, bracket) => {
    const json = new TextEncoder().encode(bracket.repeat(2 ** 21));
    const before = allocated();
    expect(() => parseBoundedJson(json)).toThrow(/deeper than 64/);
    expect(() => parseHeader(new TextEncoder().encode(`{"a":${bracket.repeat(100_000)}`), 2 ** 30)).toThrow(
      SafetensorsError,
    );
    expect(allocated() - before).toBeLessThan(8 * 2 ** 20);
  });

  it('JSON of more values than memory has room for is refused before it is parsed', () => {
    const pair = new TextEncoder().encode('[],');
    const json = new Uint8Array(pair.length * 8 * 2 ** 20).map((_, i) => pair[i % pair.length]!);
    json[0] = 0x5b;
    expect(() => parseBoundedJson(json)).toThrow(/more values/);
  });

  it('brackets in texts are no nesting, and what is nested modestly is read', () => {
    const value = { text: `"\\${'['.repeat(100_000)}\\`, list: [[[1]], { a: [] }] };
    expect(parseBoundedJson(new TextEncoder().encode(JSON.stringify(value)))).toEqual(value);
  });
});

describe('what once got through', () => {
  it('a type of numbers that has no text form is refused as any other', () => {
    for (const dtype of ['{"toString":0,"valueOf":0}', `${'['.repeat(5_000)}${']'.repeat(5_000)}`]) {
      const json = `{"a":{"dtype":${dtype},"shape":[1],"data_offsets":[0,4]}}`;
      const bytes = new TextEncoder().encode(json);
      expect(() => parseHeader(bytes, bytes.length + 12)).toThrow(SafetensorsError);
    }
  });

  it('an id of a token that has no text form is refused as any other', () => {
    const json = toTokenizerJson(bpe) as { model: { vocab: Record<string, unknown> } };
    for (const id of [{ toString: 0, valueOf: 0 }, null, undefined]) {
      json.model.vocab['a'] = id;
      expect(() => loadTokenizer(json)).toThrow(TokenizerError);
    }
  });

  it('an instant goes on for no kilobytes, since delegations keep theirs', () => {
    expect(primitives.InstantSchema.safeParse('2026-01-01T00:00:00.123Z').success).toBe(true);
    expect(primitives.InstantSchema.safeParse(`2026-01-01T00:00:00.${'0'.repeat(60_000)}Z`).success).toBe(false);
  });
});
