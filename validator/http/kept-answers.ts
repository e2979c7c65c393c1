/**
 * Answers that are the same for everybody: made once for all who ask, packed for those who can unpack them, and with a name
 * by which whoever has one already is told so. Made of what windows publish, so they are as new as the newest window.
 */
import type { TypedResponse } from 'hono';

/** Whatever changes between two windows (peers that join) shows after a moment: at most this share of the time goes into it. */
const SHARE = 0.05;
const LONGEST_MS = 5_000;
/** Answers kept at once, the longest unasked forgotten first: some megabytes each at most. */
const MAX_KEPT = 16;

export type Answer<T> = Response & TypedResponse<T, 200, 'json'>;

export interface KeptAnswers {
  /** @param key of the answer among all of them. @throws whatever `make` throws */
  respond<T>(request: Request, key: string, make: () => Promise<T>): Promise<Answer<T>>;
}

interface Copy {
  readonly json: Uint8Array<ArrayBuffer>;
  readonly gzip: Uint8Array<ArrayBuffer>;
  /** Without quotes. */
  readonly name: string;
}

async function copyOf(value: unknown): Promise<Copy> {
  const json = new TextEncoder().encode(JSON.stringify(value));
  const packed = new Blob([json]).stream().pipeThrough(new CompressionStream('gzip'));
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', json));
  const name = Array.from(hash.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return { json, gzip: new Uint8Array(await new Response(packed).arrayBuffer()), name };
}

/** Whether a client would take it packed: named, and not with a weight of zero. */
function takesGzip(acceptEncoding: string | null): boolean {
  return (acceptEncoding ?? '').split(',').some((offer) => {
    const [coding, ...parameters] = offer.split(';').map((part) => part.trim().toLowerCase());
    return coding === 'gzip' && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}

/**
 * @param openWindow number of the open window: nothing is older than that
 * @param now milliseconds of any clock that does not go back
 */
export function createKeptAnswers(openWindow: () => number, now: () => number = () => performance.now()): KeptAnswers {
  const kept = new Map<string, { readonly window: number; until: number; readonly copy: Promise<Copy> }>();

  function newest(key: string, make: () => Promise<unknown>): Promise<Copy> {
    const window = openWindow();
    const known = kept.get(key);
    kept.delete(key);
    if (known?.window === window && now() < known.until) {
      kept.set(key, known);
      return known.copy;
    }
    const begun = now();
    // Whoever comes meanwhile waits for the same one.
    const making = { window, until: Infinity, copy: make().then(copyOf) };
    kept.set(key, making);
    if (kept.size > MAX_KEPT) kept.delete(kept.keys().next().value!);
    making.copy.then(
      () => {
        making.until = begun + Math.min(LONGEST_MS, (now() - begun) / SHARE);
      },
      () => {
        if (kept.get(key) === making) kept.delete(key);
      },
    );
    return making.copy;
  }

  return {
    async respond<T>(request: Request, key: string, make: () => Promise<T>) {
      const { json, gzip, name } = await newest(key, make);
      const packed = takesGzip(request.headers.get('accept-encoding'));
      const etag = packed ? `"${name}-gzip"` : `"${name}"`;
      const headers = {
        'content-type': 'application/json',
        // It may be kept, and is asked for each time whether it is still the newest.
        'cache-control': 'no-cache',
        vary: 'accept-encoding',
        etag,
      };
      const known = request.headers.get('if-none-match')?.split(',') ?? [];
      if (known.some((tag) => ['*', etag, `W/${etag}`].includes(tag.trim()))) {
        return new Response(null, { status: 304, headers }) as Answer<T>;
      }
      const response = packed
        ? new Response(gzip, { headers: { ...headers, 'content-encoding': 'gzip' } })
        : new Response(json, { headers });
      return response as Answer<T>;
    },
  };
}
