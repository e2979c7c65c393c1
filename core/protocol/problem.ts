/** Errors that cross a process boundary: RFC 9457 problem details with a stable type and a sentence that says what to do. */
import * as z from 'zod';

/** Every problem type of the API: its HTTP status and title. The `type` member is `/problems/<key>`. */
export const PROBLEMS = {
  'malformed-request': { status: 400, title: 'The request could not be understood' },
  'malformed-contribution': { status: 422, title: 'The contribution is malformed' },
  'truncated-upload': { status: 400, title: 'The upload ended before its declared length' },
  'wrong-hash': { status: 422, title: 'The bytes are not those the ticket was issued for' },
  'not-finite': { status: 422, title: 'The contribution holds a value that is not finite' },
  'index-out-of-range': { status: 422, title: 'The contribution holds an index out of range' },
  'unsupported-protocol': { status: 409, title: 'The run is of a protocol that the client does not speak' },
  'wrong-run': { status: 409, title: 'This belongs to another run' },
  'wrong-window': { status: 409, title: 'This belongs to another window' },
  'wrong-model': { status: 409, title: 'The contribution was trained from other parameters' },
  'wrong-signature': { status: 401, title: 'The signature does not verify' },
  'delegation-expired': { status: 401, title: 'The delegation has expired' },
  'delegation-not-yet-valid': { status: 401, title: 'The delegation is issued in the future' },
  'delegation-too-long': { status: 401, title: 'The delegation lasts longer than is allowed' },
  'delegation-replaced': { status: 401, title: 'A newer delegation of this hotkey is in force' },
  'delegation-revoked': { status: 401, title: 'The delegation was revoked' },
  'wrong-address': { status: 422, title: 'An address is not an SS58 address of prefix 42' },
  'not-registered': { status: 403, title: 'The hotkey is not registered on the subnet' },
  'not-the-owner': { status: 403, title: 'The signer neither is the hotkey nor owns it on the chain' },
  'chain-unavailable': { status: 503, title: 'The chain cannot be asked at the moment' },
  'no-chain': { status: 404, title: 'This run has no chain' },
  'guests-not-allowed': { status: 403, title: 'This run takes no guests' },
  'unknown-hotkey': { status: 404, title: 'No such hotkey in this run' },
  'unknown-window': { status: 404, title: 'No such window' },
  'unknown-ticket': { status: 404, title: 'No such ticket' },
  'not-arrived': { status: 409, title: 'Nothing arrived in the store under this ticket' },
  'unknown-blob': { status: 404, title: 'No such blob' },
  'unknown-route': { status: 404, title: 'No such route' },
  'method-not-allowed': { status: 405, title: 'This route does not take that method' },
  'too-early': { status: 425, title: 'The put phase has not opened' },
  'too-late': { status: 410, title: 'The put phase has closed' },
  'already-delivered': {
    status: 409,
    title: 'Another contribution of this hotkey was already accepted for this window',
  },
  'length-required': { status: 411, title: 'A Content-Length is required' },
  'too-large': { status: 413, title: 'The body is larger than allowed' },
  'range-not-satisfiable': { status: 416, title: 'The requested range lies outside the blob' },
  'operators-only': { status: 401, title: 'This is for the operator of the validator' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  'not-ready': { status: 503, title: 'The validator is starting' },
  internal: { status: 500, title: 'The validator failed' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemKey = keyof typeof PROBLEMS;

export const ProblemSchema = z
  .object({ type: z.string(), title: z.string(), status: z.int(), detail: z.string(), instance: z.string().optional() })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof ProblemSchema>;

/** A refusal with a stable type; `message` is the detail and says what to do. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly key: ProblemKey;

  constructor(key: ProblemKey, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.key = key;
  }

  get status(): number {
    return PROBLEMS[this.key].status;
  }

  toProblem(instance?: string): Problem {
    const { status, title } = PROBLEMS[this.key];
    return {
      type: `/problems/${this.key}`,
      title,
      status,
      detail: this.message,
      ...(instance === undefined ? {} : { instance }),
    };
  }
}

/** The key of a problem document's type, or undefined when it is not one of ours. */
export function problemKey(type: string): ProblemKey | undefined {
  const key = type.replace(/^.*\/problems\//, '');
  return Object.hasOwn(PROBLEMS, key) ? (key as ProblemKey) : undefined;
}
