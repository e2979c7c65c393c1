/** A crowd of peers in one process, each with its own key and engine, speaking HTTP to the validator like anyone else. */
import { join } from 'node:path';
import { createContributor, type Contributor } from '../client/contributor.ts';
import type { ContributorEvent } from '../client/events.ts';
import { createBehaviours, membersOfCrowd, type PeerKind } from './attacks/crowd.ts';
import type { AttackName } from './attacks/gallery.ts';
import { nodePorts } from './node-ports.ts';

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
