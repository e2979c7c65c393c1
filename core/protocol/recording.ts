/**
 * A run on file: the signed manifest and, window by window, what its validator published. From it a page answers as the
 * validator did then. Schemas and types only.
 */
import * as z from 'zod';
import { RefusalsSchema, SamplesSchema, WindowSummarySchema } from './api.ts';
import { SignedBookSchema } from './book.ts';
import { SignedManifestSchema } from './manifest.ts';
import { HotkeySchema, InstantSchema, WindowSchema } from './primitives.ts';

export const RECORDING_VERSION = 1;
export const MAX_RECORDED_WINDOWS = 10_000;

const RecordedPeerSchema = z.strictObject({
  hotkey: HotkeySchema,
  uid: z.int().nonnegative(),
  firstWindow: WindowSchema,
  delegation: z.strictObject({ issuedAt: InstantSchema, expiresAt: InstantSchema }),
});
export type RecordedPeer = z.infer<typeof RecordedPeerSchema>;

const RecordedWindowSchema = z.strictObject({
  summary: WindowSummarySchema,
  book: SignedBookSchema,
  refusals: RefusalsSchema,
});
export type RecordedWindow = z.infer<typeof RecordedWindowSchema>;

export const RecordingSchema = z
  .strictObject({
    format: z.literal('gauntlet-recording'),
    version: z.literal(RECORDING_VERSION),
    recordedAt: InstantSchema,
    run: SignedManifestSchema,
    /** One after another. */
    windows: z.array(RecordedWindowSchema).min(1).max(MAX_RECORDED_WINDOWS),
    /** Peers at the time of the recording. */
    peers: z.array(RecordedPeerSchema).max(100_000),
    samples: SamplesSchema,
    /** Where whoever recorded knows who is who, as of simulated peers. */
    labels: z
      .array(z.strictObject({ hotkey: HotkeySchema, name: z.string().max(64), kind: z.string().max(64) }))
      .max(100_000),
  })
  .refine(
    ({ windows }) => windows.every(({ summary }, i) => summary.window === windows[0]!.summary.window + i),
    'windows must follow one another',
  )
  .refine(
    ({ windows, run }) =>
      windows.every(({ summary, book: { book } }) => book.window === summary.window && book.run === run.run),
    'each book must be of its window and of the run',
  );
export type Recording = z.infer<typeof RecordingSchema>;
