/** Bytes over HTTP in whole or by one range, with a strong name to check a copy by (RFC 9110). */
import { ProblemError } from '../../core/protocol/problem.ts';

/** A Range header of the one form that is honoured. */
export const RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/;

/** A range that cannot be had: the answer names the size. */
class RangeNotSatisfiableError extends ProblemError {
  readonly size: number;

  constructor(size: number) {
    super('range-not-satisfiable', `It has ${size} bytes.`);
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

export interface NamedBytes {
  readonly size: number;
  /** Without its quotes: the same name is the same bytes. */
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes [start, end); undefined when they are gone. */
  readonly stream: (start: number, end: number) => Promise<ReadableStream<Uint8Array> | undefined>;
}

/**
 * @returns undefined when the bytes went away meanwhile
 * @throws ProblemError `range-not-satisfiable`
 */
export async function rangedResponse(
  { size, name, headers: given, stream }: NamedBytes,
  request: Request,
): Promise<Response | undefined> {
  const etag = `"${name}"`;
  const headers = new Headers({ ...given, 'accept-ranges': 'bytes', etag });
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
  const body = await stream(start, end);
  return body && new Response(body, { status: range ? 206 : 200, headers });
}

/** The Content-Range that RFC 9110 asks of a 416. */
export function unsatisfiedRange(error: unknown): string | undefined {
  return error instanceof RangeNotSatisfiableError ? `bytes */${error.size}` : undefined;
}
