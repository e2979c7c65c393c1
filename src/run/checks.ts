/** The checks in words, and the families that pictures show them by: eleven colours could not be told apart. */
import type { MessageDescriptor } from '@lingui/core';
import { msg } from '@lingui/core/macro';
import type { Check } from '../../core/protocol/api.ts';

export const CHECK_NAMES: Readonly<Record<Check, MessageDescriptor>> = {
  delivered: msg`delivered`,
  'in-time': msg`in time`,
  signature: msg`signature`,
  format: msg`form`,
  finite: msg`finite numbers`,
  model: msg`right model`,
  sync: msg`in sync`,
  overlap: msg`own work`,
  loss: msg`loss score`,
  'proof-of-computation': msg`proof of computation`,
  conduct: msg`conduct`,
};

export type FamilyId = 'form' | 'sync' | 'copy' | 'loss' | 'computation' | 'conduct';

export interface CheckFamily {
  readonly id: FamilyId;
  readonly checks: readonly Check[];
  readonly name: MessageDescriptor;
  readonly meaning: MessageDescriptor;
}

/** In the order in which the checks are made. */
export const FAMILIES: readonly CheckFamily[] = [
  {
    id: 'form',
    checks: ['delivered', 'in-time', 'signature', 'format', 'finite'],
    name: msg`Late or malformed`,
    meaning: msg`It came too early or too late, was cut short, was signed with another key, or has numbers in it that are none.`,
  },
  {
    id: 'sync',
    checks: ['model', 'sync'],
    name: msg`Another model`,
    meaning: msg`It was trained from other parameters than the run’s, so it points in the wrong direction.`,
  },
  {
    id: 'copy',
    checks: ['overlap'],
    name: msg`Copied`,
    meaning: msg`It keeps the very places that somebody else’s earlier upload keeps.`,
  },
  {
    id: 'loss',
    checks: ['loss'],
    name: msg`Harmful`,
    meaning: msg`A small part of it, tried out on random text, made the model’s predictions worse.`,
  },
  {
    id: 'computation',
    checks: ['proof-of-computation'],
    name: msg`No sign of work`,
    meaning: msg`It helped on the pages that its peer was given no more than on any others, as if these had not been trained on.`,
  },
  {
    id: 'conduct',
    checks: ['conduct'],
    name: msg`Conduct`,
    meaning: msg`It is not one upload but many: windows missed, or harm done again and again.`,
  },
];

const BY_CHECK = new Map(FAMILIES.flatMap((family) => family.checks.map((check) => [check, family] as const)));

export function familyOf(check: Check): CheckFamily {
  return BY_CHECK.get(check)!;
}
