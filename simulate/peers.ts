/** A crowd of peers in one process, each with its own key and engine, speaking HTTP to the validator like anyone else. */
import { join } from 'node:path';
import { createContributor, type Contributor } from '../client/contributor.ts';
import type { ContributorEvent } from '../client/events.ts';
import { encodeAddress } from '../core/identity/ss58.ts';
import { ATTACKS, attackBehaviour, type Attack } from './attacks.ts';
import { nodePorts } from './node-ports.ts';

export type PeerKind = 'honest' | Attack;

export interface CrowdOptions {
  readonly validatorUrl: string;
  /** Keeps keys and optimiser states. */
  readonly folder: string;
  readonly honest: number;
  readonly attackers: number;
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

/** Honest peers, then attackers that take the attacks in turn. */
export function kindsOfCrowd(honest: number, attackers: number): PeerKind[] {
  return [
    ...Array.from({ length: honest }, () => 'honest' as const),
    ...Array.from({ length: attackers }, (_, i) => ATTACKS[i % ATTACKS.length]!),
  ];
}

/** "honest-2": its kind and its number among those. */
export function nameOfPeer(kinds: readonly PeerKind[], i: number): string {
  const kind = kinds[i]!;
  return `${kind}-${kinds.slice(0, i).filter((other) => other === kind).length + 1}`;
}

/** Makes the crowd. */
export async function createCrowd(options: CrowdOptions): Promise<SimulatedPeer[]> {
  const kinds = kindsOfCrowd(options.honest, options.attackers);
  const peers: SimulatedPeer[] = [];
  for (const [i, kind] of kinds.entries()) {
    const name = nameOfPeer(kinds, i);
    const ports = await nodePorts(join(options.folder, name), options.intraOpThreads ?? 1);
    const hotkey = encodeAddress(ports.identity.hotkeySigner.publicKey);
    const contributor = createContributor({
      validatorUrl: options.validatorUrl,
      ports,
      onEvent: (event) => options.onEvent?.({ name, kind, hotkey }, event),
      ...(options.maxPages === undefined ? {} : { maxPages: options.maxPages }),
      ...(kind === 'honest'
        ? {}
        : { behaviour: attackBehaviour(kind, { seed: name, validatorUrl: options.validatorUrl, hotkey, fetch }) }),
    });
    peers.push({ name, kind, hotkey, contributor });
  }
  return peers;
}
