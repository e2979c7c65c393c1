/** What the API says of a run's chain. Schemas and types only. */
import * as z from 'zod';
import { BlockHashSchema, ChainEndpointSchema } from './manifest.ts';
import { HotkeySchema, InstantSchema } from './primitives.ts';

const blockNumber = z.int().nonnegative();

export const BlockHeadSchema = z.object({ number: blockNumber, hash: BlockHashSchema }).meta({ id: 'BlockHead' });

/** Blocks that a window's phases end at; part of the clock in a run with a chain. */
export const WindowBlocksSchema = z
  .object({
    /** The newest finalised block; null until one is known. */
    head: blockNumber.nullable(),
    putOpens: blockNumber,
    putCloses: blockNumber,
  })
  .meta({ id: 'WindowBlocks' });
export type WindowBlocks = z.infer<typeof WindowBlocksSchema>;

/** GET /v1/chain */
export const ChainStateSchema = z
  .object({
    genesisHash: BlockHashSchema,
    netuid: z.int().nonnegative(),
    /** Null while no endpoint answers. */
    endpoint: ChainEndpointSchema.nullable(),
    specVersion: z.int().nonnegative().nullable(),
    head: BlockHeadSchema.nullable(),
    /** The validator's last setting of weights; null where it sets none, or has not yet. */
    weights: z
      .object({
        /** Hotkey that signed. */
        hotkey: HotkeySchema,
        window: z.int().nonnegative(),
        at: InstantSchema,
        outcome: z.enum(['set', 'committed', 'waiting', 'refused']),
        block: blockNumber.nullable(),
        /** One sentence: what was done, or why not. */
        detail: z.string(),
      })
      .nullable(),
  })
  .meta({ id: 'ChainState' });
export type ChainState = z.infer<typeof ChainStateSchema>;

/** One reading of a hotkey's figures on the chain by the validator. */
export const ChainRecordSchema = z
  .object({
    block: blockNumber,
    at: InstantSchema,
    uid: z.int().nonnegative(),
    /** Share of the subnet's incentive, 0 … 1. */
    incentive: z.number(),
    /** Alpha of the last epoch. */
    emission: z.number(),
    /** Alpha. */
    stake: z.number().nullable(),
    /** Place by incentive among neurons without a validator permit, from 1. */
    rank: z.int().positive().nullable(),
    /** TAO for an alpha at that block. */
    alphaPrice: z.number().nullable(),
    /** This validator's own Gauntlet weight for it then, a share of 1; null for a hotkey that is no peer. */
    gauntletWeight: z.number().nullable(),
  })
  .meta({ id: 'ChainRecord' });
export type ChainRecord = z.infer<typeof ChainRecordSchema>;

/** GET /v1/chain/records/:hotkey?limit= : one reading an epoch, oldest first, at most 500. */
export const ChainRecordsSchema = z.array(ChainRecordSchema).meta({ id: 'ChainRecords' });
