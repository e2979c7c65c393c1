/** A crowd of peers in one process, each with its own key and engine, speaking HTTP to the validator like anyone else. */
import { join } from 'node:path';
import { createValidatorApi } from '../client/api.ts';
import type { Behaviour } from '../client/behaviour.ts';
import { createContributor, type Contributor } from '../client/contributor.ts';
import type { ContributorEvent } from '../client/events.ts';
import type { ContributorPorts } from '../client/ports.ts';
import type { Accomplices } from './attacks/attack.ts';
import { ATTACK_NAMES, GALLERY, type AttackName } from './attacks/gallery.ts';
import { nodePorts } from './node-ports.ts';

export type PeerKind = 'honest' | AttackName;

export interface CrowdOptions {
  readonly validatorUrl: string;
  /** Keeps keys and optimiser states. */
  readonly folder: string;
  readonly honest: number;
  /** What each attacker does; a number takes the gallery in turn. */
  readonly attackers: number | readonly AttackName[];
  /** Pages an honest peer trains a window, so that a crowd on one machine leaves room for others. */
  readonly maxPages?: number;
  readonly intraOpThreads?: number;
  readonly onEvent?: (peer: { name: string; kind: PeerKind; hotkey: string }, event: ContributorEvent) => void;
}

export interface SimulatedPeer {
  readonly name: string;
  readonly kind: PeerKind;
  readonly hotkey: string;
  readonly contributor: Contributor;
}

/** Someone who takes part: what it is, and its number among those. */
export interface CrowdMember {
  /** "honest-2" */
  readonly name: string;
  readonly kind: PeerKind;
  /** From 0. */
  readonly number: number;
}

/** Honest peers, then attackers. */
export function membersOfCrowd(honest: number, attackers: CrowdOptions['attackers']): CrowdMember[] {
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

/** Makes the crowd. */
export async function createCrowd(options: CrowdOptions): Promise<SimulatedPeer[]> {
  const behaviourOf = createBehaviours(options.validatorUrl, '');
  const peers: SimulatedPeer[] = [];
  for (const member of membersOfCrowd(options.honest, options.attackers)) {
    const { name, kind } = member;
    const ports = await nodePorts(join(options.folder, name), options.intraOpThreads ?? 1);
    const { hotkey } = ports.identity;
    const contributor = createContributor({
      validatorUrl: options.validatorUrl,
      ports,
      behaviour: behaviourOf(member, hotkey, ports),
      onEvent: (event) => options.onEvent?.({ name, kind, hotkey }, event),
      ...(options.maxPages === undefined ? {} : { maxPages: options.maxPages }),
    });
    peers.push({ name, kind, hotkey, contributor });
  }
  return peers;
}
