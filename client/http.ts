/** Bounded, deadline-bearing HTTP: bodies are counted as they arrive and problem documents become ProblemErrors. */
import { ProblemError, ProblemSchema, problemKey } from '../core/protocol/problem.ts';
import { assertSpoken, PROTOCOL_HEADER, ProtocolError } from '../core/protocol/versions.ts';

/** The validator could not be reached or answered something that is not the protocol. Worth trying again. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

/** The validator said something that this program's version has no word for: asking again brings the same. */
export class NotUnderstoodError extends Error {
  override readonly name = 'NotUnderstoodError';
  readonly remedy = 'Use the version of this program that the validator is of: a page, reloaded, is it.';
}

const MAX_PROBLEM_BYTES = 65_536;

export interface BoundedRequest {
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** An answer longer than this is refused. */
  readonly maxBytes: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/**
 * Sends a request and reads the whole answer. Who is told to come again later does, as long as there is time for it.
 *
 * @throws ProblemError when the validator refused; ProtocolError or NotUnderstoodError when it is of another version;
 *   UnreachableError when it could not be reached, was too slow or answered more than `maxBytes`; the signal's reason when
 *   aborted
 */
export async function boundedFetch(
  fetchImpl: typeof fetch,
  url: string,
  request: BoundedRequest,
): Promise<Uint8Array<ArrayBuffer>> {
  return (await boundedAnswer(fetchImpl, url, request)).bytes;
}

export interface BoundedAnswer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** It is a validator's, and of a protocol that is spoken here: not some proxy's. */
  readonly ours: boolean;
}

/** As `boundedFetch`, and says whose answer it is. */
export async function boundedAnswer(
  fetchImpl: typeof fetch,
  url: string,
  request: BoundedRequest,
): Promise<BoundedAnswer> {
  const until = performance.now() + request.timeoutMs;
  const timeout = AbortSignal.timeout(Math.ceil(request.timeoutMs));
  const signal = request.signal ? AbortSignal.any([request.signal, timeout]) : timeout;
  try {
    for (;;) {
      const response = await fetchImpl(url, {
        method: request.method ?? 'GET',
        ...(request.headers ? { headers: request.headers } : {}),
        ...(request.body === undefined ? {} : { body: request.body }),
        signal,
      });
      const ours = isOurs(response);
      if (response.ok) return { bytes: await readBounded(response, request.maxBytes, request.onProgress), ours };
      const refused = await refusal(response, ours);
      const waitMs = retryAfterMs(response);
      if (waitMs === undefined || performance.now() + waitMs >= until) throw refused;
      await pause(waitMs, signal);
    }
  } catch (error) {
    if (EXPECTED.some((kind) => error instanceof kind)) throw error;
    if (request.signal?.aborted) throw request.signal.reason;
    throw new UnreachableError(`${new URL(url).host} cannot be reached: ${messageOf(error)}`, { cause: error });
  }
}

const EXPECTED = [ProblemError, UnreachableError, ProtocolError, NotUnderstoodError];

/** @throws ProtocolError for a run that this program does not speak the protocol of */
function isOurs({ headers }: Response): boolean {
  const said = headers.get(PROTOCOL_HEADER);
  // A proxy's answer, a store's, or of before protocols were named.
  if (said === null || !/^\d{1,4}$/.test(said)) return false;
  assertSpoken(Number(said));
  return true;
}

/** Refusals that another attempt may get past, whatever they are called. */
const isPassing = (status: number): boolean => status >= 500 || [408, 425, 429].includes(status);

/** How long whoever asked too often is to wait, in whole seconds; undefined where nothing of the kind is said. */
function retryAfterMs(response: Response): number | undefined {
  const said = response.headers.get('retry-after') ?? '';
  return response.status === 429 && /^\d{1,5}$/.test(said) ? 1_000 * Math.max(1, Number(said)) : undefined;
}

/** @throws the signal's reason */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

async function refusal(response: Response, ours: boolean): Promise<Error> {
  const text = new TextDecoder().decode(await readBounded(response, MAX_PROBLEM_BYTES));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return new UnreachableError(`the validator answered ${response.status}`);
  }
  const problem = ProblemSchema.safeParse(json);
  const key = problem.success ? problemKey(problem.data.type) : undefined;
  if (problem.success && key !== undefined) return new ProblemError(key, problem.data.detail);
  if (problem.success && ours && !isPassing(response.status)) return new NotUnderstoodError(problem.data.detail);
  return new UnreachableError(`the validator answered ${response.status}`);
}

async function readBounded(
  response: Response,
  maxBytes: number,
  onProgress?: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let total = 0;
  const reader = response.body?.getReader();
  if (!reader) return new Uint8Array(0);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    total += value.length;
    if (total > maxBytes) {
      await reader.cancel();
      throw new UnreachableError(`the validator answered more than the ${maxBytes} bytes expected`);
    }
    parts.push(value);
    onProgress?.(total);
  }
  const bytes = new Uint8Array(total);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
