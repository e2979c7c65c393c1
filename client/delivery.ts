/** From bytes to a signed receipt: waits for the put phase, uploads, tries again while there is time. */
import { canonicalBytes } from '../core/identity/canonical.ts';
import { signHex, verifyHex } from '../core/identity/signing.ts';
import type { SignedReceipt } from '../core/protocol/api.ts';
import { sha256Hex } from './api.ts';
import type { ContributorContext } from './context.ts';
import { UPLOAD_MARGIN_MS } from './deadline.ts';
import type { Deadlines } from './deadlines.ts';
import { failureOf } from './failure.ts';
import { UnreachableError } from './http.ts';
import { joinWhenSigned } from './joining.ts';
import type { Session } from './session.ts';

const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 2_000;
/** Past the opening of the put phase by so much, the server's clock has surely seen it too. */
const PUT_OPENS_MS = 20;

/** @throws what the last attempt threw when the window's time is up; the signal's reason when aborted */
export async function deliver(
  context: ContributorContext,
  session: Session,
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
  const request = {
    ticket,
    signature: await signHex(ports.identity.sessionSigner, 'ticket', canonicalBytes(ticket)),
  };
  let unsigned = false;
  for (let attempt = 0; ; attempt++) {
    for (let early = untilOpens(); early > 0; early = untilOpens()) {
      status({ kind: 'waiting', window, waitingFor: 'put' });
      await ports.sleep(Math.min(early + PUT_OPENS_MS, deadlines.holdMs), signal);
    }
    try {
      if (unsigned) await joinWhenSigned(context, run, () => untilCloses() - UPLOAD_MARGIN_MS);
      unsigned = false;
      status({ kind: 'uploading', window, bytes: 0, totalBytes: bytes.length });
      const started = ports.now();
      const signed = await api.upload(await api.ticket(request, signal), bytes, signal);
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
      if (!retriable || untilCloses() < delayMs + UPLOAD_MARGIN_MS) throw error;
      await ports.sleep(delayMs, signal);
      if (failure.kind === 'early') await deadlines.refresh();
    }
  }
}
