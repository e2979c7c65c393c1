/**
 * Uploads: a signed request gets a ticket, the ticket takes the bytes, the bytes get a receipt. A receipt is given
 * only after bytes and record are durable; a refusal leaves nothing behind but its count. Where peers reach the store
 * themselves, the bytes go there, and the store's clock says when they came.
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { verdictOfProblem } from '../../core/gauntlet/fast-checks.ts';
import { canonicalBytes } from '../../core/identity/canonical.ts';
import { signHex, verifySignature } from '../../core/identity/signing.ts';
import type { Phase, SignedReceipt, Ticket, TicketRequest } from '../../core/protocol/api.ts';
import { MAX_CONTRIBUTION_HEADER_BYTES } from '../../core/protocol/contribution.ts';
import { ProblemError } from '../../core/protocol/problem.ts';
import { maxContributionBytes } from '../../core/wire/contribution.ts';
import { instant, type RoundsPorts, type RunContext } from './context.ts';
import { assertInForce, assertStillRegistered } from './delegations.ts';
import { assertBelongs } from './inspect.ts';
import { inLanes } from './in-lanes.ts';
import type { ArrivedUpload, DirectUploads, HeldUpload, JudgeEngine, StagedUpload } from './ports.ts';
import type { OpenWindow, TicketRow } from './store.ts';

const MAX_IN_FLIGHT = 256;
const MAX_IN_FLIGHT_PER_TICKET = 2;
const TICKET_ID_BYTES = 32;
/** The store judges lateness by its own clock; an address that ends with the put phase would cut off who is in time. */
const PERMIT_MARGIN_MS = 60_000;
/** Uploads fetched from the store at once when a put phase has ended. */
const COLLECTING_LANES = 8;
/** Verdicts of refused uploads kept for a peer and window: enough to see why, too few to fill a disk with. */
const KEPT_REFUSALS = 8;

/** Seen by the uploads of the state machine. */
export interface UploadWindow {
  open(): OpenWindow;
  phase(): Phase;
  engine(): Pick<JudgeEngine, 'inspect'>;
}

export interface Uploads {
  /**
   * @throws ProblemError `wrong-run`, `wrong-window`, `unknown-window`, `unknown-hotkey`, `delegation-expired`,
   *   `wrong-signature`, `too-large`, `malformed-contribution`, `too-late`, `already-delivered`
   */
  ticket(window: number, request: TicketRequest): Promise<Ticket>;
  /**
   * @param declared the Content-Length
   * @throws ProblemError for everything that keeps the bytes from being accepted; then only the refusal is counted
   */
  receive(
    ticket: string,
    declared: number | undefined,
    body: ReadableStream<Uint8Array> | null,
  ): Promise<SignedReceipt>;
  /**
   * Takes what the peer put into the store under its ticket.
   *
   * @throws ProblemError as `receive`, `not-arrived`
   */
  arrived(ticket: string): Promise<SignedReceipt>;
  /** Resolves when every upload that arrived here in time is on record. */
  settled(): Promise<void>;
  /** Resolves when no upload is under way, arriving ones included. */
  ended(): Promise<void>;
  /** Takes what came into the store in time and was not announced: its peer lost touch, or the answer was lost. */
  collectRest(): Promise<void>;
}

export function createUploads(context: RunContext, ports: RoundsPorts, state: UploadWindow): Uploads {
  const { run, scheme } = context;
  const { clock, store, verify = verifySignature } = ports;
  const { direct } = ports.uploads;
  /** All of this process, and of these what the judge waits for. */
  const underWay = new Set<Promise<SignedReceipt>>();
  const finishing = new Set<Promise<SignedReceipt>>();
  const inFlight = new Map<string, number>();
  let totalInFlight = 0;
  const maxBytes = maxContributionBytes(scheme.bodyBytes);
  const minBytes = maxBytes - MAX_CONTRIBUTION_HEADER_BYTES;

  const tooLate = (window: number): ProblemError =>
    new ProblemError('too-late', `The put phase of window ${window} has closed; this window is lost, the next is not.`);

  /** @throws ProblemError unless the window takes bytes at this moment, by this server's clock */
  function assertPutPhase(window: number): void {
    const open = state.open();
    const phase = state.phase();
    if (window !== open.window || phase === 'judge' || phase === 'publish') throw tooLate(window);
    if (phase === 'train') {
      throw new ProblemError(
        'too-early',
        `The put phase of window ${window} opens at ${instant(open.putOpensAt)}; upload then.`,
      );
    }
  }

  /** @throws ProblemError unless the window takes bytes now, and the ticket's session key is still in force */
  async function assertMayArrive({ window, hotkey }: TicketRow): Promise<void> {
    assertPutPhase(window);
    const peer = await store.peer(hotkey);
    if (peer) assertInForce(peer, clock.now());
  }

  function assertTicketWindow(window: number): void {
    const open = state.open();
    if (window > open.window)
      throw new ProblemError('unknown-window', `Window ${window} has not opened; the current one is ${open.window}.`);
    const phase = state.phase();
    if (window < open.window || phase === 'judge' || phase === 'publish') throw tooLate(window);
  }

  function assertSize(bytes: number): void {
    if (bytes > maxBytes)
      throw new ProblemError('too-large', `A contribution to this run has at most ${maxBytes} bytes, not ${bytes}.`);
    if (bytes < minBytes) {
      throw new ProblemError(
        'malformed-contribution',
        `A contribution to this run has at least ${minBytes} bytes, not ${bytes}.`,
      );
    }
  }

  async function ticket(window: number, { ticket: wanted, signature }: TicketRequest): Promise<Ticket> {
    if (wanted.run !== run)
      throw new ProblemError('wrong-run', `The ticket is for run ${wanted.run}; this validator runs ${run}.`);
    if (wanted.window !== window) {
      throw new ProblemError(
        'wrong-window',
        `The ticket is signed for window ${wanted.window} and was asked of window ${window}.`,
      );
    }
    const peer = await store.peer(wanted.hotkey);
    if (!peer)
      throw new ProblemError('unknown-hotkey', `${wanted.hotkey} has not joined this run: POST /v1/peers first.`);
    if (!verify('ticket', canonicalBytes(wanted), hexToBytes(signature), hexToBytes(peer.sessionKey))) {
      throw new ProblemError('wrong-signature', 'The ticket is not signed by the session key of its hotkey.');
    }
    assertInForce(peer, clock.now());
    await assertStillRegistered(wanted.hotkey, context.manifest, ports.chain);
    assertTicketWindow(window);
    assertSize(wanted.bytes);
    const earlier = await store.contribution(window, wanted.hotkey);
    if (earlier && earlier.sha256 !== wanted.sha256) throw alreadyDelivered(earlier.sha256);
    const { hotkey, sha256, bytes } = wanted;
    const id = bytesToHex(crypto.getRandomValues(new Uint8Array(TICKET_ID_BYTES)));
    const live = await store.issueTicket({ id, window, hotkey, sha256, bytes, sessionKey: peer.sessionKey });
    const { putClosesAt } = state.open();
    const issued = { url: `/v1/uploads/${live.id}`, expiresAt: instant(putClosesAt) };
    return direct ? { ...issued, store: await direct.permit(live, putClosesAt + PERMIT_MARGIN_MS) } : issued;
  }

  const alreadyDelivered = (sha256Hex: string): ProblemError =>
    new ProblemError(
      'already-delivered',
      `Contribution ${sha256Hex} was accepted for this window; there is one a window.`,
    );

  /** Takes the bytes as they come: exactly as many as the ticket says. */
  async function drain(
    live: TicketRow,
    body: ReadableStream<Uint8Array>,
    staged: StagedUpload,
    mayArrive: () => void,
  ): Promise<void> {
    let count = 0;
    const reader = body.getReader();
    try {
      for (;;) {
        const next = await reader.read().catch((cause: unknown) => {
          throw new ProblemError(
            'truncated-upload',
            `The connection broke after ${count} of ${live.bytes} bytes; send it again.`,
            { cause },
          );
        });
        if (next.done) break;
        mayArrive();
        count += next.value.length;
        if (count > live.bytes) {
          throw new ProblemError('too-large', `The ticket is for ${live.bytes} bytes and more arrived.`);
        }
        await staged.write(next.value);
      }
    } finally {
      // Tells the other side to stop sending; after the end it does nothing.
      await reader.cancel().catch(() => undefined);
    }
    if (count < live.bytes) {
      throw new ProblemError('truncated-upload', `${count} of ${live.bytes} bytes arrived; send it again.`);
    }
  }

  /** @throws ProblemError `wrong-hash` unless the ticket is for these bytes */
  async function assertHash({ sha256 }: TicketRow, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const hash = bytesToHex(await ports.digest(bytes));
    if (hash === sha256) return;
    throw new ProblemError('wrong-hash', `The bytes hash to ${hash}; the ticket is for ${sha256}.`);
  }

  /** Everything after the last byte: from here on the judge waits. */
  async function finish(
    live: TicketRow,
    staged: HeldUpload,
    stateRoot: string,
    arrivedAt: number,
  ): Promise<SignedReceipt> {
    const { window, hotkey, sessionKey } = live;
    const bytes = await staged.bytes();
    await assertHash(live, bytes);
    const header = await state.engine().inspect({ bytes, sessionKey });
    assertBelongs(context, header, live, stateRoot);
    const receipt = { run, window, hotkey, sha256: live.sha256, bytes: live.bytes, arrivedAt: instant(arrivedAt) };
    const signed = { receipt, signature: await signHex(ports.signer, 'receipt', canonicalBytes(receipt)) };
    await staged.seal(live.sha256);
    const kept = await store.accept({
      window,
      hotkey,
      sha256: live.sha256,
      bytes: live.bytes,
      arrivedAt: receipt.arrivedAt,
      pagesTrained: header.pagesTrained,
      sessionKey,
      receipt: signed,
    });
    if (kept.sha256 !== live.sha256) {
      await ports.uploads.release(live.sha256);
      throw alreadyDelivered(kept.sha256);
    }
    if (kept.receipt === signed) ports.metrics.accepted(live.bytes);
    ports.log.info({ run, window, hotkey, bytes: live.bytes }, 'contribution accepted');
    return kept.receipt;
  }

  async function take(
    live: TicketRow,
    declared: number | undefined,
    body: ReadableStream<Uint8Array> | null,
  ): Promise<SignedReceipt> {
    const earlier = await store.contribution(live.window, live.hotkey);
    if (earlier && earlier.sha256 !== live.sha256) throw alreadyDelivered(earlier.sha256);
    if (!earlier) await assertMayArrive(live);
    if (!ports.uploads.begin) {
      throw new ProblemError('malformed-request', 'PUT the bytes to the store that the ticket names, and POST here.');
    }
    if (declared === undefined) {
      throw new ProblemError('length-required', `Send Content-Length: ${live.bytes}, as the ticket says.`);
    }
    if (declared > live.bytes)
      throw new ProblemError('too-large', `The ticket is for ${live.bytes} bytes, not ${declared}.`);
    if (declared < live.bytes || !body) {
      throw new ProblemError('truncated-upload', `The ticket is for ${live.bytes} bytes, not ${declared}.`);
    }
    const staged = await ports.uploads.begin();
    try {
      await drain(live, body, staged, () => {
        if (!earlier) assertPutPhase(live.window);
      });
      if (earlier) {
        await assertHash(live, await staged.bytes());
        // A retry of what was accepted gets the receipt it missed.
        return earlier.receipt;
      }
      assertPutPhase(live.window);
      return await tracked(finishing, finish(live, staged, state.open().stateRoot, clock.now()));
    } finally {
      await staged.discard();
    }
  }

  async function tracked(among: Set<Promise<SignedReceipt>>, work: Promise<SignedReceipt>): Promise<SignedReceipt> {
    among.add(work);
    try {
      return await work;
    } finally {
      among.delete(work);
    }
  }

  /** @returns when it came, in the put phase. @throws ProblemError when it came outside of it */
  function arrivalOf(window: number, { arrivedAt, resolutionMs }: ArrivedUpload): number {
    const { putOpensAt, putClosesAt } = state.open();
    if (arrivedAt + resolutionMs <= putOpensAt) {
      throw new ProblemError(
        'too-early',
        `The put phase of window ${window} opens at ${instant(putOpensAt)}, and this came at ${instant(arrivedAt)}.`,
      );
    }
    if (arrivedAt - resolutionMs >= putClosesAt) throw tooLate(window);
    return Math.min(Math.max(arrivedAt, putOpensAt), putClosesAt);
  }

  async function judgeArrived(live: TicketRow, arrived: ArrivedUpload): Promise<SignedReceipt> {
    const { held, bytes } = arrived;
    const arrivedAt = arrivalOf(live.window, arrived);
    if (bytes > live.bytes) {
      throw new ProblemError('too-large', `The ticket is for ${live.bytes} bytes and ${bytes} arrived.`);
    }
    if (bytes < live.bytes) {
      throw new ProblemError('truncated-upload', `${bytes} of ${live.bytes} bytes arrived; send it again.`);
    }
    return finish(live, held, state.open().stateRoot, arrivedAt);
  }

  async function collect(from: DirectUploads, live: TicketRow): Promise<SignedReceipt> {
    const arrived = await from.collect(live.id);
    if (!arrived) {
      throw new ProblemError('not-arrived', 'The store holds nothing under this ticket: PUT the bytes there first.');
    }
    try {
      const receipt = await judgeArrived(live, arrived);
      await from.forget(live.id);
      return receipt;
    } catch (error) {
      // What failed for reasons of our own is looked at again.
      if (error instanceof ProblemError) await from.forget(live.id);
      throw error;
    } finally {
      await arrived.held.discard();
    }
  }

  async function takeArrived(live: TicketRow): Promise<SignedReceipt> {
    const earlier = await store.contribution(live.window, live.hotkey);
    if (earlier && earlier.sha256 !== live.sha256) throw alreadyDelivered(earlier.sha256);
    if (earlier) return earlier.receipt;
    if (!direct)
      throw new ProblemError('not-arrived', 'This validator takes the bytes itself: PUT them to this address.');
    // While the clock says that the put phase is over and the judge has not begun, what is in the store still counts.
    if (live.window !== state.open().window || state.open().judging) throw tooLate(live.window);
    const peer = await store.peer(live.hotkey);
    if (peer) assertInForce(peer, clock.now());
    return tracked(finishing, collect(direct, live));
  }

  async function collectRest(): Promise<void> {
    if (!direct) return;
    await inLanes(await store.unusedTickets(state.open().window), COLLECTING_LANES, async (live) => {
      try {
        await takeArrived(live);
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        if (error.key !== 'not-arrived') await refused(live, error);
      }
    });
  }

  async function refused(live: TicketRow, error: unknown): Promise<void> {
    if (!(error instanceof ProblemError)) return;
    ports.metrics.refused(error.key);
    ports.log.warn({ run, window: live.window, hotkey: live.hotkey, problem: error.key }, error.message);
    const verdict = verdictOfProblem(error, live.window);
    if (verdict) await store.refuse(live.hotkey, verdict, KEPT_REFUSALS);
  }

  /** Takes an upload in its turn: so many at once, and so many of them under one ticket. */
  async function admitted(id: string, work: (live: TicketRow) => Promise<SignedReceipt>): Promise<SignedReceipt> {
    const sameTicket = inFlight.get(id) ?? 0;
    if (totalInFlight >= MAX_IN_FLIGHT || sameTicket >= MAX_IN_FLIGHT_PER_TICKET) {
      throw new ProblemError('too-many-requests', 'Too many uploads at once: try again in a second.');
    }
    totalInFlight++;
    inFlight.set(id, sameTicket + 1);
    try {
      const live = await store.ticket(id);
      if (!live) throw new ProblemError('unknown-ticket', 'This ticket is unknown or too old: ask for a new one.');
      return await work(live).catch(async (error: unknown) => {
        await refused(live, error);
        throw error;
      });
    } finally {
      totalInFlight--;
      const left = inFlight.get(id)! - 1;
      if (left === 0) inFlight.delete(id);
      else inFlight.set(id, left);
    }
  }

  return {
    ticket,
    receive: (id, declared, body) =>
      tracked(
        underWay,
        admitted(id, (live) => take(live, declared, body)),
      ),
    arrived: (id) => tracked(underWay, admitted(id, takeArrived)),
    async ended() {
      while (underWay.size > 0) await Promise.allSettled(underWay);
    },
    async settled() {
      while (finishing.size > 0) await Promise.allSettled(finishing);
    },
    collectRest,
  };
}
