/** Content-addressed blobs: immutable, cacheable for ever, in whole or by one byte range. */
import { ProblemError } from '../../core/protocol/problem.ts';
import { problemText } from './problems.ts';
import { RANGE, rangedResponse } from './ranged.ts';

export interface BlobReader {
  size(sha256: string): Promise<number | undefined>;
  /** Bytes [start, end). */
  stream(sha256: string, start: number, end: number): Promise<ReadableStream<Uint8Array> | undefined>;
  /** Where else anybody may fetch it for a while. */
  locate?(sha256: string): Promise<string>;
}

/** Below what an address of the store is good for. */
const LOCATION_SECONDS = 300;

const SHA256 = /^[0-9a-f]{64}$/;
/** @throws ProblemError `unknown-blob`, `range-not-satisfiable` */
export async function blobResponse(blobs: BlobReader, sha256: string, request: Request): Promise<Response> {
  const size = SHA256.test(sha256) ? await blobs.size(sha256) : undefined;
  if (size === undefined) {
    throw new ProblemError(
      'unknown-blob',
      'There is no public blob of this name; a name is the SHA-256 in lower-case hex.',
    );
  }
  if (blobs.locate) {
    const headers = { location: await blobs.locate(sha256), 'cache-control': `public, max-age=${LOCATION_SECONDS}` };
    return new Response(null, { status: 307, headers });
  }
  const response = await rangedResponse(
    {
      size,
      name: sha256,
      headers: {
        'content-type': 'application/octet-stream',
        'cache-control': 'public, max-age=31536000, immutable, no-transform',
      },
      stream: (start, end) => blobs.stream(sha256, start, end),
    },
    request,
  );
  if (!response) throw new ProblemError('unknown-blob', 'The blob was removed.');
  return response;
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
      307: { description: 'It is in the store, at this address' },
      304: { description: 'The client has it' },
      404: { description: problemText('unknown-blob') },
      416: { description: problemText('range-not-satisfiable') },
    },
  },
};
