/**
 * An audit of a published window: its judgement recomputed from public data alone, check by check. What the production
 * judge did is done again with the same functions; where it measured, the measurement is repeated and compared within a
 * tolerance, and everything after it is computed from the published figures, exactly.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { assignmentSeedOf, beaconCommit, beaconOf } from '../../core/gauntlet/beacon.ts';
import { ordinal } from '../../core/gauntlet/rating.ts';
import { freshFigures, idleFigures, isActive, scoreWindow, type ScoredPeer } from '../../core/gauntlet/scoring.ts';
import { drawEvaluations, selectAggregation } from '../../core/gauntlet/selection.ts';
import { idleVerdicts, scoredVerdicts } from '../../core/gauntlet/verdicts.ts';
import { canonicalBytes } from '../../core/identity/canonical.ts';
import { verifyManifest } from '../../core/identity/manifest.ts';
import { verifyHex } from '../../core/identity/signing.ts';
import type { Digest } from '../../core/lockstep/digest.ts';
import type { Evaluation, Rating, SignedReceipt } from '../../core/protocol/api.ts';
import type { PeerBook, SignedBook, WindowBook } from '../../core/protocol/book.ts';
import type { Figures } from '../../core/protocol/figures.ts';
import { compareContributions } from '../rounds/comparison-stage.ts';
import { loadContext, type RunContext } from '../rounds/context.ts';
import { CorruptRunError } from '../rounds/corrupt-run.ts';
import { evaluateContributions, type LossResult } from '../rounds/evaluation-stage.ts';
import { absent, checkContribution, type FastResult } from '../rounds/fast-stage.ts';
import { createLossMeter } from '../rounds/losses.ts';
import { loadParameters } from '../rounds/parameters.ts';
import type { JudgeEngineFactory, SignedBytes } from '../rounds/ports.ts';
import type { ContributionRow, OpenWindow, StepRow } from '../rounds/store.ts';
import { findBeaconBlock, leavesItsBlocks } from './beacon-block.ts';
import { differences, LOSS_TOLERANCE, type Difference } from './differences.ts';
import { AuditSourceError, type AuditSource } from './source.ts';

/** Of figures that are computed with `Math.exp` and powers, whose last bit engines may choose. */
const FIGURE_TOLERANCE = 1e-9;

export interface Finding {
  /** What was looked at, in words. */
  readonly check: string;
  /** Empty when all of it is equal. */
  readonly differences: readonly Difference[];
  /** Why it was not looked at, in a sentence. */
  readonly unchecked?: string;
}

export interface AuditOptions {
  readonly createJudgeEngine: JudgeEngineFactory;
  readonly digest: Digest;
  /** Receipts that somebody holds, beyond those that the validator shows. */
  readonly receipts?: readonly SignedReceipt[];
  /** Whether losses are measured again, which takes most of the time. */
  readonly losses?: boolean;
  /** Hash of a finalised block, from a node of the run's chain; without it that part is not audited. @throws ChainError */
  readonly blockHash?: (number: number) => Promise<string>;
  /** Called before each part, with what it is. */
  readonly onProgress?: (what: string) => void;
}

const differs = (item: string, published: unknown, recomputed: unknown): Difference => ({
  item,
  published,
  recomputed,
});

/** A condition that holds or does not. */
const holds = (item: string, truth: boolean): Difference[] => (truth ? [] : [differs(item, true, false)]);

const bookHash = (book: WindowBook): string => bytesToHex(sha256(canonicalBytes(book)));

const byHotkey = <T extends { readonly hotkey: string }>(items: readonly T[]): Record<string, T> =>
  Object.fromEntries(items.map((item) => [item.hotkey, item]));

/** A run's public data with what follows from its manifest. @throws ManifestError, AuditSourceError */
export async function openAudit(source: AuditSource): Promise<RunContext> {
  const signed = await source.run();
  verifyManifest(signed);
  return loadContext({
    store: { run: () => Promise.resolve(signed) },
    blobs: { read: (hash) => source.blob({ sha256: hash }) },
  });
}

/** Books as they are needed, each with a valid signature. */
function createLibrary({ run, manifest }: RunContext, source: AuditSource): (window: number) => Promise<SignedBook> {
  const held = new Map<number, Promise<SignedBook>>();
  async function fetchBook(window: number): Promise<SignedBook> {
    const signed = await source.book(window);
    const { book, signature } = signed;
    if (!verifyHex('book', canonicalBytes(book), signature, manifest.validator.publicKey)) {
      throw new AuditSourceError(`the book of window ${window} is not signed by the validator`);
    }
    if (book.run !== run || book.window !== window || book.record.window !== window || book.record.run !== run) {
      throw new AuditSourceError(`the book of window ${window} is of another window or run`);
    }
    return signed;
  }
  return (window) => {
    const known = held.get(window) ?? fetchBook(window);
    held.set(window, known);
    return known;
  };
}

function openWindowOf({ window, record, trainedFrom }: WindowBook): OpenWindow {
  return {
    window,
    opensAt: Date.parse(record.opensAt),
    putOpensAt: Date.parse(record.putOpensAt),
    putClosesAt: Date.parse(record.putClosesAt),
    blocks: null,
    assignmentSeed: record.assignmentSeed,
    beaconSecret: record.beacon.reveal ?? '',
    beaconCommit: record.beacon.commit,
    stateRoot: trainedFrom,
    judging: true,
  };
}

function rowsOf({ window, record, receipts }: WindowBook): ContributionRow[] {
  return record.contributions.flatMap((contribution) => {
    const entry = receipts.find(({ signed }) => signed.receipt.hotkey === contribution.hotkey);
    return entry ? [{ ...contribution, window, sessionKey: entry.sessionKey, receipt: entry.signed }] : [];
  });
}

/**
 * Audits one window.
 *
 * @returns findings as they are made
 * @throws AuditSourceError when public data is missing or unsigned; whatever the engine throws
 */
export async function* auditWindow(
  context: RunContext,
  source: AuditSource,
  window: number,
  options: AuditOptions,
): AsyncGenerator<Finding> {
  const { run, manifest, scheme } = context;
  const { gauntlet } = manifest;
  const { blockHash, onProgress = () => undefined } = options;
  const bookOf = createLibrary(context, source);
  const { book } = await bookOf(window);
  const { record } = book;
  const previous = window > 1 ? (await bookOf(window - 1)).book : undefined;
  const open = openWindowOf(book);
  const rows = rowsOf(book);
  yield { check: 'signature of the book', differences: [] };

  yield {
    check: 'chain of books',
    differences: [
      ...differences(book.previous, previous ? bookHash(previous) : null, 'previous'),
      ...differences(book.trainedFrom, previous?.record.stateRoot ?? manifest.checkpoint.initialRoot, 'trainedFrom'),
      ...(previous ? differences(record.opensAt, previous.record.publishedAt, 'record.opensAt') : []),
    ],
  };
  yield { check: 'one entry a peer', differences: repeatedEntries(book) };
  yield { check: 'beacon and assignment', differences: beaconDifferences(context, book, previous) };
  if (record.beacon.block) yield await findBeaconBlock(record.beacon.block, blockHash);
  onProgress('receipts');
  yield { check: 'receipts', differences: await receiptDifferences(context, source, book, options.receipts ?? []) };

  onProgress('parameters');
  const blobs = { read: (hash: string) => source.blob({ sha256: hash }) };
  let parameters: Float32Array<ArrayBuffer>;
  try {
    const steps = await stepsSince(source, book);
    const store = { checkpoint: () => Promise.resolve({ checkpoint: book.checkpoint, steps }) };
    parameters = await loadParameters(context, { store, blobs, digest: options.digest }, book.trainedFrom);
  } catch (error) {
    if (!(error instanceof CorruptRunError)) throw error;
    yield { check: 'parameters', differences: [differs('trainedFrom', book.trainedFrom, error.message)] };
    return;
  }
  yield { check: 'parameters', differences: [] };

  onProgress('peers');
  yield { check: 'who takes part, and how they stood', differences: await peerDifferences(context, bookOf, book) };

  const engine = options.createJudgeEngine({ run, manifest });
  try {
    onProgress('fast checks');
    const taking = book.peers.filter(({ scored }) => scored !== null);
    const fast = new Map<string, FastResult>();
    const ports = { uploads: blobs, digest: options.digest };
    for (const { hotkey } of taking) {
      const row = rows.find((one) => one.hotkey === hotkey);
      fast.set(
        hotkey,
        row ? await checkContribution(context, ports, engine, { open, parameters }, row) : absent(window),
      );
    }
    yield { check: 'fast checks', differences: taking.flatMap((peer) => fastDifferences(peer, fast, rows)) };

    const valid = rows.filter(({ hotkey }) => fast.get(hotkey)?.valid);
    const read = async (hotkey: string): Promise<SignedBytes> => {
      const { sha256: hash, sessionKey } = rows.find((one) => one.hotkey === hotkey)!;
      return { bytes: (await source.blob({ sha256: hash })).slice(), sessionKey };
    };
    const beacon = beaconOf(open.beaconSecret, window, record.contributions, record.beacon.block);
    const { clipNorms, copied } = await compareContributions(context, engine, { window, beacon, valid, read });
    yield {
      check: 'copies and clipping',
      differences: [
        ...differences(book.clipNorms, clipNorms, 'clipNorms'),
        ...taking.flatMap(({ hotkey, scored }) =>
          differences(scored?.overlap ?? null, copied.get(hotkey) ?? null, `peers.${hotkey}.scored.overlap`),
        ),
      ],
    };

    const drawn = drawEvaluations(window, taking, gauntlet, beacon);
    const turn = new Set(drawn.slice(0, book.reached));
    yield {
      check: 'draw of evaluations',
      differences: [
        ...differences(book.drawn, drawn, 'drawn'),
        ...holds('reached is at least one', book.reached > 0 || drawn.length === 0),
        ...holds('reached is at most all', book.reached <= drawn.length),
        ...taking.flatMap(({ hotkey, scored }) =>
          differences(scored!.drawn, turn.has(hotkey), `peers.${hotkey}.scored.drawn`),
        ),
      ],
    };

    onProgress('losses');
    await engine.use({ root: book.trainedFrom, parameters });
    const meter = createLossMeter(context, blobs, engine);
    const measures = options.losses ?? true;
    const evaluable = drawn.flatMap((hotkey) => {
      const contribution = fast.get(hotkey)?.valid;
      return contribution ? [{ hotkey, contribution }] : [];
    });
    const due = evaluable.filter(({ hotkey }) => turn.has(hotkey));
    let begun = 1;
    const measured = await evaluateContributions(
      context,
      measures ? meter : { ...meter, on: (sets) => Promise.resolve(sets.map(() => 0)) },
      {
        open,
        drawn: due.length === 0 ? [] : evaluable,
        beacon: bytesToHex(beacon),
        clipNorms,
        read,
        lanes: 1,
        mayBegin: () => begun++ < due.length,
      },
    );
    yield { check: 'pages of the evaluations', differences: pageDifferences(record.evaluated, measured) };
    if (measures) {
      yield {
        check: 'losses of the evaluations',
        differences: lossDifferences(record.evaluated, measured),
      };
      yield {
        check: 'loss before',
        differences: differences(record.lossBefore, await meter.heldOut(), 'record.lossBefore', LOSS_TOLERANCE),
      };
    }

    const scoresOf = new Map(
      record.evaluated.map(({ hotkey, assigned, random }) => [
        hotkey,
        { assigned: assigned.before - assigned.after, random: random.before - random.after },
      ]),
    );
    const inputs = taking.map(({ hotkey, uid, before }): ScoredPeer => {
      const { valid: passed, wellFormed, sync, otherData } = fast.get(hotkey)!;
      return {
        hotkey,
        uid,
        before,
        delivered: rows.some((row) => row.hotkey === hotkey),
        wellFormed,
        passed: passed !== null,
        sync,
        otherData,
        drawn: turn.has(hotkey),
        lossScores: scoresOf.get(hotkey) ?? null,
        overlap: copied.get(hotkey) ?? null,
      };
    });
    const figures = scoreWindow(window, inputs, gauntlet);
    const scored = inputs.map((peer) => ({ ...peer, after: figures.get(peer.hotkey)! }));
    yield { check: 'ratings, scores and weights', differences: figureDifferences(context, book, inputs, figures) };
    yield { check: 'verdicts', differences: verdictDifferences(context, book, scored, fast) };

    const aggregated = selectAggregation(window, scored, gauntlet, beacon);
    yield { check: 'who is aggregated', differences: differences(record.aggregated, aggregated, 'record.aggregated') };

    onProgress('outer step');
    // What was published is what the model became: a wrong choice of senders was found above.
    const { step, state } = await engine.advance(window, await Promise.all(aggregated.map(read)));
    yield {
      check: 'outer step and state root',
      differences: [
        ...differences(record.outerStep, { sha256: bytesToHex(sha256(step)), bytes: step.length }, 'record.outerStep'),
        ...differences(record.stateRoot, state.root, 'record.stateRoot'),
        ...differences(record.learningRate, scheme.learningRate(window), 'record.learningRate'),
        ...differences(record.participants, record.contributions.length, 'record.participants'),
      ],
    };
    if (measures) {
      const lossAfter = await meter.heldOut();
      yield {
        check: 'loss after',
        differences: differences(record.lossAfter, lossAfter, 'record.lossAfter', LOSS_TOLERANCE),
      };
    }
  } finally {
    await engine.dispose();
  }
}

/** Two entries of one peer would let a validator show its receipt for the one and judge the other. */
function repeatedEntries({ record, receipts, peers }: WindowBook): Difference[] {
  const lists = {
    'record.contributions': record.contributions,
    'record.evaluated': record.evaluated,
    receipts: receipts.map(({ signed }) => signed.receipt),
    peers,
  };
  return Object.entries(lists).flatMap(([name, entries]) => {
    const seen = new Set<string>();
    return entries.flatMap(({ hotkey }) => {
      const once = !seen.has(hotkey);
      seen.add(hotkey);
      return holds(`${name}.${hotkey} is listed once`, once);
    });
  });
}

function beaconDifferences(
  { run, manifest }: RunContext,
  { window, record, next }: WindowBook,
  previous?: WindowBook,
): Difference[] {
  const reveal = record.beacon.reveal ?? '';
  return [
    ...differences(record.beacon.commit, beaconCommit(reveal), 'record.beacon.commit'),
    ...holds(
      'record.beacon.block is there in a run with a chain',
      !manifest.chain || record.beacon.block !== undefined,
    ),
    ...holds('record.beacon.block leaves the window its blocks', leavesItsBlocks(manifest, record, previous?.record)),
    ...differences(
      record.assignmentSeed,
      assignmentSeedOf(previous?.record.beacon.reveal ?? null, run, window),
      'record.assignmentSeed',
    ),
    ...(previous ? differences(record.beacon.commit, previous.next.beaconCommit, 'record.beacon.commit') : []),
    ...differences(next.assignmentSeed, assignmentSeedOf(reveal, run, window + 1), 'next.assignmentSeed'),
  ];
}

/** Every contribution has its receipt, and every receipt that anybody holds its contribution. */
async function receiptDifferences(
  { run, manifest }: RunContext,
  source: AuditSource,
  { window, record, receipts, peers }: WindowBook,
  held: readonly SignedReceipt[],
): Promise<Difference[]> {
  const key = manifest.validator.publicKey;
  const isGenuine = ({ receipt, signature }: SignedReceipt): boolean =>
    verifyHex('receipt', canonicalBytes(receipt), signature, key);
  const published = receipts.map(({ signed }) => signed);
  const listed = byHotkey(
    record.contributions.map(({ hotkey, sha256: hash, bytes, arrivedAt }) => ({
      run,
      window,
      hotkey,
      sha256: hash,
      bytes,
      arrivedAt,
    })),
  );
  const found = [
    ...published.flatMap((signed) => holds(`receipts.${signed.receipt.hotkey} is signed`, isGenuine(signed))),
    ...differences(listed, byHotkey(published.map(({ receipt }) => receipt)), 'record.contributions'),
    ...record.contributions.flatMap(({ hotkey, arrivedAt }) =>
      holds(
        `record.contributions.${hotkey}.arrivedAt is in time`,
        Date.parse(arrivedAt) <= Date.parse(record.putClosesAt) && Date.parse(arrivedAt) >= Date.parse(record.opensAt),
      ),
    ),
  ];
  const shown = await Promise.all(peers.map(({ hotkey }) => source.receipts(hotkey)));
  for (const signed of [...held, ...shown.flat()]) {
    const { receipt } = signed;
    if (receipt.run !== run || receipt.window !== window || !isGenuine(signed)) continue;
    if (listed[receipt.hotkey]?.sha256 === receipt.sha256) continue;
    found.push(differs(`record.contributions.${receipt.hotkey}`, null, receipt));
  }
  return found;
}

/** @throws AuditSourceError when a step is missing */
async function stepsSince(source: AuditSource, { window, checkpoint }: WindowBook): Promise<StepRow[]> {
  const count = window - checkpoint.window;
  const summaries = count > 0 ? await source.windows(checkpoint.window, count) : [];
  const steps = summaries.flatMap(({ window: of, outerStep, stateRoot }): StepRow[] =>
    outerStep && stateRoot !== null ? [{ ...outerStep, window: of, stateRoot }] : [],
  );
  if (steps.length !== Math.max(0, count)) throw new AuditSourceError('outer steps since the checkpoint are missing');
  return steps;
}

/** Nobody is left out, and everybody begins as the books before left them. */
async function peerDifferences(
  { manifest: { gauntlet } }: RunContext,
  bookOf: (window: number) => Promise<SignedBook>,
  { window, record, peers }: WindowBook,
): Promise<Difference[]> {
  const found: Difference[] = [];
  const listed = byHotkey(peers);
  for (const { hotkey } of record.contributions) {
    found.push(...holds(`peers.${hotkey} takes part`, Boolean(listed[hotkey]?.scored)));
  }
  const unseen = new Map(peers.map((peer) => [peer.hotkey, peer]));
  for (let earlier = window - 1; earlier >= 1 && unseen.size > 0; earlier--) {
    const { book } = await bookOf(earlier);
    for (const { hotkey, uid, after } of book.peers) {
      if (earlier === window - 1 && !listed[hotkey]) {
        // A uid that was taken over has left with its peer.
        const taken = peers.some((peer) => peer.uid === uid);
        const expected = isActive(after, window, gauntlet) || idleFigures(after, window, gauntlet) !== undefined;
        found.push(...holds(`peers.${hotkey} is listed`, taken || !expected));
      }
      const peer = unseen.get(hotkey);
      if (!peer) continue;
      unseen.delete(hotkey);
      // Under another uid it is a new peer.
      const stood = peer.uid === uid ? after : freshFigures(gauntlet);
      found.push(...differences(peer.before, stood, `peers.${hotkey}.before`));
    }
  }
  for (const { hotkey, before } of unseen.values()) {
    found.push(...differences(before, freshFigures(gauntlet), `peers.${hotkey}.before`));
  }
  return found;
}

function fastDifferences(
  { hotkey, scored, verdicts }: PeerBook,
  fast: ReadonlyMap<string, FastResult>,
  rows: readonly ContributionRow[],
): Difference[] {
  const result = fast.get(hotkey)!;
  const { delivered, wellFormed, passed, sync, otherData } = scored!;
  return [
    ...differences(
      { delivered, wellFormed, passed, sync, otherData },
      {
        delivered: rows.some((row) => row.hotkey === hotkey),
        wellFormed: result.wellFormed,
        passed: result.valid !== null,
        sync: result.sync,
        otherData: result.otherData,
      },
      `peers.${hotkey}.scored`,
    ),
    ...differences(verdicts.slice(0, result.verdicts.length), result.verdicts, `peers.${hotkey}.verdicts`),
  ];
}

const pagesOf = ({ hotkey, assigned, random }: Evaluation | LossResult) => ({
  hotkey,
  assigned: assigned.pages,
  random: random.pages,
});

const lossesOf = ({ hotkey, assigned, random }: Evaluation | LossResult) => ({
  hotkey,
  assigned: { before: assigned.before, after: assigned.after },
  random: { before: random.before, after: random.after },
});

function pageDifferences(published: readonly Evaluation[], measured: readonly LossResult[]): Difference[] {
  return differences(byHotkey(published.map(pagesOf)), byHotkey(measured.map(pagesOf)), 'record.evaluated');
}

function lossDifferences(published: readonly Evaluation[], measured: readonly LossResult[]): Difference[] {
  return differences(
    byHotkey(published.map(lossesOf)),
    byHotkey(measured.map(lossesOf)),
    'record.evaluated',
    LOSS_TOLERANCE,
  );
}

function figureDifferences(
  { manifest: { gauntlet } }: RunContext,
  { window, record, peers }: WindowBook,
  inputs: readonly ScoredPeer[],
  figures: ReadonlyMap<string, Figures>,
): Difference[] {
  const ratingOf = ({ rating }: Figures): Rating => ({ ...rating, ordinal: ordinal(rating, gauntlet.rating) });
  const inputOf = byHotkey(inputs);
  return [
    ...peers.flatMap(({ hotkey, before, after, scored }) => [
      ...differences(
        after,
        figures.get(hotkey) ?? idleFigures(before, window, gauntlet),
        `peers.${hotkey}.after`,
        FIGURE_TOLERANCE,
      ),
      ...(scored
        ? differences(scored.lossScores, inputOf[hotkey]!.lossScores, `peers.${hotkey}.scored.lossScores`)
        : []),
    ]),
    ...record.evaluated.flatMap(({ hotkey, rating }) => {
      const before = inputOf[hotkey]?.before;
      const after = figures.get(hotkey);
      const expected = before && after && { before: ratingOf(before), after: ratingOf(after) };
      return differences(rating, expected, `record.evaluated.${hotkey}.rating`, FIGURE_TOLERANCE);
    }),
  ];
}

function verdictDifferences(
  { manifest: { gauntlet } }: RunContext,
  { window, peers }: WindowBook,
  scored: readonly (ScoredPeer & { readonly after: Figures })[],
  fast: ReadonlyMap<string, FastResult>,
): Difference[] {
  const found = scoredVerdicts(window, scored, gauntlet);
  const expected = new Map(
    scored.map(({ hotkey }, i) => [hotkey, [...fast.get(hotkey)!.verdicts, ...found[i]!]] as const),
  );
  return peers.flatMap(({ hotkey, before, after, verdicts }) =>
    differences(
      verdicts,
      expected.get(hotkey) ?? idleVerdicts(window, { before, after }),
      `peers.${hotkey}.verdicts`,
      FIGURE_TOLERANCE,
    ),
  );
}
