/** Publishing a judged window: blobs first, each durable and harmless to repeat, then one transaction. */
import type { WindowRecord } from '../../core/protocol/api.ts';
import { writeBook } from './books.ts';
import { instant, type RoundsPorts, type RunContext } from './context.ts';
import { inLanes } from './in-lanes.ts';
import type { Judgement } from './judge.ts';
import { writeCheckpoint } from './parameters.ts';
import type { OpenWindow } from './store.ts';
import { summaryOf } from './summary.ts';
import { beginWindow } from './windows.ts';

/** As many as count: further ones are somebody's flood. */
const MAX_REFUSALS = 100_000;
/** Tickets of this many windows back are remembered, so that a late upload hears "too late" and not "unknown". */
const TICKET_WINDOWS = 2;
/** Contributions made public at once: each waits for the disk or the store. */
const PUBLISHING_LANES = 8;

/** @throws Error when the window was published already */
export async function publishWindow(
  context: RunContext,
  ports: RoundsPorts,
  open: OpenWindow,
  judgement: Judgement,
): Promise<{ record: WindowRecord; next: OpenWindow }> {
  const { run, manifest, scheme } = context;
  const { store, blobs, uploads, clock, randomBytes } = ports;
  const { window } = open;
  const outerStep = await blobs.put(judgement.step);
  await inLanes(judgement.contributions, PUBLISHING_LANES, ({ sha256 }) => uploads.publish(sha256));
  const { chunkBytes, everyWindows } = manifest.checkpoint;
  const checkpoint =
    window % everyWindows === 0
      ? await writeCheckpoint(blobs, judgement.parameters, { window: window + 1, root: judgement.root, chunkBytes })
      : null;

  const publishedAt = clock.now();
  const record: WindowRecord = {
    run,
    window,
    phase: 'publish',
    opensAt: instant(open.opensAt),
    putOpensAt: instant(open.putOpensAt),
    putClosesAt: instant(open.putClosesAt),
    publishedAt: instant(publishedAt),
    assignmentSeed: open.assignmentSeed,
    learningRate: scheme.learningRate(window),
    lossBefore: judgement.lossBefore,
    lossAfter: judgement.lossAfter,
    participants: judgement.contributions.length,
    contributions: judgement.contributions.map(({ hotkey, sha256, bytes, arrivedAt, pagesTrained }) => ({
      hotkey,
      sha256,
      bytes,
      arrivedAt,
      pagesTrained,
    })),
    evaluated: [...judgement.evaluated],
    aggregated: [...judgement.aggregated],
    beacon: {
      commit: open.beaconCommit,
      reveal: open.beaconSecret,
      ...(judgement.closingBlock ? { block: judgement.closingBlock } : {}),
    },
    outerStep,
    stateRoot: judgement.root,
  };
  const next = beginWindow({
    run,
    window: window + 1,
    opensAt: publishedAt,
    previousReveal: open.beaconSecret,
    stateRoot: judgement.root,
    length: manifest.window,
    secret: randomBytes(),
  });
  const book = await writeBook(context, ports, open, judgement, record, next);
  const { verdicts, history, peers } = judgement;
  const summary = summaryOf(record, verdicts, await store.refusals(window, MAX_REFUSALS), manifest);
  const forgetTicketsBefore = next.window - TICKET_WINDOWS;
  await store.closeWindow({
    record,
    summary,
    verdicts,
    history,
    peers,
    checkpoint,
    book,
    next,
    forgetTicketsBefore,
  });
  return { record, next };
}
