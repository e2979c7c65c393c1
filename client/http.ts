/** Bounded, deadline-bearing HTTP: bodies are counted as they arrive and problem documents become ProblemErrors. */
import { ProblemError, ProblemSchema, problemKey } from '../core/protocol/problem.ts';

/** The validator could not be reached or answered something that is not the protocol. Worth trying again. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
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
 * Sends a request and reads the whole answer.
 *
 * @throws ProblemError when the validator refused; UnreachableError when it could not be reached, was too slow or
 *   answered more than `maxBytes`; the signal's reason when aborted
 */
export async function boundedFetch(
  fetchImpl: typeof fetch,
  url: string,
  request: BoundedRequest,
): Promise<Uint8Array<ArrayBuffer>> {
  const timeout = AbortSignal.timeout(Math.ceil(request.timeoutMs));
  const signal = request.signal ? AbortSignal.any([request.signal, timeout]) : timeout;
  try {
    const response = await fetchImpl(url, {
      method: request.method ?? 'GET',
      ...(request.headers ? { headers: request.headers } : {}),
      ...(request.body === undefined ? {} : { body: request.body }),
      signal,
    });
    if (!response.ok) throw await refusal(response);
    return await readBounded(response, request.maxBytes, request.onProgress);
  } catch (error) {
    if (error instanceof ProblemError || error instanceof UnreachableError) throw error;
    if (request.signal?.aborted) throw request.signal.reason;
    throw new UnreachableError(`${new URL(url).host} cannot be reached: ${messageOf(error)}`, { cause: error });
  }
}

async function refusal(response: Response): Promise<ProblemError | UnreachableError> {
  const text = new TextDecoder().decode(await readBounded(response, MAX_PROBLEM_BYTES));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return new UnreachableError(`the validator answered ${response.status}`);
  }
  const problem = ProblemSchema.safeParse(json);
  const key = problem.success ? problemKey(problem.data.type) : undefined;
  if (!problem.success || key === undefined) return new UnreachableError(`the validator answered ${response.status}`);
  return new ProblemError(key, problem.data.detail);
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
