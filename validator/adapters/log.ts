/** The validator's log: a JSON line an event, by pino, without a secret. */
import pino, { type Logger } from 'pino';
import type { Log } from '../rounds/ports.ts';

/** Causes of causes are told so far. */
const MAX_CAUSES = 4;

/** What may be in a text and lets its reader in somewhere: passwords and signatures in addresses, tokens, tickets. */
const SECRETS: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/(:\/\/)[^\s"'\\/@]+@/g, '$1…@'],
  [/\b((?:X-Amz-)?(?:Signature|Credential|Security-Token)=)[^&,\s"'\\]+/gi, '$1…'],
  [/\b(Bearer |Basic )[\w.~+/=-]+/gi, '$1…'],
  // What names an upload here and at the store lets its bearer deliver.
  [/(\/(?:v1\/uploads|incoming)\/)[^/?\s"'\\]{8,}/g, '$1…'],
];

/** A line without what is secret in it, whoever put it there. */
export function withoutSecrets(line: string): string {
  return SECRETS.reduce((text, [pattern, replacement]) => text.replaceAll(pattern, replacement), line);
}

/** What an error says, and not what it carries: libraries hang connections and whole configurations on theirs. */
function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return String(error);
  const { name, message, stack, cause } = error;
  const { code } = error as NodeJS.ErrnoException;
  const errors: unknown = error instanceof AggregateError ? error.errors : [];
  const deeper = depth < MAX_CAUSES;
  return {
    type: name,
    message,
    ...(code === undefined ? {} : { code }),
    stack,
    ...(cause === undefined || !deeper ? {} : { cause: describeError(cause, depth + 1) }),
    ...(Array.isArray(errors) && errors.length > 0 && deeper
      ? { errors: errors.slice(0, MAX_CAUSES).map((each) => describeError(each, depth + 1)) }
      : {}),
  };
}

/** @param destination a file, or standard error when not given: standard output is for the operator's one line a window */
export function createLog(level: pino.LevelWithSilent, destination?: string): Logger {
  return pino(
    {
      level,
      base: null,
      serializers: { err: (error: unknown) => describeError(error) },
      hooks: { streamWrite: withoutSecrets },
    },
    pino.destination(destination ? { dest: destination, mkdir: true } : 2),
  );
}

/** A log of one run, which may have to be read before anybody knows which it is. */
export interface RunLog extends Log {
  /** From now on each line names the run. */
  ofRun(run: string): void;
}

export function runLog(log: Log): RunLog {
  let known: { readonly run?: string } = {};
  return {
    info: (fields, message) => log.info({ ...known, ...fields }, message),
    warn: (fields, message) => log.warn({ ...known, ...fields }, message),
    error: (fields, message) => log.error({ ...known, ...fields }, message),
    ofRun(run) {
      known = { run };
    },
  };
}
