/** What the figures of a metagraph mean, as pure formulas. No chain library: a tab may show recorded figures with them. */
import type { Metagraph, Neuron, Subnet } from './types.ts';

const SECONDS_A_DAY = 86_400;
/** Bittensor's; a run's manifest may plan with another. */
export const BLOCK_SECONDS = 12;

/**
 * How a subnet's new alpha is divided, in shares of 1, at spec 425 (`coinbase/run_coinbase.rs`: SubnetOwnerCut, then
 * halves). An owner may turn the cut off, and part of the validators' half is sold for stakers of the root.
 */
export const ALPHA_SPLIT = { owner: 0.18, miners: 0.41, validators: 0.41 } as const;

/** @returns 7200 at 12 s a block */
export function blocksPerDay(blockSeconds: number = BLOCK_SECONDS): number {
  return SECONDS_A_DAY / blockSeconds;
}

/**
 * Alpha a day if every epoch paid what the last one did.
 *
 * @param emission alpha of the last epoch
 * @param tempo blocks of an epoch; null when that is 0, as of a subnet without epochs
 */
export function alphaPerDay(emission: number, tempo: number, blockSeconds?: number): number | null {
  return tempo > 0 ? (emission * blocksPerDay(blockSeconds)) / tempo : null;
}

/** TAO for an amount of alpha, before slippage; null where there is no amount or the runtime names no price. */
export function inTao(alpha: number | null, alphaPrice: number | null): number | null {
  return alpha === null || alphaPrice === null ? null : alpha * alphaPrice;
}

/** @returns blocks until the next epoch, 0 when it is due; null for a subnet without epochs */
export function blocksToEpoch({ nextEpochAt, tempo }: Subnet, block: number): number | null {
  return tempo > 0 ? Math.max(0, nextEpochAt - block) : null;
}

/** @returns blocks in which a neuron is not replaced yet, 0 when immunity is over; null where the runtime does not say */
export function immunityLeft(
  { registeredAt }: Pick<Neuron, 'registeredAt'>,
  { immunityPeriod }: Pick<Subnet, 'immunityPeriod'>,
  block: number,
): number | null {
  if (registeredAt === null || immunityPeriod === null) return null;
  return Math.max(0, registeredAt + immunityPeriod - block);
}

/** Places by incentive among neurons without a validator permit, from 1; equals share a place. By uid. */
export function minerRanks(neurons: readonly Neuron[]): ReadonlyMap<number, number> {
  const miners = neurons.filter(({ validatorPermit }) => !validatorPermit).sort((a, b) => b.incentive - a.incentive);
  const ranks = new Map<number, number>();
  for (const [i, { uid, incentive }] of miners.entries()) {
    const before = miners[i - 1];
    ranks.set(uid, before?.incentive === incentive ? ranks.get(before.uid)! : i + 1);
  }
  return ranks;
}

export type DeregistrationRisk =
  /** What it takes to know, by storage name. */
  | { readonly kind: 'unknown'; readonly missing: string }
  /** So many may register before anybody is replaced. */
  | { readonly kind: 'room'; readonly free: number }
  | { readonly kind: 'immune'; readonly blocksLeft: number }
  /** Place in the order in which neurons are replaced: 1 goes with the next registration. */
  | { readonly kind: 'exposed'; readonly place: number };

/** Who is replaced first: the lowest emission, then the earliest registration, then the lowest uid. */
function replacedBefore(a: Neuron, b: Neuron): number {
  return a.emission - b.emission || (a.registeredAt ?? 0) - (b.registeredAt ?? 0) || a.uid - b.uid;
}

/**
 * Whether a neuron may be replaced by the next registrations, as `get_neuron_to_prune` of the chain decides it
 * (`subnets/registration.rs`, spec 425), less what a metagraph does not say: hotkeys of the subnet's owner are never
 * replaced, and while too few neurons are out of immunity immune ones are.
 */
export function deregistrationRisk({ subnet, neurons, block }: Metagraph, neuron: Neuron): DeregistrationRisk {
  if (subnet.maxNeurons === null) return { kind: 'unknown', missing: 'MaxAllowedUids' };
  if (subnet.neurons < subnet.maxNeurons) return { kind: 'room', free: subnet.maxNeurons - subnet.neurons };
  const left = (each: Neuron): number | null => immunityLeft(each, subnet, block.number);
  const own = left(neuron);
  if (own === null) {
    return { kind: 'unknown', missing: subnet.immunityPeriod === null ? 'ImmunityPeriod' : 'BlockAtRegistration' };
  }
  const exposed = neurons.filter((each) => left(each) === 0);
  if (own > 0 && exposed.length > 0) return { kind: 'immune', blocksLeft: own };
  const candidates = own > 0 ? neurons : exposed;
  return { kind: 'exposed', place: 1 + candidates.filter((each) => replacedBefore(each, neuron) < 0).length };
}
