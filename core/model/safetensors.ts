/**
 * The safetensors format: an 8-byte little-endian header length, a JSON header, then the tensors' bytes without a gap.
 * Strict on reading, because the files come from strangers; F32 on writing. Like the formats themselves, little-endian
 * hosts are assumed (every browser and server there is).
 */
import { parseBoundedJson } from '../wire/bounded-json.ts';

/** The bytes are not a safetensors file of the kinds this reads; the message says why. */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError';
}

/** The reference implementation's bound. */
export const MAX_HEADER_BYTES = 100_000_000;

const DTYPE_BYTES = new Map<string, number>([
  ['BOOL', 1],
  ['U8', 1],
  ['I8', 1],
  ['F8_E4M3', 1],
  ['F8_E5M2', 1],
  ['I16', 2],
  ['U16', 2],
  ['F16', 2],
  ['BF16', 2],
  ['I32', 4],
  ['U32', 4],
  ['F32', 4],
  ['F64', 8],
  ['I64', 8],
  ['U64', 8],
]);

export interface TensorEntry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** First byte after the header, and the byte after the last. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** By name, in the order of their bytes. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: ReadonlyMap<string, string>;
  /** Offset in the file of tensor byte 0. */
  readonly dataOffset: number;
}

/** A named fp32 tensor. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major, the product of `shape` long. */
  readonly values: Float32Array;
}

/**
 * Length of the JSON header.
 *
 * @param prefix the file's first 8 bytes, or more
 * @param fileBytes size of the whole file
 * @throws SafetensorsError when it is longer than allowed or than the file
 */
export function headerLength(prefix: Uint8Array, fileBytes: number): number {
  if (prefix.length < 8 || fileBytes < 8)
    throw new SafetensorsError('the file is shorter than its 8-byte length prefix');
  const length = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw new SafetensorsError(`the header claims ${length} bytes, more than the ${MAX_HEADER_BYTES} allowed`);
  }
  if (Number(length) > fileBytes - 8) throw new SafetensorsError(`the file ends inside its header of ${length} bytes`);
  return Number(length);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function parseMetadata(value: unknown): Map<string, string> {
  if (!isRecord(value)) throw new SafetensorsError('__metadata__ must be an object');
  const metadata = new Map<string, string>();
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw new SafetensorsError(`__metadata__.${key} must be a string`);
    metadata.set(key, text);
  }
  return metadata;
}

function parseEntry(name: string, value: unknown): TensorEntry {
  if (!isRecord(value)) throw new SafetensorsError(`tensor ${name} must be an object`);
  const extra = Object.keys(value).find((key) => !['dtype', 'shape', 'data_offsets'].includes(key));
  if (extra !== undefined) throw new SafetensorsError(`tensor ${name} has an unknown member ${extra}`);
  const { dtype, shape, data_offsets: offsets } = value;
  const width = typeof dtype === 'string' ? DTYPE_BYTES.get(dtype) : undefined;
  if (typeof dtype !== 'string' || width === undefined) {
    throw new SafetensorsError(
      `tensor ${name} has an unknown dtype ${typeof dtype === 'string' ? dtype : typeof dtype}`,
    );
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) {
    throw new SafetensorsError(`tensor ${name} has a shape that is not a list of sizes`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw new SafetensorsError(`tensor ${name} has data_offsets that are not two offsets`);
  }
  const [begin, end] = offsets as [number, number];
  const bytes = shape.reduce((product, size) => product * size, width);
  if (!Number.isSafeInteger(bytes) || end - begin !== bytes) {
    throw new SafetensorsError(
      `tensor ${name} of ${dtype} [${shape.join(', ')}] does not fill bytes ${begin} to ${end}`,
    );
  }
  return { name, dtype, shape, begin, end };
}

/**
 * Reads a header. Afterwards every tensor is known to lie inside the file, without overlap and without a gap.
 *
 * @param header the JSON bytes, `headerLength` of them
 * @param fileBytes size of the whole file
 * @throws SafetensorsError for anything that is not a valid header
 */
export function parseHeader(header: Uint8Array, fileBytes: number): SafetensorsHeader {
  if (header[0] !== 0x7b) throw new SafetensorsError('the header does not begin with {');
  let parsed: unknown;
  try {
    parsed = parseBoundedJson(header);
  } catch (cause) {
    throw new SafetensorsError('the header is not JSON in UTF-8', { cause });
  }
  if (!isRecord(parsed)) throw new SafetensorsError('the header is not an object');

  let metadata = new Map<string, string>();
  const entries: TensorEntry[] = [];
  for (const [name, value] of Object.entries(parsed)) {
    if (name === '__metadata__') metadata = parseMetadata(value);
    else entries.push(parseEntry(name, value));
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);

  let position = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== position) {
      const fault = begin < position ? 'overlaps the tensor before it' : `leaves a gap from byte ${position}`;
      throw new SafetensorsError(`tensor ${name} at byte ${begin} ${fault}`);
    }
    position = end;
  }
  const dataOffset = 8 + header.length;
  if (dataOffset + position !== fileBytes) {
    throw new SafetensorsError(`the tensors take ${position} bytes, the file has ${fileBytes - dataOffset}`);
  }
  return { tensors: new Map(entries.map((entry) => [entry.name, entry])), metadata, dataOffset };
}

/** An exact copy of `bytes` at offset 0, which a typed array of wider elements needs. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer;
}

/** fp32 of an fp16 bit pattern; exact. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/**
 * A tensor's bytes as fp32: F32 copied, F16 and BF16 widened, which is exact.
 *
 * @param bytes the tensor's bytes, `entry.end - entry.begin` of them
 * @throws SafetensorsError for another dtype
 */
export function tensorToFloat32(entry: TensorEntry, bytes: Uint8Array): Float32Array<ArrayBuffer> {
  if (bytes.length !== entry.end - entry.begin) throw new RangeError(`${bytes.length} bytes for tensor ${entry.name}`);
  const buffer = aligned(bytes);
  switch (entry.dtype) {
    case 'F32':
      return new Float32Array(buffer);
    case 'F16':
      return Float32Array.from(new Uint16Array(buffer), fromHalf);
    case 'BF16': {
      const widened = Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16);
      return new Float32Array(widened.buffer);
    }
    default:
      throw new SafetensorsError(`tensor ${entry.name} is ${entry.dtype}; only F32, F16 and BF16 can be read`);
  }
}

/**
 * Reads a whole file.
 *
 * @returns the tensors by name as fp32, and the metadata
 * @throws SafetensorsError for a malformed file or a dtype other than F32, F16 and BF16
 */
export function decodeSafetensors(file: Uint8Array): {
  tensors: Map<string, NamedTensor>;
  metadata: ReadonlyMap<string, string>;
} {
  const length = headerLength(file, file.length);
  const header = parseHeader(file.subarray(8, 8 + length), file.length);
  const tensors = new Map<string, NamedTensor>();
  for (const entry of header.tensors.values()) {
    const bytes = file.subarray(header.dataOffset + entry.begin, header.dataOffset + entry.end);
    tensors.set(entry.name, { name: entry.name, shape: entry.shape, values: tensorToFloat32(entry, bytes) });
  }
  return { tensors, metadata: header.metadata };
}

/**
 * The part of an F32 file that comes before the tensors' bytes, which follow in the order given. Space-padded so that
 * they start at a multiple of 8.
 *
 * @throws SafetensorsError for a repeated or reserved name
 */
export function encodeHeader(
  tensors: readonly Pick<NamedTensor, 'name' | 'shape'>[],
  metadata: Readonly<Record<string, string>> = { format: 'pt' },
): Uint8Array<ArrayBuffer> {
  const header = new Map<string, unknown>([['__metadata__', metadata]]);
  let begin = 0;
  for (const { name, shape } of tensors) {
    if (header.has(name)) throw new SafetensorsError(`the tensor name ${name} is taken`);
    const end = begin + shape.reduce((product, size) => product * size, 4);
    header.set(name, { dtype: 'F32', shape, data_offsets: [begin, end] });
    begin = end;
  }
  // Not JSON.stringify of an object: integer-like names would change their place, and __proto__ would be lost.
  const members = [...header].map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const json = new TextEncoder().encode(`{${members.join(',')}}`);
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, 8);
  return bytes;
}

/**
 * A whole F32 file.
 *
 * @param metadata `format: pt` by default, without which `transformers` refuses a file
 * @throws SafetensorsError for a repeated or reserved name or a shape that is not that of the values
 */
export function encodeSafetensors(
  tensors: readonly NamedTensor[],
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  for (const { name, shape, values } of tensors) {
    if (shape.reduce((product, size) => product * size, 1) !== values.length) {
      throw new SafetensorsError(`tensor ${name} has ${values.length} values for shape [${shape.join(', ')}]`);
    }
  }
  const header = encodeHeader(tensors, metadata);
  const size = tensors.reduce((sum, { values }) => sum + values.byteLength, header.length);
  const file = new Uint8Array(size);
  file.set(header);
  let offset = header.length;
  for (const { values } of tensors) {
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset);
    offset += values.byteLength;
  }
  return file;
}
