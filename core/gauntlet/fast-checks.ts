/**
 * The fast checks: cheap, for every contribution, before anything is evaluated (Gauntlet, arXiv 2505.21684, "fast
 * evaluation"). Each gives a verdict with a sentence for the peer's owner. What decoding refuses becomes a verdict too.
 */
import type { Check, Verdict } from '../protocol/api.ts';
import type { ContributionHeader } from '../protocol/contribution.ts';
import type { GauntletParameters } from '../protocol/manifest.ts';
import type { ProblemError, ProblemKey } from '../protocol/problem.ts';
import { syncDistance } from './sync.ts';

export interface FastCheckContext {
  readonly run: string;
  readonly window: number;
  /** Of the ticket that the upload was made with. */
  readonly hotkey: string;
  /** When the validator had the last byte; this and the bounds in milliseconds since the epoch, by its clock. */
  readonly arrivedAt: number;
  readonly putOpensAt: number;
  readonly putClosesAt: number;
  /** State root of the parameters that the window trains from. */
  readonly root: string;
  /** Pages assigned: the most that may be claimed. */
  readonly pagesPerWindow: number;
  /** The validator's parameter values at `syncPositions` of this window and hotkey. */
  readonly ownSyncValues: ArrayLike<number>;
  /** `scheme.syncUnit` of the window. */
  readonly syncUnit: number;
  readonly params: Pick<GauntletParameters, 'syncThreshold' | 'syncStatistic'>;
}

/** The check that each refusal of an upload fails; no other problem is a contribution's fault. */
const CHECK_OF_PROBLEM: Readonly<Partial<Record<ProblemKey, Check>>> = {
  'truncated-upload': 'delivered',
  'wrong-hash': 'delivered',
  'too-early': 'in-time',
  'too-late': 'in-time',
  'wrong-signature': 'signature',
  'delegation-expired': 'signature',
  'malformed-contribution': 'format',
  'index-out-of-range': 'format',
  'too-large': 'format',
  'wrong-run': 'format',
  'wrong-window': 'format',
  'not-finite': 'finite',
  'wrong-model': 'model',
};

/** The failed verdict that a refusal amounts to; undefined when the contribution is not at fault. */
export function verdictOfProblem(problem: ProblemError, window: number): Verdict | undefined {
  const check = CHECK_OF_PROBLEM[problem.key];
  return check && { window, check, pass: false, reason: problem.message, value: null, threshold: null };
}

/** The verdict on a peer that was expected and sent nothing. */
export function verdictOfAbsence(window: number): Verdict {
  return failed(window, 'delivered', 'No contribution arrived in this window.');
}

/**
 * The verdicts on a contribution that decoded: signature, format and finiteness have passed then.
 *
 * @returns one verdict a check, in the order in which they are made; the contribution passes when all do
 */
export function fastChecks(header: ContributionHeader, context: FastCheckContext): Verdict[] {
  const { window } = context;
  return [
    passed(window, 'delivered', 'The upload is complete.'),
    inTime(context),
    passed(window, 'signature', 'Signed by the session key that the hotkey delegated to.'),
    format(header, context),
    passed(window, 'finite', 'Every value is finite.'),
    model(header, context),
    sync(header, context),
  ];
}

function inTime({ window, arrivedAt, putOpensAt, putClosesAt }: FastCheckContext): Verdict {
  const lengthSeconds = (putClosesAt - putOpensAt) / 1_000;
  const value = (arrivedAt - putOpensAt) / 1_000;
  const pass = arrivedAt >= putOpensAt && arrivedAt <= putClosesAt;
  const when = value < 0 ? `${(-value).toFixed(1)} s before` : `${value.toFixed(1)} s after`;
  return {
    window,
    check: 'in-time',
    pass,
    reason: `It arrived ${when} the put phase opened, which is ${lengthSeconds} s long.`,
    value,
    threshold: lengthSeconds,
  };
}

function format(header: ContributionHeader, context: FastCheckContext): Verdict {
  const { window, pagesPerWindow } = context;
  if (header.run !== context.run) return failed(window, 'format', `It was made for run ${header.run}.`);
  if (header.window !== window) return failed(window, 'format', `It was made for window ${header.window}.`);
  if (header.hotkey !== context.hotkey) return failed(window, 'format', `It was made for hotkey ${header.hotkey}.`);
  if (header.pagesTrained > pagesPerWindow) {
    return failed(window, 'format', `It claims ${header.pagesTrained} pages; ${pagesPerWindow} are assigned.`);
  }
  return passed(window, 'format', 'It has the form that the model prescribes.');
}

function model({ root }: ContributionHeader, context: FastCheckContext): Verdict {
  return root === context.root
    ? passed(context.window, 'model', 'Trained from this window’s parameters.')
    : failed(
        context.window,
        'model',
        `Trained from parameters with state root ${root}, this window’s is ${context.root}.`,
      );
}

function sync({ syncSample }: ContributionHeader, context: FastCheckContext): Verdict {
  const { window, syncUnit, params, ownSyncValues } = context;
  if (syncSample.length !== ownSyncValues.length) {
    return failed(
      window,
      'sync',
      `It reports ${syncSample.length} parameter values; ${ownSyncValues.length} are asked for.`,
    );
  }
  const distance = syncDistance(syncSample, ownSyncValues, syncUnit, params.syncStatistic);
  return {
    window,
    check: 'sync',
    pass: distance <= params.syncThreshold,
    reason: `Its parameters lie ${distance.toPrecision(3)} steps from the run’s.`,
    value: Number.isFinite(distance) ? distance : null,
    threshold: params.syncThreshold,
  };
}

function passed(window: number, check: Check, reason: string): Verdict {
  return { window, check, pass: true, reason, value: null, threshold: null };
}

function failed(window: number, check: Check, reason: string): Verdict {
  return { ...passed(window, check, reason), pass: false };
}
