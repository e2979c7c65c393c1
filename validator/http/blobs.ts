/** Content-addressed blobs: immutable, cacheable for ever, in whole or by one byte range. */
import { PROBLEMS, ProblemError } from '../../core/protocol/problem.ts';

export interface BlobReader {
  size(sha256: string): Promise<number | undefined>;
  /** Bytes [start, end). */
  stream(sha256: string, start: number, end: number): Promise<ReadableStream<Uint8Array> | undefined>;
}

const SHA256 = /^[0-9a-f]{64}$/;
const RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/;

/** A range that cannot be had: the answer names the size. */
class RangeNotSatisfiableError extends ProblemError {
  readonly size: number;

  constructor(size: number) {
    super('range-not-satisfiable', `The blob has ${size} bytes.`);
    this.size = size;
  }
}

/**
 * Bytes [start, end) of a Range header, undefined for the whole: without the header, and for forms that RFC 9110 lets a
 * server ignore (other units, several ranges).
 */
function parseRange(header: string | undefined, size: number): { start: number; end: number } | undefined {
  const match = header === undefined ? null : RANGE.exec(header.trim());
  if (!match) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const length = Math.min(Number(last), size);
    if (length === 0) throw new RangeNotSatisfiableError(size);
    return { start: size - length, end: size };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= size) throw new RangeNotSatisfiableError(size);
  return { start, end: last === '' ? size : Math.min(Number(last) + 1, size) };
}

/** @throws ProblemError `unknown-blob`, `range-not-satisfiable` */
export async function blobResponse(blobs: BlobReader, sha256: string, request: Request): Promise<Response> {
  const size = SHA256.test(sha256) ? await blobs.size(sha256) : undefined;
  if (size === undefined) {
    throw new ProblemError(
      'unknown-blob',
      'There is no public blob of this name; a name is the SHA-256 in lower-case hex.',
    );
  }
  const etag = `"${sha256}"`;
  const headers = new Headers({
    'content-type': 'application/octet-stream',
    'cache-control': 'public, max-age=31536000, immutable, no-transform',
    'accept-ranges': 'bytes',
    etag,
  });
  const known = request.headers.get('if-none-match');
  if (known !== null && known.split(',').some((tag) => ['*', etag, `W/${etag}`].includes(tag.trim()))) {
    return new Response(null, { status: 304, headers });
  }
  const ifRange = request.headers.get('if-range');
  const wanted = ifRange === null || ifRange.trim() === etag ? (request.headers.get('range') ?? undefined) : undefined;
  const range = request.method === 'HEAD' ? undefined : parseRange(wanted, size);
  const { start, end } = range ?? { start: 0, end: size };
  headers.set('content-length', String(end - start));
  if (range) headers.set('content-range', `bytes ${start}-${end - 1}/${size}`);
  if (request.method === 'HEAD') return new Response(null, { headers });
  const stream = await blobs.stream(sha256, start, end);
  if (!stream) throw new ProblemError('unknown-blob', 'The blob was removed.');
  return new Response(stream, { status: range ? 206 : 200, headers });
}

/** The Content-Range that RFC 9110 asks of a 416. */
export function unsatisfiedRange(error: unknown): string | undefined {
  return error instanceof RangeNotSatisfiableError ? `bytes */${error.size}` : undefined;
}

/** Documentation of the route, which is not one of the JSON ones. */
export const blobPath = {
  get: {
    summary: 'A blob by its SHA-256: checkpoint chunk, page, outer step, published contribution',
    parameters: [
      {
        name: 'sha256',
        in: 'path' as const,
        required: true,
        schema: { type: 'string' as const, pattern: SHA256.source },
      },
      {
        name: 'Range',
        in: 'header' as const,
        required: false,
        schema: { type: 'string' as const, pattern: RANGE.source },
      },
    ],
    responses: {
      200: { description: 'The whole blob', content: { 'application/octet-stream': {} } },
      206: { description: 'The range asked for', content: { 'application/octet-stream': {} } },
      304: { description: 'The client has it' },
      404: { description: `${PROBLEMS['unknown-blob'].title} (\`/problems/unknown-blob\`)` },
      416: { description: `${PROBLEMS['range-not-satisfiable'].title} (\`/problems/range-not-satisfiable\`)` },
    },
  },
};
