/** The envelope of a contribution as bytes; its layout is described in `core/protocol/contribution.ts`. */
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import { canonicalBytes } from '../identity/canonical.ts';
import { signingBytes, verifySignature, type Signer } from '../identity/signing.ts';
import {
  CONTRIBUTION_MAGIC,
  CONTRIBUTION_VERSION,
  ContributionHeaderSchema,
  MAX_CONTRIBUTION_HEADER_BYTES,
  SIGNATURE_BYTES,
  type ContributionHeader,
} from '../protocol/contribution.ts';
import { ProblemError } from '../protocol/problem.ts';

const MAGIC = new TextEncoder().encode(CONTRIBUTION_MAGIC);
const AT_VERSION = 4;
const AT_HEADER_LENGTH = 5;
const AT_HEADER = 9;

/** Most bytes of a contribution whose body has `bodyBytes`: what an upload may declare. */
export function maxContributionBytes(bodyBytes: number): number {
  return AT_HEADER + MAX_CONTRIBUTION_HEADER_BYTES + bodyBytes + SIGNATURE_BYTES;
}

/**
 * @param body exactly the scheme's `bodyBytes`
 * @param signer the session key
 * @throws RangeError when the header does not satisfy its schema or is too long
 */
export async function encodeContribution(
  header: ContributionHeader,
  body: Uint8Array,
  signer: Signer,
): Promise<Uint8Array<ArrayBuffer>> {
  const parsed = ContributionHeaderSchema.safeParse(header);
  if (!parsed.success) throw new RangeError(`not a contribution header: ${parsed.error.message}`);
  const headerBytes = canonicalBytes(parsed.data);
  if (headerBytes.length > MAX_CONTRIBUTION_HEADER_BYTES) {
    throw new RangeError(`a header of ${headerBytes.length} bytes is too long`);
  }
  const head = new Uint8Array(AT_HEADER);
  head.set(MAGIC);
  head[AT_VERSION] = CONTRIBUTION_VERSION;
  new DataView(head.buffer).setUint32(AT_HEADER_LENGTH, headerBytes.length, true);
  const signed = concatBytes(head, headerBytes, body);
  const signature = await signer.sign(signingBytes('contribution', sha256(signed)));
  return concatBytes(signed, signature);
}

/**
 * Refuses whatever `encodeContribution` would not have written: lengths first, then the signature, then the header.
 * Whether run, window and hotkey are the expected ones is for `core/gauntlet/fast-checks.ts` to say.
 *
 * @param expected body length of the scheme, and the public key (hex) that the hotkey delegated to
 * @returns the body is a view into `bytes`
 * @throws ProblemError `malformed-contribution`, `truncated-upload` or `wrong-signature`
 */
export function decodeContribution(
  bytes: Uint8Array,
  expected: { readonly bodyBytes: number; readonly sessionKey: string },
): { header: ContributionHeader; body: Uint8Array } {
  const { headerBytes, body, signed, signature } = split(bytes, expected.bodyBytes);
  if (!verifySignature('contribution', sha256(signed), signature, hexToBytes(expected.sessionKey))) {
    throw new ProblemError('wrong-signature', 'The contribution is not signed by the session key of its hotkey.');
  }
  return { header: parseHeader(headerBytes), body };
}

/**
 * The body of a contribution whose signature and header do not matter.
 *
 * @returns a copy
 * @throws ProblemError `malformed-contribution` or `truncated-upload`
 */
export function contributionBody(bytes: Uint8Array, bodyBytes: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(split(bytes, bodyBytes).body);
}

interface Parts {
  readonly headerBytes: Uint8Array;
  readonly body: Uint8Array;
  /** All that the signature is over. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

function split(bytes: Uint8Array, bodyBytes: number): Parts {
  if (MAGIC.some((byte, i) => i < bytes.length && bytes[i] !== byte)) throw malformed('it does not start as one');
  if (bytes.length < AT_HEADER) throw truncated(bytes.length);
  if (bytes[AT_VERSION] !== CONTRIBUTION_VERSION) throw malformed(`version ${bytes[AT_VERSION]!} is unknown`);
  const headerLength = new DataView(bytes.buffer, bytes.byteOffset).getUint32(AT_HEADER_LENGTH, true);
  if (headerLength > MAX_CONTRIBUTION_HEADER_BYTES) throw malformed(`its header of ${headerLength} bytes is too long`);
  const bodyStart = AT_HEADER + headerLength;
  const signatureStart = bodyStart + bodyBytes;
  const end = signatureStart + SIGNATURE_BYTES;
  if (bytes.length < end) throw truncated(bytes.length, end);
  if (bytes.length > end) throw malformed(`it has ${bytes.length} bytes where this model's would have ${end}`);
  return {
    headerBytes: bytes.subarray(AT_HEADER, bodyStart),
    body: bytes.subarray(bodyStart, signatureStart),
    signed: bytes.subarray(0, signatureStart),
    signature: bytes.subarray(signatureStart),
  };
}

function parseHeader(bytes: Uint8Array): ContributionHeader {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw malformed('its header is not JSON', cause);
  }
  const parsed = ContributionHeaderSchema.safeParse(json);
  if (!parsed.success) throw malformed('its header does not satisfy the schema', parsed.error);
  // What was parsed is written again, so that nothing the schema skips can hide in the bytes.
  const canonical = canonicalBytes(parsed.data);
  if (canonical.length !== bytes.length || canonical.some((byte, i) => byte !== bytes[i])) {
    throw malformed('its header is not canonical JSON (RFC 8785)');
  }
  return parsed.data;
}

function malformed(detail: string, cause?: unknown): ProblemError {
  return new ProblemError('malformed-contribution', `Not a contribution to this run: ${detail}.`, { cause });
}

function truncated(length: number, expected?: number): ProblemError {
  const missing = expected === undefined ? '' : ` of ${expected}`;
  return new ProblemError(
    'truncated-upload',
    `The contribution ends after ${length}${missing} bytes. Upload it again.`,
  );
}
