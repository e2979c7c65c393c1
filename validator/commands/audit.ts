/** `gauntlet audit`: whether a validator's published windows are what public data make them. */
import { readFile } from 'node:fs/promises';
import type { SubtensorChain } from '../../chain/types.ts';
import { SignedReceiptSchema, type SignedReceipt } from '../../core/protocol/api.ts';
import { createNodeEvaluator } from '../../engine/node.ts';
import { nodeDigest } from '../adapters/run-folder.ts';
import { auditWindow, openAudit, type Finding } from '../audit/audit.ts';
import { AuditSourceError, createAuditSource, type AuditSource } from '../audit/source.ts';
import type { RunContext } from '../rounds/context.ts';
import { createLocalJudgeEngine } from '../rounds/local-judge-engine.ts';
import { openChain } from './chain-target.ts';
import { UsageError } from './usage-error.ts';

export interface AuditCommandOptions {
  readonly url: string;
  readonly window?: number;
  readonly through?: number;
  readonly receipt?: readonly string[];
  readonly losses: boolean;
  /** Whether the run's chain is asked for the blocks of beacons. */
  readonly chain: boolean;
  readonly json?: boolean;
}

/** Differences that are printed of one check; the rest is counted. */
const SHOWN = 10;

/** @throws UsageError for a file without receipts */
async function readReceipts(file: string): Promise<SignedReceipt[]> {
  const text = await readFile(file, 'utf8');
  try {
    const value = JSON.parse(text) as unknown;
    return SignedReceiptSchema.array().parse(Array.isArray(value) ? value : [value]);
  } catch (cause) {
    throw new UsageError(`${file} holds no receipt as the API gives it`, { cause });
  }
}

async function newestWindow(source: AuditSource): Promise<number> {
  const rows = await source.windows(1, Infinity);
  const last = rows.at(-1);
  if (!last) throw new AuditSourceError('no window has been published yet');
  return last.window;
}

const show = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value));

function lines({ check, differences, unchecked }: Finding): string[] {
  if (unchecked !== undefined) return [`skipped  ${check}: ${unchecked}`];
  if (differences.length === 0) return [`equal    ${check}`];
  const shown = differences
    .slice(0, SHOWN)
    .map(
      ({ item, published, recomputed }) =>
        `         ${item}: published ${show(published)}, recomputed ${show(recomputed)}`,
    );
  const more = differences.length - shown.length;
  return [`DIFFERS  ${check}`, ...shown, ...(more > 0 ? [`         and ${more} more`] : [])];
}

export async function auditCommand(options: AuditCommandOptions): Promise<void> {
  const source = createAuditSource(options.url);
  const context = await openAudit(source);
  const { chain } = context.manifest;
  if (!chain || !options.chain) return auditWindows(options, source, context);
  // Without a node the rest of the audit is as good: the findings say what was left out.
  let connection: Promise<SubtensorChain> | undefined;
  try {
    await auditWindows(options, source, context, async (number) =>
      (await (connection ??= openChain(chain))).blockHash(number),
    );
  } finally {
    await connection?.then(
      (open) => open.close(),
      () => undefined,
    );
  }
}

async function auditWindows(
  options: AuditCommandOptions,
  source: AuditSource,
  context: RunContext,
  blockHash?: (number: number) => Promise<string>,
): Promise<void> {
  const receipts = (await Promise.all((options.receipt ?? []).map(readReceipts))).flat();
  const first = options.window ?? (await newestWindow(source));
  const last = options.through ?? first;
  if (last < first) throw new UsageError('--through names a window before --window');
  const progress = (what: string): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${what} …`);
  };
  const clear = (): void => {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  };
  if (!options.json) console.log(`run ${context.run}: ${context.manifest.name}`);
  for (let window = first; window <= last; window++) {
    if (!options.json) console.log(`window ${window}`);
    const findings = auditWindow(context, source, window, {
      createJudgeEngine: (run) =>
        createLocalJudgeEngine(run, { createEvaluator: createNodeEvaluator, digest: nodeDigest }),
      digest: nodeDigest,
      receipts,
      losses: options.losses,
      ...(blockHash ? { blockHash } : {}),
      onProgress: (what) => progress(`window ${window}: ${what}`),
    });
    for await (const finding of findings) {
      clear();
      if (finding.differences.length > 0) process.exitCode = 1;
      if (options.json) console.log(JSON.stringify({ window, ...finding }));
      else for (const line of lines(finding)) console.log(`  ${line}`);
    }
    clear();
  }
}
