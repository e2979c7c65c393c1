/** What to do about an error, and how to say it: the one place where a contributor's failures are sorted. */
import { ProblemError } from '../core/protocol/problem.ts';
import { messageOf, UnreachableError } from './http.ts';
import { ManifestError } from '../core/identity/manifest.ts';
import { SignatureNeededError } from './identity.ts';
import { RootMismatchError } from './replica.ts';

/** The engine failed: a lost device, a failed kernel. Cured by building it anew. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
}

/** Another session key than that which signed the contribution: this window’s is lost, the next one’s is signed anew. */
export class KeyChangedError extends Error {
  override readonly name = 'KeyChangedError';

  constructor() {
    super('the account has signed for a new key, so what the old one had signed is of no use');
  }
}

/** No window is long enough for a single page on this device. */
export class TooSlowError extends Error {
  override readonly name = 'TooSlowError';
  readonly remedy: string;

  /** @param neededMs a page and its delivery take here @param windowMs a window lasts */
  constructor(neededMs: number, windowMs: number, throttled: boolean) {
    const seconds = (ms: number): number => Math.round(ms / 1_000);
    super(
      `A page and its delivery take about ${seconds(neededMs)} s here and a window lasts ${seconds(windowMs)} s, so nothing can be delivered.`,
    );
    this.remedy = throttled
      ? 'Let the device work more of the time, or choose a run with a smaller model or longer windows.'
      : 'Choose a run with a smaller model or longer windows, or a faster device.';
  }
}

export type Failure =
  /** Try again later. */
  | { readonly kind: 'retry'; readonly reason: string }
  /** The put phase is not open by the server's clock. */
  | { readonly kind: 'early'; readonly reason: string }
  /** This window is lost; the next is not. */
  | { readonly kind: 'window-lost'; readonly reason: string }
  /** What was signed is no longer in force: join with a new signature. */
  | { readonly kind: 'unsigned'; readonly reason: string }
  /** The validator does not know us (any more): join again. */
  | { readonly kind: 'rejoin'; readonly reason: string }
  | { readonly kind: 'engine'; readonly reason: string }
  | { readonly kind: 'fatal'; readonly reason: string; readonly remedy: string; readonly code: string };

/** What kind of failure it is, for who shows it: a problem's key, else the error's name. */
export function codeOf(error: unknown): string {
  if (error instanceof ProblemError) return error.key;
  return error instanceof Error ? error.name : 'Error';
}

const UPDATE = 'Reload the page to get the app that belongs to this validator.';

/** What a person can do about an error, where it says so: then nobody else can. */
export function remedyOf(error: unknown): string | undefined {
  return error instanceof Error && 'remedy' in error && typeof error.remedy === 'string' ? error.remedy : undefined;
}

export function failureOf(error: unknown): Failure {
  const reason = messageOf(error);
  const code = codeOf(error);
  if (error instanceof UnreachableError || error instanceof RootMismatchError) return { kind: 'retry', reason };
  if (error instanceof KeyChangedError) return { kind: 'window-lost', reason };
  if (error instanceof SignatureNeededError) return { kind: 'unsigned', reason };
  const remedy = remedyOf(error);
  if (remedy !== undefined) return { kind: 'fatal', reason, remedy, code };
  if (error instanceof EngineError) return { kind: 'engine', reason };
  if (error instanceof ManifestError) {
    return { kind: 'fatal', reason, remedy: 'Do not contribute to this validator, and tell its operator.', code };
  }
  if (error instanceof ProblemError) return failureOfProblem(error, reason);
  return { kind: 'fatal', reason, remedy: `${UPDATE} If it happens again, report what it says.`, code };
}

function failureOfProblem(error: ProblemError, reason: string): Failure {
  const code = codeOf(error);
  switch (error.key) {
    case 'too-early':
      return { kind: 'early', reason };
    case 'too-late':
    case 'wrong-window':
    case 'wrong-model':
    case 'already-delivered':
    case 'unknown-window':
    case 'not-finite':
      return { kind: 'window-lost', reason };
    case 'delegation-expired':
    case 'delegation-replaced':
    case 'delegation-revoked':
      return { kind: 'unsigned', reason };
    case 'unknown-hotkey':
    case 'wrong-run':
      return { kind: 'rejoin', reason };
    case 'truncated-upload':
    case 'wrong-hash':
    case 'unknown-ticket':
    case 'not-arrived':
    case 'unknown-blob':
    case 'too-many-requests':
    case 'not-ready':
    case 'internal':
      return { kind: 'retry', reason };
    case 'chain-unavailable':
      return { kind: 'retry', reason };
    case 'not-registered':
    case 'not-the-owner':
      return {
        kind: 'fatal',
        reason,
        remedy: 'Register the hotkey on the run’s subnet, or choose another account.',
        code,
      };
    case 'delegation-not-yet-valid':
    case 'delegation-too-long':
      return { kind: 'fatal', reason, remedy: 'Connect the wallet again and sign a new delegation.', code };
    case 'unsupported-protocol':
    case 'wrong-address':
    case 'no-chain':
      return { kind: 'fatal', reason, remedy: UPDATE, code };
    case 'guests-not-allowed':
      return { kind: 'fatal', reason, remedy: 'Connect a wallet whose hotkey is registered in this run.', code };
    case 'malformed-request':
    case 'malformed-contribution':
    case 'index-out-of-range':
    case 'wrong-signature':
    case 'unknown-route':
    case 'method-not-allowed':
    case 'length-required':
    case 'too-large':
    case 'range-not-satisfiable':
    case 'operators-only':
      return { kind: 'fatal', reason, remedy: UPDATE, code };
    default:
      return error.key satisfies never;
  }
}
