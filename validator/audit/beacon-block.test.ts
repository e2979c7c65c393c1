/** The block that a window's beacon names, against a node of the chain: what a book alone cannot show. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChainError } from '../../chain/errors.ts';
import { canonicalBytes } from '../../core/identity/canonical.ts';
import { signHex } from '../../core/identity/signing.ts';
import type { WindowBook } from '../../core/protocol/book.ts';
import { hashOfBlock, ScriptedChain } from '../adapters/testing/scripted-chain.ts';
import {
  contributionOf,
  createTestRun,
  deliver,
  FakeClock,
  joinRequest,
  openTestRun,
  sharedEngine,
  testPeer,
  type OpenTestRun,
} from '../adapters/testing/test-run.ts';
import { nodeDigest } from '../adapters/run-folder.ts';
import { auditWindow, openAudit, type AuditOptions, type Finding } from './audit.ts';
import type { AuditSource } from './source.ts';

const CLOSES = 106;
const CHECK = 'beacon block on the chain';
const ITEM = 'record.beacon.block.hash';

let dir: string;
let chain: ScriptedChain;
let run: OpenTestRun;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gauntlet-beacon-'));
  await createTestRun(dir, undefined, {
    genesisHash: hashOfBlock(0),
    endpoints: ['ws://127.0.0.1:9'],
    netuid: 3,
    trainBlocks: 4,
    putBlocks: 2,
    blockSeconds: 12,
  });
  chain = new ScriptedChain();
  run = await openTestRun(dir, new FakeClock(), undefined, undefined, undefined, chain);
});
afterEach(async () => {
  await run.rounds.stop();
  await run.close();
  await rm(dir, { recursive: true, force: true });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** One window with a contribution, closed by block 106. */
async function publish(): Promise<void> {
  const { rounds } = run;
  const alice = testPeer('alice');
  rounds.start();
  await rounds.join(await joinRequest(rounds.clock().run, alice));
  chain.moveTo(CLOSES - 6);
  await until(() => rounds.clock().blocks !== null);
  const bytes = await contributionOf(run, alice);
  chain.moveTo(CLOSES - 2);
  await until(() => rounds.clock().phase === 'put');
  await deliver(run, alice, bytes);
  chain.moveTo(CLOSES);
  await until(() => rounds.clock().window === 2);
}

/** @param lie is told in the book, signed by the validator's own key */
async function audit(
  blockHash?: AuditOptions['blockHash'],
  lie: (book: WindowBook) => void = () => undefined,
): Promise<Finding[]> {
  const { rounds, folder } = run;
  const source: AuditSource = {
    run: () => Promise.resolve(rounds.manifest()),
    async book(window) {
      const book = structuredClone((await rounds.book(window)).book);
      lie(book);
      return { book, signature: await signHex(folder.signer, 'book', canonicalBytes(book)) };
    },
    windows: (from, limit) => rounds.windows(from, limit),
    receipts: async (hotkey) => (await rounds.peer(hotkey)).receipts,
    blob: async ({ sha256 }) => (await folder.blobs.read(sha256))!,
  };
  const findings: Finding[] = [];
  const options = { createJudgeEngine: sharedEngine, digest: nodeDigest, ...(blockHash ? { blockHash } : {}) };
  for await (const finding of auditWindow(await openAudit(source), source, 1, options)) findings.push(finding);
  return findings;
}

const itemsOf = (findings: readonly Finding[]): string[] =>
  findings.flatMap(({ differences }) => differences.map(({ item }) => item));
const onChain = (number: number): Promise<string> => Promise.resolve(hashOfBlock(number));

describe('the block of a beacon', () => {
  it('is the chain’s, and the draw follows from it', async () => {
    await publish();
    const findings = await audit(onChain);
    expect(itemsOf(findings)).toEqual([]);
    expect(findings).toContainEqual({ check: CHECK, differences: [] });
    const { record } = (await run.rounds.book(1)).book;
    expect(record.evaluated).toHaveLength(1);
  });

  it('that a validator made up is named, though everything else follows from it', async () => {
    chain.hashOf = () => Promise.resolve(hashOfBlock(999));
    await publish();
    expect(itemsOf(await audit(onChain))).toEqual([ITEM]);
  });

  it('that was exchanged afterwards does not give what was drawn', async () => {
    await publish();
    const items = itemsOf(await audit(onChain, ({ record }) => (record.beacon.block!.hash = hashOfBlock(999))));
    expect(items).toContain(ITEM);
    expect(items.some((item) => item.startsWith('record.evaluated.'))).toBe(true);
  });

  it('that the chain does not have is named', async () => {
    await publish();
    const notFinal = (): Promise<string> =>
      Promise.reject(new ChainError('invalid', 'Block 106 is not final yet.', ''));
    expect(itemsOf(await audit(notFinal))).toEqual([ITEM]);
  });

  it('must be there, and late enough for the window’s phases', async () => {
    await publish();
    expect(itemsOf(await audit(onChain, ({ record }) => delete record.beacon.block))).toContain(
      'record.beacon.block is there in a run with a chain',
    );
    expect(itemsOf(await audit(onChain, ({ record }) => (record.beacon.block!.number = 5)))).toContain(
      'record.beacon.block leaves the window its blocks',
    );
  });

  it('is left unchecked, in words, when no node is asked or none answers', async () => {
    await publish();
    const skipped = async (blockHash?: AuditOptions['blockHash']): Promise<Finding | undefined> => {
      const findings = await audit(blockHash);
      expect(itemsOf(findings)).toEqual([]);
      return findings.find(({ check }) => check === CHECK);
    };
    expect((await skipped())?.unchecked).toMatch(/not asked/);
    const gone = (): Promise<string> => Promise.reject(new ChainError('unreachable', 'No endpoint answers.', ''));
    expect((await skipped(gone))?.unchecked).toBe('No endpoint answers.');
  });
});
