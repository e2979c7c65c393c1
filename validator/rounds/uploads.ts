/**
 * Uploads: a signed request gets a ticket, the ticket takes the bytes, the bytes get a receipt. A receipt is given
 * only after bytes and record are durable; a refusal leaves nothing behind but its count.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { verdictOfProblem } from '../../core/gauntlet/fast-checks.ts';
import { canonicalBytes } from '../../core/identity/canonical.ts';
import { signHex, verifyHex } from '../../core/identity/signing.ts';
import type { Phase, SignedReceipt, Ticket, TicketRequest } from '../../core/protocol/api.ts';
import { MAX_CONTRIBUTION_HEADER_BYTES } from '../../core/protocol/contribution.ts';
import { ProblemError } from '../../core/protocol/problem.ts';
import { maxContributionBytes } from '../../core/wire/contribution.ts';
import { instant, type RoundsPorts, type RunContext } from './context.ts';
import { assertInForce, assertStillRegistered } from './delegations.ts';
import { assertBelongs } from './inspect.ts';
import type { JudgeEngine, StagedUpload } from './ports.ts';
import type { OpenWindow } from './store.ts';
import { createTicketBook, type LiveTicket } from './tickets.ts';

const MAX_IN_FLIGHT = 256;
const MAX_IN_FLIGHT_PER_TICKET = 2;
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
  /** Resolves when every upload that arrived in time is on record. */
  settled(): Promise<void>;
  /** Forgets tickets that nobody can use or would miss. */
  forgetBefore(window: number): void;
}

export function createUploads(context: RunContext, ports: RoundsPorts, state: UploadWindow): Uploads {
  const { run, scheme } = context;
  const { clock, store } = ports;
  const book = createTicketBook();
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
  async function assertMayArrive({ window, hotkey }: LiveTicket): Promise<void> {
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
    if (!verifyHex('ticket', canonicalBytes(wanted), signature, peer.sessionKey)) {
      throw new ProblemError('wrong-signature', 'The ticket is not signed by the session key of its hotkey.');
    }
    assertInForce(peer, clock.now());
    await assertStillRegistered(wanted.hotkey, context.manifest, ports.chain);
    assertTicketWindow(window);
    assertSize(wanted.bytes);
    const earlier = await store.contribution(window, wanted.hotkey);
    if (earlier && earlier.sha256 !== wanted.sha256) throw alreadyDelivered(earlier.sha256);
    const live = book.issue(wanted, peer.sessionKey);
    return { url: `/v1/uploads/${live.id}`, expiresAt: instant(state.open().putClosesAt) };
  }

  const alreadyDelivered = (sha256Hex: string): ProblemError =>
    new ProblemError(
      'already-delivered',
      `Contribution ${sha256Hex} was accepted for this window; there is one a window.`,
    );

  /** Takes the bytes as they come. @returns their hash */
  async function drain(
    live: LiveTicket,
    body: ReadableStream<Uint8Array>,
    staged: StagedUpload,
    mayArrive: () => void,
  ): Promise<string> {
    const hash = sha256.create();
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
        hash.update(next.value);
        await staged.write(next.value);
      }
    } finally {
      // Tells the other side to stop sending; after the end it does nothing.
      await reader.cancel().catch(() => undefined);
    }
    if (count < live.bytes) {
      throw new ProblemError('truncated-upload', `${count} of ${live.bytes} bytes arrived; send it again.`);
    }
    return bytesToHex(hash.digest());
  }

  /** Everything after the last byte: from here on the judge waits. */
  async function finish(
    live: LiveTicket,
    staged: StagedUpload,
    stateRoot: string,
    arrivedAt: number,
  ): Promise<SignedReceipt> {
    const { window, hotkey, sessionKey } = live;
    const header = await state.engine().inspect({ bytes: await staged.bytes(), sessionKey });
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
    live: LiveTicket,
    declared: number | undefined,
    body: ReadableStream<Uint8Array> | null,
  ): Promise<SignedReceipt> {
    const earlier = await store.contribution(live.window, live.hotkey);
    if (earlier && earlier.sha256 !== live.sha256) throw alreadyDelivered(earlier.sha256);
    if (!earlier) await assertMayArrive(live);
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
      const hash = await drain(live, body, staged, () => {
        if (!earlier) assertPutPhase(live.window);
      });
      if (hash !== live.sha256)
        throw new ProblemError('wrong-hash', `The bytes hash to ${hash}; the ticket is for ${live.sha256}.`);
      // A retry of what was accepted gets the receipt it missed.
      if (earlier) return earlier.receipt;
      assertPutPhase(live.window);
      const finished = finish(live, staged, state.open().stateRoot, clock.now());
      finishing.add(finished);
      try {
        return await finished;
      } finally {
        finishing.delete(finished);
      }
    } finally {
      await staged.discard();
    }
  }

  async function refused(live: LiveTicket, error: unknown): Promise<void> {
    if (!(error instanceof ProblemError)) return;
    ports.metrics.refused(error.key);
    ports.log.warn({ run, window: live.window, hotkey: live.hotkey, problem: error.key }, error.message);
    const verdict = verdictOfProblem(error, live.window);
    if (verdict) await store.refuse(live.hotkey, verdict, KEPT_REFUSALS);
  }

  async function receive(
    id: string,
    declared: number | undefined,
    body: ReadableStream<Uint8Array> | null,
  ): Promise<SignedReceipt> {
    const live = book.find(id);
    if (!live) throw new ProblemError('unknown-ticket', 'This ticket is unknown or too old: ask for a new one.');
    const sameTicket = inFlight.get(id) ?? 0;
    if (totalInFlight >= MAX_IN_FLIGHT || sameTicket >= MAX_IN_FLIGHT_PER_TICKET) {
      throw new ProblemError('too-many-requests', 'Too many uploads at once: try again in a second.');
    }
    totalInFlight++;
    inFlight.set(id, sameTicket + 1);
    try {
      return await take(live, declared, body);
    } catch (error) {
      await refused(live, error);
      throw error;
    } finally {
      totalInFlight--;
      const left = inFlight.get(id)! - 1;
      if (left === 0) inFlight.delete(id);
      else inFlight.set(id, left);
    }
  }

  return {
    ticket,
    receive,
    async settled() {
      while (finishing.size > 0) await Promise.allSettled(finishing);
    },
    forgetBefore: (window) => {
      book.forgetBefore(window);
    },
  };
}
