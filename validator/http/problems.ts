/** Whatever goes wrong leaves as an RFC 9457 problem document. */
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type * as z from 'zod';
import { PROBLEMS, ProblemError, type Problem, type ProblemKey } from '../../core/protocol/problem.ts';

const CONTENT_TYPE = 'application/problem+json';
const MAX_SAID = 200;

/** A refusal in the documentation: what it means, and its type. */
export function problemText(key: ProblemKey): string {
  return `${PROBLEMS[key].title} (\`/problems/${key}\`)`;
}

export function problemResponse(error: ProblemError, instance: string): Response {
  const problem: Problem = error.toProblem(instance);
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { 'content-type': CONTENT_TYPE, 'cache-control': 'no-store' },
  });
}

/** What a stranger sent is not said back at length. */
export function shortened(text: string): string {
  return text.length <= MAX_SAID ? text : `${text.slice(0, MAX_SAID)}…`;
}

/** Says which fields of a request do not fit, the first few of them. */
export function malformed(issues: readonly z.core.$ZodIssue[], where: string): ProblemError {
  const said = issues.slice(0, 3).map((issue) => {
    const field = issue.path.map(String).join('.');
    return shortened(field === '' ? issue.message : `${field}: ${issue.message}`);
  });
  return new ProblemError(
    'malformed-request',
    `The ${where} does not fit its schema in /openapi.json: ${said.join('; ')}.`,
  );
}

/** The problem that an error is to the outside; what is inside stays in the log. */
export function asProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof HTTPException && (error.status === 400 || error.status === 415)) {
    return new ProblemError('malformed-request', 'The body is not JSON: send application/json as /openapi.json says.', {
      cause: error,
    });
  }
  if (error instanceof HTTPException && error.status === 413) {
    return new ProblemError('too-large', 'The body is larger than this route takes.', { cause: error });
  }
  return new ProblemError('internal', 'The validator failed; it was logged. Try again.', { cause: error });
}

export function pathOf(c: Context): string {
  return new URL(c.req.url).pathname;
}
