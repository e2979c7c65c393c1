/** The block that a beacon names, against the chain itself and against the blocks that a window takes. */
import { ChainError } from '../../chain/errors.ts';
import type { BeaconBlock } from '../../core/gauntlet/beacon.ts';
import type { WindowRecord } from '../../core/protocol/api.ts';
import type { RunManifest } from '../../core/protocol/manifest.ts';
import type { AuditOptions, Finding } from './audit.ts';
import { differences } from './differences.ts';

/** @param blockHash without it nothing is compared, and the finding says so */
export async function findBeaconBlock(
  { number, hash }: BeaconBlock,
  blockHash: AuditOptions['blockHash'],
): Promise<Finding> {
  const check = 'beacon block on the chain';
  const against = (said: string): Finding => ({
    check,
    differences: differences(hash, said, 'record.beacon.block.hash'),
  });
  if (!blockHash) return { check, differences: [], unchecked: 'The chain was not asked.' };
  try {
    return against(await blockHash(number));
  } catch (error) {
    if (!(error instanceof ChainError)) throw error;
    // The chain did answer: it has no such block.
    if (error.kind === 'invalid') return against(error.message);
    return { check, differences: [], unchecked: error.message };
  }
}

/** A window opens at the block that closed the one before, or later, and lasts its blocks, or longer. */
export function leavesItsBlocks(
  { chain }: Pick<RunManifest, 'chain'>,
  { beacon }: Pick<WindowRecord, 'beacon'>,
  previous: Pick<WindowRecord, 'beacon'> | undefined,
): boolean {
  if (!chain || !beacon.block) return true;
  return beacon.block.number >= (previous?.beacon.block?.number ?? 0) + chain.trainBlocks + chain.putBlocks;
}
