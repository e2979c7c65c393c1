/** Attackers of the literature as deviations from the honest contributor (facts: Gauntlet paper, threat model). */
import { createValidatorApi } from '../client/api.ts';
import type { Behaviour } from '../client/behaviour.ts';
import { createRandom, seedFrom } from '../core/numerics/prng.ts';
import { createHostCompressor } from '../engine/host-compressor.ts';
import { contributionBody } from '../core/wire/contribution.ts';

export const ATTACKS = ['noise', 'copy-cat', 'wrong-data'] as const;
export type Attack = (typeof ATTACKS)[number];

export interface AttackContext {
  readonly seed: string;
  readonly validatorUrl: string;
  /** The attacker's own. */
  readonly hotkey: string;
  readonly fetch: typeof fetch;
}

/** Uploads a random direction: a valid message that says nothing about the data. */
function noise(seed: string): Behaviour {
  const random = createRandom(seedFrom('noise', seed));
  return {
    replaceTrainer: (trainer) => ({
      ...trainer,
      accumulate: (batch) => Promise.resolve({ sum: 0, count: batch.tokens.length }),
      createCompressor(scheme) {
        const takeGradient = (): Promise<Float32Array<ArrayBuffer>> =>
          Promise.resolve(Float32Array.from({ length: scheme.layout.total }, () => random.uniform() - 0.5));
        return Promise.resolve(createHostCompressor(scheme, { ...trainer, takeGradient, hasGradient: () => true }));
      },
    }),
  };
}

/**
 * Re-uploads, under its own name, what another peer delivered in the window before: uploads of the current window are
 * sealed, so this is the newest there is to copy.
 */
function copyCat({ seed, validatorUrl, hotkey, fetch }: AttackContext): Behaviour {
  const api = createValidatorApi({ baseUrl: validatorUrl, fetch });
  return {
    ...noise(seed),
    async replaceBody(body, { window, scheme }) {
      if (window < 2) return body;
      const { contributions } = await api.window(window - 1);
      const victim = contributions.find((contribution) => contribution.hotkey !== hotkey);
      if (!victim) return body;
      return contributionBody(await api.blob({ sha256: victim.sha256, bytes: victim.bytes }), scheme.bodyBytes);
    },
  };
}

/** Trains the same few pages every window instead of those assigned: easy, cached, already learnt. */
function wrongData(): Behaviour {
  return { choosePages: (assigned) => assigned.map((_, i) => i % 4) };
}

export function attackBehaviour(attack: Attack, context: AttackContext): Behaviour {
  switch (attack) {
    case 'noise':
      return noise(context.seed);
    case 'copy-cat':
      return copyCat(context);
    case 'wrong-data':
      return wrongData();
    default:
      return attack satisfies never;
  }
}
