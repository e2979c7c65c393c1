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

/** Makes the crowd; attackers take the attacks in turn. */
export async function createCrowd(options: CrowdOptions): Promise<SimulatedPeer[]> {
  const kinds: PeerKind[] = [
    ...Array.from({ length: options.honest }, () => 'honest' as const),
    ...Array.from({ length: options.attackers }, (_, i) => ATTACKS[i % ATTACKS.length]!),
  ];
  const peers: SimulatedPeer[] = [];
  for (const [i, kind] of kinds.entries()) {
    const name = `${kind}-${kinds.slice(0, i).filter((other) => other === kind).length + 1}`;
    const ports = await nodePorts(join(options.folder, name), options.intraOpThreads ?? 1);
    const hotkey = encodeAddress(ports.identity.hotkeySigner.publicKey);
    const contributor = createContributor({
      validatorUrl: options.validatorUrl,
      ports,
      onEvent: (event) => options.onEvent?.({ name, kind, hotkey }, event),
      ...(options.maxPages === undefined ? {} : { maxPages: options.maxPages }),
      ...(kind === 'honest'
        ? {}
        : { behaviour: attackBehaviour(kind, { seed: name, validatorUrl: options.validatorUrl, hotkey }) }),
    });
    peers.push({ name, kind, hotkey, contributor });
  }
  return peers;
}
