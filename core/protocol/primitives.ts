/** The small words of the protocol: hashes, hotkeys, times. Schemas and types only, no logic. */
import * as z from 'zod';

/** SHA-256 in lower-case hex. */
export const Sha256Schema = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits')
  .meta({ id: 'Sha256' });

/** 32 random bytes in lower-case hex: a seed or a beacon's secret. */
export const Hex32Schema = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits');

/** Ed25519 signature in lower-case hex. */
export const SignatureSchema = z.string().regex(/^[0-9a-f]{128}$/, 'must be 128 lower-case hex digits');

/** Ed25519 public key in lower-case hex. */
export const PublicKeySchema = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits');

/** SS58 address (prefix 42) of an account: a wallet's hotkey or coldkey. */
export const AddressSchema = z.string().regex(/^[1-9A-HJ-NP-Za-km-z]{46,50}$/, 'must be an SS58 address');

/** SS58 address (prefix 42) of the public key that a peer is known by. Its checksum is verified where it is decoded. */
export const HotkeySchema = z
  .string()
  .regex(/^[1-9A-HJ-NP-Za-km-z]{46,50}$/, 'must be an SS58 address')
  .meta({ id: 'Hotkey' });

/** First 16 bytes of the SHA-256 of the canonical manifest, in lower-case hex. */
export const RunIdSchema = z
  .string()
  .regex(/^[0-9a-f]{32}$/, 'must be 32 lower-case hex digits')
  .meta({ id: 'RunId' });

/** Training round, counted from 1. */
export const WindowSchema = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);

/** UTC, ISO 8601 with milliseconds. Bounded, since a fraction of a second could otherwise go on for kilobytes. */
export const InstantSchema = z.iso.datetime().max(32);

/** A content-addressed blob: GET /v1/blobs/:sha256. */
export const BlobRefSchema = z
  .strictObject({
    sha256: Sha256Schema,
    bytes: z
      .int()
      .nonnegative()
      .max(2 ** 40),
  })
  .meta({ id: 'BlobRef' });

export type BlobRef = z.infer<typeof BlobRefSchema>;
