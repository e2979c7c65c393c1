/**
 * Header of a contribution. On the wire: magic "GNTC", version (u8), header length (u32 LE), header (canonical JSON),
 * body, Ed25519 signature (64 bytes) by the session key over domain `contribution` and the SHA-256 of all before it.
 */
import * as z from 'zod';
import { HotkeySchema, RunIdSchema, Sha256Schema, WindowSchema } from './primitives.ts';

export const CONTRIBUTION_MAGIC = 'GNTC';
export const CONTRIBUTION_VERSION = 1;
/** A header longer than this is refused unread. */
export const MAX_CONTRIBUTION_HEADER_BYTES = 8_192;
export const SIGNATURE_BYTES = 64;

export const ContributionHeaderSchema = z.strictObject({
  run: RunIdSchema,
  window: WindowSchema,
  hotkey: HotkeySchema,
  scheme: z.enum(['decoupled-momentum', 'sparseloco']),
  /** State root of the parameters trained from. */
  root: Sha256Schema,
  /** Length of the prefix of the assignment that was trained. */
  pagesTrained: z.int().positive().max(65_536),
  /** SHA-256 over the concatenated hashes of the pages trained. */
  sampleDigest: Sha256Schema,
  /** Mean training loss, nats a token. */
  trainLoss: z.number().nonnegative(),
  /** Parameter values at the positions that core/gauntlet/sync.ts derives from window and hotkey. */
  syncSample: z.array(z.number()).max(256),
});

export type ContributionHeader = z.infer<typeof ContributionHeaderSchema>;
