/**
 * The peers of the load benchmark, all in one process: each a contributor's own joining, clock and delivery (retries
 * included) around contributions that are made in the train phase. Besides, guests that join and do nothing else.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { createValidatorApi, type ValidatorApi } from '../../client/api.ts';
import { followDeadlines } from '../../client/deadlines.ts';
import { deliver } from '../../client/delivery.ts';
import { codeOf } from '../../client/failure.ts';
import { messageOf } from '../../client/http.ts';
import { guestIdentity, type Identity } from '../../client/identity.ts';
import { joinWhenSigned, type SpeakingContext } from '../../client/joining.ts';
import { memoryEngine } from '../../client/memory-engine.ts';
import { createPace } from '../../client/pace.ts';
import { createReplica, type Replica } from '../../client/replica.ts';
import { createServerClock } from '../../client/server-clock.ts';
import { decodePageIndex } from '../../core/data/pages.ts';
import { memorySigner, randomSecretKey, type Signer } from '../../core/identity/signing.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import type { ClockState } from '../../core/protocol/api.ts';
import { createScheme } from '../../core/scheme/create-scheme.ts';
import { memoryBlobCache } from '../../simulate/node-ports.ts';
import { createContributionMaker } from './contributions.ts';
import { tell } from './messages.ts';

const [validatorUrl, peerCount] = process.argv.slice(2) as [string, string];
const POLL_MS = 250;
const JOINING_LANES = 8;

const ports = {
  now: Date.now,
  sleep: (ms: number, signal: AbortSignal): Promise<void> => delay(ms, undefined, { signal }),
};
const { signal } = new AbortController();
// All peers listen to it.
setMaxListeners(0, signal);
const plainApi = createValidatorApi({ baseUrl: validatorUrl, fetch });

interface Peer extends SpeakingContext {
  readonly hotkey: string;
  readonly signer: Signer;
}

/** Times of requests that came through, and counts of those that did not. */
interface Tally {
  ticketMs: number[];
  uploadMs: number[];
  refused: Record<string, number>;
}

const freshTally = (): Tally => ({ ticketMs: [], uploadMs: [], refused: {} });
let tally = freshTally();

/** What lies beneath an error, as the system names it. */
function rootOf(error: unknown): string {
  let root = error;
  while (root instanceof Error && root.cause !== undefined) root = root.cause;
  if (root === error) return '';
  return ` (${(root as { code?: string }).code ?? messageOf(root)})`;
}

const count = (counts: Record<string, number>, error: unknown): void => {
  const code = codeOf(error) + rootOf(error);
  counts[code] = (counts[code] ?? 0) + 1;
};

async function timed<T>(times: () => number[], work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  try {
    const result = await work();
    times().push(performance.now() - begun);
    return result;
  } catch (error) {
    count(tally.refused, error);
    throw error;
  }
}

const measuredApi: ValidatorApi = {
  ...plainApi,
  ticket: (request, cut) =>
    timed(
      () => tally.ticketMs,
      () => plainApi.ticket(request, cut),
    ),
  upload: (ticket, bytes, cut) =>
    timed(
      () => tally.uploadMs,
      () => plainApi.upload(ticket, bytes, cut),
    ),
};

function createPeer(): Peer {
  const signer = memorySigner(randomSecretKey());
  const identity: Identity = guestIdentity(signer);
  return {
    hotkey: identity.hotkey,
    signer,
    ports: { ...ports, identity },
    api: measuredApi,
    clock: createServerClock(measuredApi, ports.now),
    signal,
    status: () => undefined,
  };
}

/** The same for all, as it would be for each: θ, its step taken and its root compared. */
function createSharedReplica(run: string, manifest: Parameters<typeof createReplica>[0]['manifest']): Replica {
  const engine = memoryEngine();
  return createReplica({
    run,
    manifest,
    scheme: createScheme(manifest.scheme, parameterLayout(manifest.model)),
    api: plainApi,
    cache: memoryBlobCache(),
    engine: () => engine,
    emit: () => undefined,
  });
}

const { run, manifest } = await plainApi.run();
const scheme = createScheme(manifest.scheme, parameterLayout(manifest.model));
const { data } = manifest;
const hashes = decodePageIndex(await plainApi.blob(data.index), data.pages);
const maker = createContributionMaker(manifest, scheme, { train: data.pages - data.heldOutPages, hashes });
const replica = createSharedReplica(run, manifest);
const peers = Array.from({ length: Number(peerCount) }, createPeer);

async function inLanes<T>(items: readonly T[], lanes: number, work: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items];
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
    }),
  );
}

/**
 * Every peer reads the clock and has the newest step, at its own moment in the beginning of a window.
 *
 * @returns milliseconds that the step took; undefined where there is none, or it was not had
 */
async function catchUp(peer: Peer, { window }: ClockState, withinMs: number): Promise<number | undefined> {
  await delay(Math.random() * withinMs);
  try {
    await peer.clock.read();
    if (window === 1) return undefined;
    const begun = performance.now();
    const [row] = await plainApi.windows(window - 1, 1);
    await plainApi.blob(row!.outerStep!);
    return performance.now() - begun;
  } catch (error) {
    count(tally.refused, error);
    return undefined;
  }
}

async function playWindow(opened: ClockState): Promise<void> {
  const { window } = opened;
  tally = freshTally();
  const trainMs = Date.parse(opened.putOpensAt) - Date.now();
  const caughtUp = Promise.all(peers.map((peer) => catchUp(peer, opened, Math.max(0, trainMs / 3))));
  await replica.catchUp({ window, root: opened.stateRoot }, signal);
  const contributions: Uint8Array<ArrayBuffer>[] = [];
  for (const peer of peers) {
    contributions.push(await maker.make(opened, peer, replica.parameters));
    await delay(0);
  }
  const stepMs = (await caughtUp).filter((ms) => ms !== undefined);
  const receiptMs: number[] = [];
  const lost: Record<string, number> = {};
  const session = { run, manifest };
  const putOpensAt = Date.parse(opened.putOpensAt);
  await Promise.all(
    peers.map(async (peer, i) => {
      const deadlines = followDeadlines(peer, opened, Infinity);
      try {
        await deliver(peer, { ...session, hotkey: peer.hotkey, upload: createPace() }, deadlines, contributions[i]!);
        receiptMs.push(Math.max(0, Date.now() - putOpensAt));
      } catch (error) {
        count(lost, error);
      }
    }),
  );
  void tell({
    type: 'window',
    window,
    ticketMs: tally.ticketMs,
    uploadMs: tally.uploadMs,
    receiptMs,
    retries: tally.refused,
    lost,
    stepMs,
  });
}

/** Guests that come evenly, whether those before have been let in or not. */
async function joinGuests(guests: number, seconds: number): Promise<void> {
  const joinMs: number[] = [];
  const lost: Record<string, number> = {};
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: guests }, async (_, i) => {
      await delay((i * seconds * 1_000) / guests);
      const guest = createPeer();
      const asked = performance.now();
      try {
        await plainApi.join(await guest.ports.identity.joinRequest(run, Date.now()));
        joinMs.push(performance.now() - asked);
      } catch (error) {
        count(lost, error);
      }
    }),
  );
  void tell({ type: 'guests', joinMs, seconds: (performance.now() - begun) / 1_000, lost });
}

process.on('message', ({ guests, seconds }: { guests: number; seconds: number }) => void joinGuests(guests, seconds));
process.once('disconnect', () => process.exit());

await inLanes(peers, JOINING_LANES, (peer) => joinWhenSigned(peer, run));
void tell({ type: 'ready', joined: peers.length });
let played = 0;
let touch = true;
for (;;) {
  try {
    const clock = await plainApi.clock();
    if (clock.window > played && (clock.phase === 'train' || clock.phase === 'put')) {
      played = clock.window;
      await playWindow(clock);
    }
    touch = true;
  } catch (error) {
    // Said once: whoever is this busy does not answer for long.
    if (touch) console.error(`the peers lost touch: ${messageOf(error)}`);
    touch = false;
  }
  await delay(POLL_MS);
}
