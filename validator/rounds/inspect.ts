/**
 * Everything that can be said of a contribution's bytes without a model in hand: said when it is uploaded, and again
 * by the judge of what lies on the disk.
 */
import { syncPositions } from '../../core/gauntlet/sync.ts';
import type { ContributionHeader } from '../../core/protocol/contribution.ts';
import { ProblemError } from '../../core/protocol/problem.ts';
import type { SparseDelta } from '../../core/scheme/scheme.ts';
import { decodeContribution } from '../../core/wire/contribution.ts';
import type { RunContext } from './context.ts';
import type { SignedBytes } from './ports.ts';

interface Decoded {
  readonly header: ContributionHeader;
  readonly delta: SparseDelta;
}

/** Whose upload it is, and of what. */
export interface ExpectedContribution {
  readonly window: number;
  readonly hotkey: string;
}

/**
 * Decodes a contribution: lengths, signature, header, body.
 *
 * @throws ProblemError for the first thing that is wrong with it
 */
export function decodeUpload({ scheme }: Pick<RunContext, 'scheme'>, { bytes, sessionKey }: SignedBytes): Decoded {
  const { header, body } = decodeContribution(bytes, { bodyBytes: scheme.bodyBytes, sessionKey });
  return { header, delta: scheme.decodeBody(body) };
}

/**
 * Whether a decoded contribution belongs to the run, window, hotkey and parameters it was uploaded for. What is refused
 * here never costs the judge anything.
 *
 * @param stateRoot of the window's parameters
 * @throws ProblemError `wrong-run`, `wrong-window`, `wrong-signature`, `malformed-contribution`, `wrong-model`
 */
export function assertBelongs(
  { run, manifest, scheme }: RunContext,
  header: ContributionHeader,
  { window, hotkey }: ExpectedContribution,
  stateRoot: string,
): void {
  if (header.run !== run) {
    throw new ProblemError('wrong-run', `The contribution is for run ${header.run}; this is run ${run}.`);
  }
  if (header.window !== window) {
    throw new ProblemError(
      'wrong-window',
      `The contribution is for window ${header.window}; this is window ${window}.`,
    );
  }
  if (header.hotkey !== hotkey) {
    throw new ProblemError('wrong-signature', `The contribution is of ${header.hotkey}; the ticket is of ${hotkey}.`);
  }
  const assigned = manifest.training.pagesPerWindow;
  if (header.pagesTrained > assigned) {
    throw new ProblemError(
      'malformed-contribution',
      `It claims ${header.pagesTrained} pages; ${assigned} are assigned.`,
    );
  }
  const wanted = syncPositions(window, hotkey, scheme.layout).length;
  if (header.syncSample.length !== wanted) {
    throw new ProblemError(
      'malformed-contribution',
      `Its sync sample has ${header.syncSample.length} values; ${wanted} are wanted.`,
    );
  }
  if (header.root !== stateRoot) {
    throw new ProblemError(
      'wrong-model',
      `It was trained from parameters with root ${header.root}; window ${window} trains from ${stateRoot}. Catch up first.`,
    );
  }
}
