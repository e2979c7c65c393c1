/** What Gauntlet knows of a peer between windows: public, and all that scoring takes from the past. */
import * as z from 'zod';

/** How many windows or evaluations a history holds, at most. */
const MAX_HISTORY = 32;

/** One digit an entry, oldest first: 1 for good. */
const historySchema = z.string().regex(new RegExp(`^[01]{0,${MAX_HISTORY}}$`));

/** What profiles with a memory for conduct go by; the others leave it as it starts. */
export const ConductSchema = z.strictObject({
  /** Windows in which a contribution was expected: 1 where one was accepted. */
  deliveries: historySchema,
  /** Windows without a contribution since the newest one, counted from when the peer stood to be aggregated. */
  missesInRow: z.int().nonnegative(),
  /** Evaluations: 1 where the loss on random pages fell. */
  evaluations: historySchema,
  /** Evaluations since the newest that lowered the loss. */
  negativesInRow: z.int().nonnegative(),
  /** The last window of a ban, 0 for none. */
  naughtyUntil: z.int().nonnegative(),
});
export type Conduct = z.infer<typeof ConductSchema>;

export const FiguresSchema = z
  .strictObject({
    rating: z.strictObject({ mu: z.number(), sigma: z.number() }),
    /** μ of the proof of computation, -1 to 1. */
    poc: z.number(),
    /** Newest sync score, 0 to 1. */
    sync: z.number().nullable(),
    /** Product of the cuts in force, 0 to 1. */
    gate: z.number(),
    peerScore: z.number(),
    weight: z.number(),
    rank: z.int().positive().nullable(),
    /** Evaluations beside others' since it joined or was long away: what probation counts. */
    evaluations: z.int().nonnegative(),
    /** Windows since its turn for evaluation last came. */
    waited: z.int().nonnegative(),
    /** Window of the newest accepted contribution, 0 for none. */
    lastDelivered: z.int().nonnegative(),
    flags: z.array(z.string().max(40)).max(8),
    conduct: ConductSchema,
  })
  .meta({ id: 'Figures' });
export type Figures = z.infer<typeof FiguresSchema>;
