/** The attacks of the literature (arXiv 2505.21684, threat model; templar's release notes), by name. */
import type { Attack } from './attack.ts';
import { copyPerturbed, copyReindexed, copyVerbatim, replay, sybils } from './copying.ts';
import { overfitAssigned, ownEasyData } from './data.ts';
import { alternating, colludingMinority, noise, rescale, signFlip, zeros } from './directions.ts';
import { malformedBytes, wrongShape } from './malformed.ts';
import { uidTakeover } from './takeover.ts';
import { early, intermittent, late, staleModel } from './timing.ts';

/** In the order in which a crowd takes them. */
export const GALLERY = {
  noise,
  'copy-verbatim': copyVerbatim,
  'own-easy-data': ownEasyData,
  zeros,
  'rescale-1000': rescale,
  'sign-flip': signFlip,
  'stale-model': staleModel,
  late,
  early,
  intermittent,
  alternating,
  'copy-perturbed': copyPerturbed,
  'copy-reindexed': copyReindexed,
  replay,
  sybils,
  'overfit-assigned': overfitAssigned,
  'colluding-minority': colludingMinority,
  'wrong-shape': wrongShape,
  'malformed-bytes': malformedBytes,
  'uid-takeover': uidTakeover,
} as const satisfies Readonly<Record<string, Attack>>;

export type AttackName = keyof typeof GALLERY;

export const ATTACK_NAMES = Object.keys(GALLERY) as readonly AttackName[];

export function isAttackName(name: string): name is AttackName {
  return Object.hasOwn(GALLERY, name);
}
