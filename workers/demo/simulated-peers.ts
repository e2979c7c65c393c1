/** The demonstration's peers: contributors like any other, each with its own key and its own behaviour. */
import { createContributor, type Contributor } from '../../client/contributor.ts';
import { guestIdentity } from '../../client/identity.ts';
import { microBatchSequences } from '../../client/micro-batch.ts';
import type { BlobCache, ContributorPorts } from '../../client/ports.ts';
import { memorySigner, randomSecretKey, type Signer } from '../../core/identity/signing.ts';
import { encodeAddress } from '../../core/identity/ss58.ts';
import { createHostTrainer, type Runtime } from '../../engine/host-engine.ts';
import { createBehaviours, type CrowdMember } from '../../simulate/attacks/crowd.ts';
import type { BlobStore } from '../../validator/rounds/ports.ts';
import { sleep } from '../sleep.ts';
import { DEMO_ATTACKS, type DemoAttack, type DemoPeer } from './demo-api.ts';

/**
 * Pages that each honest peer trains a window. Not farther apart: whoever loses nearly every match has a negative ordinal,
 * and with it a score below that of a cheat whose μ is floored at 0.
 */
const HONEST_PAGES = [10, 8, 7, 6];
const ATTACKER_PAGES = 4;

export interface SimulatedPeersOptions {
  readonly validatorUrl: string;
  readonly fetch: typeof fetch;
  readonly blobs: BlobStore;
  readonly runtime: Runtime;
  readonly onChange: (peers: readonly DemoPeer[]) => void;
}

export interface SimulatedPeers {
  switchAttack(attack: DemoAttack, on: boolean): void;
  setPaused(paused: boolean): void;
}

interface Participant {
  readonly member: CrowdMember & Pick<DemoPeer, 'kind'>;
  readonly maxPages: number;
  readonly signer: Signer;
  readonly hotkey: string;
  contributor: Contributor | undefined;
}

/** All public blobs are in this thread already, so nobody keeps a second copy. */
function readingFrom(blobs: BlobStore): BlobCache {
  const nothing = (): Promise<void> => Promise.resolve();
  return { get: (sha256) => blobs.read(sha256), put: nothing, delete: nothing, retain: nothing };
}

/** Begins with the honest ones. */
export function startSimulatedPeers(options: SimulatedPeersOptions): SimulatedPeers {
  const { validatorUrl, runtime, onChange } = options;
  const behaviourOf = createBehaviours(validatorUrl, crypto.randomUUID());
  const cache = readingFrom(options.blobs);
  let paused = false;

  function participant(kind: DemoPeer['kind'], number: number, maxPages: number): Participant {
    const signer = memorySigner(randomSecretKey());
    const member = { name: `${kind}-${number + 1}`, kind, number };
    return { member, maxPages, signer, hotkey: encodeAddress(signer.publicKey), contributor: undefined };
  }

  const everyone = [
    ...HONEST_PAGES.map((pages, number) => participant('honest', number, pages)),
    ...DEMO_ATTACKS.map((attack) => participant(attack, 0, ATTACKER_PAGES)),
  ];

  function begin(peer: Participant): void {
    const ports: ContributorPorts = {
      identity: guestIdentity(peer.signer),
      blobs: cache,
      // A peer that is switched off and on again begins anew.
      optimiser: { load: () => Promise.resolve(undefined), save: () => Promise.resolve() },
      createTrainer: ({ config, pageSequences }) =>
        createHostTrainer(runtime, { config, sequences: microBatchSequences(pageSequences) }),
      fetch: options.fetch,
      now: () => Date.now(),
      sleep,
    };
    const contributor = createContributor({
      validatorUrl,
      ports,
      maxPages: peer.maxPages,
      paused,
      behaviour: behaviourOf(peer.member, peer.hotkey, ports),
      onEvent(event) {
        if (event.type === 'status' && event.status.kind === 'failed') {
          console.error(`${peer.member.name}: ${event.status.reason}`);
        }
      },
    });
    peer.contributor = contributor;
    void contributor.run();
  }

  function announce(): void {
    onChange(
      everyone.map(({ member: { name, kind }, hotkey, contributor }) => ({
        hotkey,
        name,
        kind,
        active: contributor !== undefined,
      })),
    );
  }

  for (const peer of everyone) if (peer.member.kind === 'honest') begin(peer);
  announce();

  return {
    switchAttack(attack, on) {
      const peer = everyone.find(({ member }) => member.kind === attack)!;
      if (on === (peer.contributor !== undefined)) return;
      if (on) begin(peer);
      else {
        peer.contributor?.stop();
        peer.contributor = undefined;
      }
      announce();
    },
    setPaused(next) {
      paused = next;
      for (const { contributor } of everyone) {
        if (paused) contributor?.pause();
        else contributor?.resume();
      }
    },
  };
}
