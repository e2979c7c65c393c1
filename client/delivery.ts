/** From bytes to a signed receipt: waits for the put phase, uploads, tries again while there is time. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { canonicalBytes } from '../core/identity/canonical.ts';
import { signHex, verifyHex } from '../core/identity/signing.ts';
import type { SignedReceipt, Ticket, TicketRequest } from '../core/protocol/api.ts';
import { ProblemError } from '../core/protocol/problem.ts';
import { sha256Hex } from './api.ts';
import { UPLOAD_MARGIN_MS } from './deadline.ts';
import type { Deadlines } from './deadlines.ts';
import { failureOf, KeyChangedError } from './failure.ts';
import { UnreachableError } from './http.ts';
import { SignatureNeededError } from './identity.ts';
import { joinWhenSigned, type SpeakingContext } from './joining.ts';
import type { Session } from './session.ts';

const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 2_000;
/** Of a validator that is still away when its put phase should have ended. */
const LAST_RETURN_MS = 30_000;
/** Past the opening of the put phase by so much, the server's clock has surely seen it too. */
const PUT_OPENS_MS = 20;

/** @throws what the last attempt threw when the window's time is up; the signal's reason when aborted */
export async function deliver(
  context: SpeakingContext,
  session: Pick<Session, 'run' | 'hotkey' | 'manifest' | 'upload'>,
  deadlines: Deadlines,
  bytes: Uint8Array<ArrayBuffer>,
  /** After the opening of the put phase. */
  uploadAfterMs = 0,
): Promise<SignedReceipt> {
  const { ports, api, clock, status, signal } = context;
  const { run, hotkey, manifest, upload } = session;
  const { window } = deadlines.latest();
  const untilOpens = (): number => clock.msUntil(deadlines.latest().putOpensAt) + uploadAfterMs;
  const untilCloses = (): number => clock.msUntil(deadlines.latest().putClosesAt);
  const ticket = { run, window, hotkey, sha256: await sha256Hex(bytes), bytes: bytes.length };
  // The contribution is signed by it as well.
  const signer = ports.identity.sessionSigner;
  const request = { ticket, signature: await signHex(signer, 'ticket', canonicalBytes(ticket)) };
  /**
   * What could not be uploaded before the put phase ended waits for a validator that was away, with nothing else to do: one
   * that comes back, or is replaced, holds the phase anew.
   *
   * @throws `error` when the window is over all the same
   */
  async function waitForReturn(error: unknown): Promise<void> {
    for (let delayMs = LAST_RETRY_MS; ; delayMs = Math.min(LAST_RETURN_MS, 2 * delayMs)) {
      try {
        if ((await deadlines.refresh()) && untilCloses() > LAST_RETRY_MS + UPLOAD_MARGIN_MS) return;
      } catch (cause) {
        const { kind, reason } = failureOf(cause);
        if (kind !== 'retry') throw cause;
        status({ kind: 'retrying', reason, retryInSeconds: delayMs / 1_000 });
        await ports.sleep(delayMs, signal);
        continue;
      }
      throw error;
    }
  }

  let unsigned = false;
  for (let attempt = 0; ; attempt++) {
    for (let early = untilOpens(); early > 0; early = untilOpens()) {
      status({ kind: 'waiting', window, waitingFor: 'put' });
      await ports.sleep(Math.min(early + PUT_OPENS_MS, deadlines.holdMs), signal);
    }
    try {
      if (unsigned) await joinWhenSigned(context, run, () => untilCloses() - UPLOAD_MARGIN_MS);
      unsigned = false;
      if (bytesToHex(ports.identity.sessionSigner.publicKey) !== bytesToHex(signer.publicKey))
        throw new KeyChangedError();
      status({ kind: 'uploading', window, bytes: 0, totalBytes: bytes.length });
      const started = ports.now();
      const signed = await api.upload(await ticketFor(context, request), bytes, signal);
      if (!verifyHex('receipt', canonicalBytes(signed.receipt), signed.signature, manifest.validator.publicKey)) {
        throw new UnreachableError('the receipt is not signed by the validator');
      }
      upload.record(ports.now() - started);
      status({ kind: 'uploading', window, bytes: bytes.length, totalBytes: bytes.length });
      return signed;
    } catch (error) {
      const failure = failureOf(error);
      const delayMs = Math.min(LAST_RETRY_MS, deadlines.holdMs, FIRST_RETRY_MS * 2 ** attempt);
      unsigned ||= failure.kind === 'unsigned';
      const retriable = unsigned || failure.kind === 'retry' || failure.kind === 'early';
      if (!retriable) throw error;
      if (untilCloses() < delayMs + UPLOAD_MARGIN_MS) {
        if (failure.kind !== 'retry') throw error;
        await waitForReturn(error);
      } else await ports.sleep(delayMs, signal);
      if (failure.kind === 'early') await deadlines.refresh();
    }
  }
}

/** @throws SignatureNeededError when another key has taken the place of this one; whatever else the request throws */
async function ticketFor(
  { api, signal }: Pick<SpeakingContext, 'api' | 'signal'>,
  request: TicketRequest,
): Promise<Ticket> {
  try {
    return await api.ticket(request, signal);
  } catch (error) {
    // It was this hotkey’s key when it joined.
    if (error instanceof ProblemError && error.key === 'wrong-signature') {
      throw new SignatureNeededError('The account has signed for another key since, in another browser.', {
        cause: error,
      });
    }
    throw error;
  }
}
