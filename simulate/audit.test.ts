/** A validator that lies signs its lies itself: an audit must find them by recomputing, and name them. */
import { beforeAll, describe, expect, it } from 'vitest';
import { GAUNTLET_PROFILES } from '../core/gauntlet/profiles/defaults.ts';
import { canonicalBytes } from '../core/identity/canonical.ts';
import { signHex, type Signer } from '../core/identity/signing.ts';
import { PRESETS } from '../core/model/presets.ts';
import type { SignedReceipt } from '../core/protocol/api.ts';
import type { SignedBook, WindowBook } from '../core/protocol/book.ts';
import { createNodeEvaluator } from '../engine/node.ts';
import { auditWindow, openAudit, type Finding } from '../validator/audit/audit.ts';
import { createAuditSource, type AuditSource } from '../validator/audit/source.ts';
import { nodeDigest } from '../validator/adapters/run-folder.ts';
import { createLocalJudgeEngine } from '../validator/rounds/local-judge-engine.ts';
import { runExperiment, type ExperimentOptions } from './experiment.ts';

const WINDOW = 3;
const SMALL = {
  preset: 'micro',
  gauntlet: GAUNTLET_PROFILES.paper,
  scheme: PRESETS.micro.schemes['decoupled-momentum'],
  windows: WINDOW,
  honest: 3,
  attackers: 1,
  pages: 2,
  seed: 'audit',
} as const;

interface Published {
  /** Answers from what was read while the validator ran. */
  readonly source: AuditSource;
  readonly signer: Signer;
}

/** Runs to the end and keeps every answer that an audit of the newest windows can ask for. */
async function publish(options: ExperimentOptions): Promise<Published> {
  let published: Published | undefined;
  await runExperiment({
    ...options,
    async onEnd({ url, fetch, signer }) {
      const source = createAuditSource(url, fetch);
      const signed = await source.run();
      const books = new Map<number, SignedBook>();
      for (let window = 1; window <= options.windows; window++) books.set(window, await source.book(window));
      const blobs = new Map<string, Uint8Array<ArrayBuffer>>();
      const keep = async (sha256: string): Promise<void> => void blobs.set(sha256, await source.blob({ sha256 }));
      const index = signed.manifest.data.index.sha256;
      await keep(index);
      const pages = blobs.get(index)!;
      for (let at = 0; at < pages.length; at += 32)
        await keep(Buffer.from(pages.subarray(at, at + 32)).toString('hex'));
      const receipts = new Map<string, SignedReceipt[]>();
      for (const { book } of books.values()) {
        const { record, checkpoint, peers } = book;
        const refs = [...record.contributions, ...checkpoint.chunks, record.outerStep!];
        for (const { sha256 } of refs) await keep(sha256);
        for (const { hotkey } of peers) receipts.set(hotkey, await source.receipts(hotkey));
      }
      const windows = await source.windows(1, options.windows);
      published = {
        signer,
        source: {
          run: () => Promise.resolve(signed),
          book: (window) => Promise.resolve(books.get(window)!),
          windows: (from, limit) => Promise.resolve(windows.slice(from - 1, from - 1 + limit)),
          receipts: (hotkey) => Promise.resolve(receipts.get(hotkey) ?? []),
          blob: ({ sha256 }) => Promise.resolve(blobs.get(sha256)!),
        },
      };
    },
  });
  return published!;
}

async function audit(source: AuditSource, receipts: SignedReceipt[] = [], losses = true): Promise<Finding[]> {
  const context = await openAudit(source);
  const findings: Finding[] = [];
  const options = {
    createJudgeEngine: (run: Parameters<typeof createLocalJudgeEngine>[0]) =>
      createLocalJudgeEngine(run, {
        createEvaluator: (shape) => createNodeEvaluator({ ...shape, intraOpThreads: 1 }),
        digest: nodeDigest,
      }),
    digest: nodeDigest,
    receipts,
    losses,
  };
  for await (const finding of auditWindow(context, source, WINDOW, options)) findings.push(finding);
  return findings;
}

/** Names of the items that an audit complains of. */
const itemsOf = (findings: readonly Finding[]): string[] =>
  findings.flatMap(({ differences }) => differences.map(({ item }) => item));

/** The same with books that were changed and signed again. */
async function lying(
  { source, signer }: Published,
  change: (book: WindowBook) => void,
  window = WINDOW,
): Promise<AuditSource> {
  const book = structuredClone((await source.book(window)).book);
  change(book);
  const signed = { book, signature: await signHex(signer, 'book', canonicalBytes(book)) };
  return { ...source, book: (of) => (of === window ? Promise.resolve(signed) : source.book(of)) };
}

let small: Promise<Published> | undefined;
/** The run that most tests are about, made once. */
const smallRun = (): Promise<Published> => (small ??= publish(SMALL));

const OTHERS = [
  ['templar-2.1', 'sparseloco'],
  ['paper', 'sparseloco'],
] as const;

async function expectEqual(source: AuditSource): Promise<void> {
  const findings = await audit(source);
  expect(itemsOf(findings)).toEqual([]);
  expect(findings.length).toBeGreaterThan(14);
  const { record, peers } = (await source.book(WINDOW)).book;
  expect(record.evaluated.length).toBeGreaterThan(1);
  expect(record.aggregated.length).toBeGreaterThan(1);
  expect(peers.every(({ verdicts }) => verdicts.length > 0)).toBe(true);
}

describe('an honest window is equal in every check', () => {
  it('with profile paper and scheme decoupled-momentum', async () => {
    await expectEqual((await smallRun()).source);
  }, 300_000);

  it.each(OTHERS.slice(0, process.env['NIGHTLY'] === '1' ? undefined : 1))(
    'with profile %s and scheme %s',
    async (profile, scheme) => {
      const gauntlet = GAUNTLET_PROFILES[profile];
      const { source } = await publish({ ...SMALL, gauntlet, scheme: PRESETS.micro.schemes[scheme] });
      await expectEqual(source);
    },
    300_000,
  );
});

describe('a lying validator', () => {
  let published: Published;
  let honest: WindowBook;
  beforeAll(async () => {
    published = await smallRun();
    honest = (await published.source.book(WINDOW)).book;
  }, 300_000);

  const caught = async (change: (book: WindowBook) => void, window = WINDOW): Promise<string[]> =>
    itemsOf(await audit(await lying(published, change, window)));

  it('that changes a loss is caught with that loss', async () => {
    const { hotkey } = honest.record.evaluated[1]!;
    expect(await caught(({ record }) => (record.evaluated[1]!.random.after -= 0.01))).toContain(
      `record.evaluated.${hotkey}.random.after`,
    );
  });

  it('that changes a loss everywhere it is used is caught by measuring again', async () => {
    const { hotkey } = honest.record.evaluated[0]!;
    const items = await caught(({ record }) => {
      record.evaluated[0]!.assigned.before += 0.02;
    });
    expect(items).toContain(`record.evaluated.${hotkey}.assigned.before`);
  });

  it('that changes a rating, a weight or a rank is caught with that figure', async () => {
    const { hotkey } = honest.peers[0]!;
    expect(await caught(({ peers }) => (peers[0]!.after.rating.mu += 0.5))).toEqual([
      `peers.${hotkey}.after.rating.mu`,
    ]);
    expect(await caught(({ peers }) => (peers[0]!.after.weight += 0.01))).toEqual([`peers.${hotkey}.after.weight`]);
    expect(await caught(({ peers }) => (peers[0]!.after.rank = 9))).toEqual([`peers.${hotkey}.after.rank`]);
  });

  it('that changes how a peer stood before is caught', async () => {
    const { hotkey } = honest.peers[1]!;
    expect(await caught(({ peers }) => (peers[1]!.before.poc = 0.9))).toContain(`peers.${hotkey}.before.poc`);
  });

  it('that drops a contribution in spite of its receipt is caught with the receipt', async () => {
    const { hotkey } = honest.record.contributions[0]!;
    const drop = (book: WindowBook): void => {
      const others = <T>(items: T[], of: (item: T) => string): T[] => items.filter((item) => of(item) !== hotkey);
      book.record.contributions = others(book.record.contributions, (one) => one.hotkey);
      book.receipts = others(book.receipts, ({ signed }) => signed.receipt.hotkey);
      book.record.participants = book.record.contributions.length;
    };
    const source = await lying(published, drop);
    const receipts = await source.receipts(hotkey);
    expect(itemsOf(await audit(source))).toContain(`record.contributions.${hotkey}`);
    // It shows the receipt to nobody: the peer that holds it can.
    const silent = { ...source, receipts: () => Promise.resolve([]) };
    expect(itemsOf(await audit(silent, receipts, false))).toContain(`record.contributions.${hotkey}`);
  });

  it('that lists a peer twice, to judge another upload than its receipt names, is caught', async () => {
    const [first, second] = honest.record.contributions;
    const items = await caught(({ record }) => {
      record.contributions.unshift({ ...first!, sha256: second!.sha256 });
      record.participants = record.contributions.length;
    });
    expect(items).toContain(`record.contributions.${first!.hotkey} is listed once`);
  });

  it('that leaves a sender out of the aggregate, or moves the step, is caught', async () => {
    expect(await caught(({ record }) => record.aggregated.pop())).toContain(
      `record.aggregated.${honest.record.aggregated.length - 1}`,
    );
    const other = (await published.source.book(WINDOW - 1)).book.record.outerStep!;
    expect(await caught(({ record }) => (record.outerStep = { ...other }))).toContain('record.outerStep.sha256');
    expect(await caught(({ record }) => (record.stateRoot = honest.trainedFrom))).toContain('record.stateRoot');
  });

  it('that draws whom it likes is caught', async () => {
    expect(await caught(({ drawn }) => drawn.reverse())).toContain('drawn.0');
  });

  it('that chooses its secret late is caught with the commitment', async () => {
    expect(await caught(({ record }) => (record.beacon.reveal = 'ab'.repeat(32)))).toContain('record.beacon.commit');
    // A secret with a commitment of its own was not the one committed to in the book before.
    expect(await caught(({ next }) => (next.beaconCommit = 'cd'.repeat(32)), WINDOW - 1)).toContain(
      'record.beacon.commit',
    );
  });

  it('that rewrites an earlier book is caught by the chain', async () => {
    expect(await caught(({ record }) => (record.lossAfter = 1), WINDOW - 1)).toContain('previous');
  });

  it('that forges a verdict is caught with it', async () => {
    const { hotkey } = honest.peers[0]!;
    const change = ({ peers }: WindowBook): void => void (peers[0]!.verdicts[2]!.pass = false);
    expect(await caught(change)).toContain(`peers.${hotkey}.verdicts.2.pass`);
  });

  it('that hides a second evaluation of a peer behind the first is caught', async () => {
    const change = ({ record }: WindowBook): void => {
      const [first] = record.evaluated;
      record.evaluated.unshift({ ...first!, random: { ...first!.random, after: 0 } });
    };
    const { hotkey } = honest.record.evaluated[0]!;
    expect(await caught(change)).toEqual([`record.evaluated.${hotkey} is listed once`]);
  });

  it('that leaves a peer out is caught with the peer', async () => {
    const { hotkey } = honest.peers[0]!;
    const change = (book: WindowBook): void => void (book.peers = book.peers.slice(1));
    expect(await caught(change)).toContain(`peers.${hotkey} takes part`);
  });

  it('cannot change a single number unnoticed', { timeout: 300_000 }, async () => {
    // Times that only the validator knows: when a window closed, and deadlines moved by a restart.
    const free = /At$|^record\.window$/;
    const numbers: (readonly (string | number)[])[] = [];
    const collect = (value: unknown, path: readonly (string | number)[]): void => {
      if (typeof value === 'number') numbers.push(path);
      else if (typeof value === 'object' && value !== null) {
        for (const [key, member] of Object.entries(value))
          collect(member, [...path, Array.isArray(value) ? Number(key) : key]);
      }
    };
    collect({ record: honest.record, peers: honest.peers.slice(0, 2) }, []);
    const tried = numbers.filter((path) => !free.test(path.join('.')));
    expect(tried.length).toBeGreaterThan(50);
    const missed: string[] = [];
    for (const path of tried.filter((_, i) => i % 4 === 0)) {
      const source = await lying(published, (book) => {
        let holder = book as unknown as Record<string | number, unknown>;
        for (const key of path.slice(0, -1)) holder = holder[key] as typeof holder;
        const key = path.at(-1)!;
        const value = holder[key] as number;
        holder[key] = Number.isInteger(value) ? value + 1 : value + 0.05;
      });
      if (itemsOf(await audit(source)).length === 0) missed.push(path.join('.'));
    }
    expect(missed).toEqual([]);
  });
});
