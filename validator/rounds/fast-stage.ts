/** The judge's first stage: the fast checks on every contribution of a window, from the bytes on the disk. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { assignedPages, sampleDigest } from '../../core/data/assignment.ts';
import { fastChecks, verdictOfAbsence, verdictOfProblem } from '../../core/gauntlet/fast-checks.ts';
import { syncPositions, syncScore } from '../../core/gauntlet/sync.ts';
import type { Digest } from '../../core/lockstep/digest.ts';
import type { Verdict } from '../../core/protocol/api.ts';
import type { ContributionHeader } from '../../core/protocol/contribution.ts';
import { ProblemError } from '../../core/protocol/problem.ts';
import type { RunContext } from './context.ts';
import { CorruptRunError } from './corrupt-run.ts';
import type { JudgeEngine, SealedUploads, SignedBytes } from './ports.ts';
import type { ContributionRow, OpenWindow } from './store.ts';

/** A contribution that passed every fast check. */
export interface ValidContribution {
  /** Its whole assignment, in order. */
  readonly assignedPages: readonly number[];
  /** The prefix that it says it trained. */
  readonly trainedPages: readonly number[];
}

export interface FastResult {
  readonly verdicts: readonly Verdict[];
  /** Sync score, null where the contribution does not tell. */
  readonly sync: number | null;
  /** What it says it trained on is not the prefix of its assignment. Told, not punished: it is only a claim. */
  readonly otherData: boolean;
  /** It decodes: it could be aggregated, whatever the other checks say. */
  readonly wellFormed: boolean;
  readonly valid: ValidContribution | null;
}

export interface FastStageInput {
  readonly open: OpenWindow;
  readonly parameters: Float32Array;
}

/** The result for a peer that was expected and delivered nothing. */
export function absent(window: number): FastResult {
  return { verdicts: [verdictOfAbsence(window)], sync: null, otherData: false, wellFormed: false, valid: null };
}

/** @throws CorruptRunError when sealed bytes are missing: their receipt says that they were kept */
export async function readSealed(
  uploads: Pick<SealedUploads, 'read'>,
  { hotkey, sha256, sessionKey }: ContributionRow,
): Promise<SignedBytes> {
  const bytes = await uploads.read(sha256);
  if (!bytes) throw new CorruptRunError(`the contribution of ${hotkey} (${sha256}) is missing`);
  return { bytes, sessionKey };
}

/** @throws CorruptRunError as `readSealed`, and when the bytes are not those of the receipt: that is no fault of a peer */
export async function checkContribution(
  context: RunContext,
  { uploads, digest }: { readonly uploads: Pick<SealedUploads, 'read'>; readonly digest: Digest },
  engine: Pick<JudgeEngine, 'inspect'>,
  { open, parameters }: FastStageInput,
  row: ContributionRow,
): Promise<FastResult> {
  const { run, manifest, scheme, pages } = context;
  const { hotkey } = row;
  const contribution = await readSealed(uploads, row);
  if (bytesToHex(await digest(contribution.bytes)) !== row.sha256) {
    throw new CorruptRunError(`the contribution of ${hotkey} (${row.sha256}) is damaged`);
  }
  let header: ContributionHeader;
  try {
    header = await engine.inspect(contribution);
  } catch (error) {
    const verdict = error instanceof ProblemError ? verdictOfProblem(error, open.window) : undefined;
    if (!verdict) throw error;
    return { verdicts: [verdict], sync: null, otherData: false, wellFormed: false, valid: null };
  }
  const arrivedAt = Date.parse(row.arrivedAt);
  const verdicts = fastChecks(header, {
    run,
    window: open.window,
    hotkey,
    arrivedAt,
    // A window that was reopened after a restart has deadlines later than receipts given before it; those stay valid.
    putOpensAt: Math.min(open.putOpensAt, arrivedAt),
    putClosesAt: open.putClosesAt,
    root: open.stateRoot,
    pagesPerWindow: manifest.training.pagesPerWindow,
    ownSyncValues: syncPositions(open.window, hotkey, scheme.layout).map((position) => parameters[position]!),
    syncUnit: scheme.syncUnit(open.window),
    params: manifest.gauntlet,
  });
  const distance = verdicts.find(({ check }) => check === 'sync')?.value ?? null;
  const assigned = assignedPages(open.assignmentSeed, hotkey, pages.train, manifest.training.pagesPerWindow);
  const trainedPages = assigned.slice(0, header.pagesTrained);
  return {
    verdicts,
    sync: distance === null ? 0 : syncScore(distance, manifest.gauntlet),
    otherData: sampleDigest(trainedPages.map((page) => pages.hashes[page]!)) !== header.sampleDigest,
    wellFormed: true,
    valid: verdicts.every(({ pass }) => pass) ? { assignedPages: assigned, trainedPages } : null,
  };
}
