/** Who is in a crowd of simulated peers, and how each departs from the honest. */
import { createValidatorApi } from '../../client/api.ts';
import type { Behaviour } from '../../client/behaviour.ts';
import type { ContributorPorts } from '../../client/ports.ts';
import type { Accomplices } from './attack.ts';
import { ATTACK_NAMES, GALLERY, type AttackName } from './gallery.ts';

export type PeerKind = 'honest' | AttackName;

/** Someone who takes part: what it is, and its number among those. */
export interface CrowdMember {
  /** "honest-2" */
  readonly name: string;
  readonly kind: PeerKind;
  /** From 0. */
  readonly number: number;
}

/** Honest peers, then attackers. */
export function membersOfCrowd(honest: number, attackers: number | readonly AttackName[]): CrowdMember[] {
  const attacks =
    typeof attackers === 'number'
      ? Array.from({ length: attackers }, (_, i) => ATTACK_NAMES[i % ATTACK_NAMES.length]!)
      : attackers;
  const kinds: PeerKind[] = [...Array.from({ length: honest }, () => 'honest' as const), ...attacks];
  return kinds.map((kind, i) => {
    const number = kinds.slice(0, i).filter((other) => other === kind).length;
    return { name: `${kind}-${number + 1}`, kind, number };
  });
}

/** How each of a crowd departs from the honest; attackers of one kind work together. */
export function createBehaviours(
  validatorUrl: string,
  seed: string,
): (member: CrowdMember, hotkey: string, ports: Pick<ContributorPorts, 'fetch' | 'sleep'>) => Behaviour {
  const accomplices = new Map<PeerKind, Accomplices>();
  return ({ name, kind, number }, hotkey, { fetch, sleep }) => {
    if (kind === 'honest') return {};
    const own = accomplices.get(kind) ?? new Map<number, Uint8Array<ArrayBuffer>>();
    accomplices.set(kind, own);
    return GALLERY[kind].behaviour({
      seed: `${seed} ${name}`,
      number,
      hotkey,
      api: createValidatorApi({ baseUrl: validatorUrl, fetch }),
      sleep: (ms) => sleep(ms, new AbortController().signal),
      accomplices: own,
    });
  };
}
