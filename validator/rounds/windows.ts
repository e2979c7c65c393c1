/** How a window begins: its deadlines, its seed, and a secret that is committed to now and revealed at its end. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { assignmentSeedOf, beaconCommit } from '../../core/gauntlet/beacon.ts';
import type { RunManifest } from '../../core/protocol/manifest.ts';
import type { OpenWindow } from './store.ts';

export interface WindowStart {
  readonly run: string;
  readonly window: number;
  /** Milliseconds since the epoch. */
  readonly opensAt: number;
  /** Secret revealed by the window before, in hex; null in a run's first window. */
  readonly previousReveal: string | null;
  /** Root of the parameters it trains from. */
  readonly stateRoot: string;
  readonly length: RunManifest['window'];
  /** 32 random bytes. */
  readonly secret: Uint8Array;
}

export function beginWindow({
  run,
  window,
  opensAt,
  previousReveal,
  stateRoot,
  length,
  secret,
}: WindowStart): OpenWindow {
  const beaconSecret = bytesToHex(secret);
  const putOpensAt = opensAt + length.trainSeconds * 1_000;
  return {
    window,
    opensAt,
    putOpensAt,
    putClosesAt: putOpensAt + length.putSeconds * 1_000,
    // With a chain, the first block that is heard of while the window is open decides.
    blocks: null,
    assignmentSeed: assignmentSeedOf(previousReveal, run, window),
    beaconSecret,
    beaconCommit: beaconCommit(beaconSecret),
    stateRoot,
    judging: false,
  };
}
