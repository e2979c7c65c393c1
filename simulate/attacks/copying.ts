/**
 * Attacks that sell a message twice. Uploads are sealed until the window is published, so the newest message there is to
 * copy is of the window before.
 */
import type { Behaviour } from '../../client/behaviour.ts';
import { createRandom, seedFrom } from '../../core/numerics/prng.ts';
import type { Scheme } from '../../core/scheme/scheme.ts';
import { contributionBody } from '../../core/wire/contribution.ts';
import type { Attack, AttackContext } from './attack.ts';
import { invents } from './forging.ts';
import { reencode } from './reencode.ts';

type Body = Uint8Array<ArrayBuffer>;

/** The message of the peer that stands best, of the window before; undefined where there is none. */
async function newestOfTheBest(
  { api, hotkey }: AttackContext,
  window: number,
  scheme: Scheme,
): Promise<Body | undefined> {
  if (window < 2) return undefined;
  const { contributions } = await api.window(window - 1);
  const { peers } = await api.leaderboard();
  const byRank = peers.flatMap((peer) => contributions.filter((row) => row.hotkey === peer.hotkey));
  const victim = byRank.find((row) => row.hotkey !== hotkey);
  if (!victim) return undefined;
  return contributionBody(await api.blob({ sha256: victim.sha256, bytes: victim.bytes }), scheme.bodyBytes);
}

/** Trains nothing and uploads what `disguise` makes of a copy. */
function copies(context: AttackContext, disguise: (body: Body, scheme: Scheme) => Body): Behaviour {
  return {
    ...invents((work) => work),
    async replaceBody(body, { window, scheme }) {
      const copied = await newestOfTheBest(context, window, scheme);
      return copied ? disguise(copied, scheme) : body;
    },
  };
}

const COPIES_NOTHING_OF_ITS_OWN = 'It helps no more on its assigned pages than on others, so μ stays near 0.';

export const copyVerbatim: Attack = {
  title: 'Copy, verbatim',
  does: 'Uploads the best peer’s message of the window before as its own.',
  pays: 'It costs no training.',
  expected: { because: COPIES_NOTHING_OF_ITS_OWN, weight: 'less', fails: 'proof-of-computation' },
  behaviour: (context) => copies(context, (body) => body),
};

export const copyPerturbed: Attack = {
  title: 'Copy, perturbed',
  does: 'The same, with every value changed by up to a half of itself.',
  pays: 'Copies that are not equal cannot be found by their hash.',
  expected: { because: COPIES_NOTHING_OF_ITS_OWN, weight: 'less', fails: 'proof-of-computation' },
  behaviour(context) {
    const random = createRandom(seedFrom('perturbation', context.seed));
    return copies(context, (body, scheme) =>
      reencode(scheme, body, ({ index, value }) => ({ index, value: value * (0.5 + random.uniform()) })),
    );
  },
};

export const copyReindexed: Attack = {
  title: 'Copy, re-indexed',
  does: 'The same values, each at the next index of its chunk.',
  pays: 'Shared indices, which templar looks for, are avoided.',
  expected: {
    because: 'The values belong elsewhere, so nothing is gained where they are put.',
    weight: 'none',
    fails: 'loss',
  },
  behaviour: (context) =>
    copies(context, (body, scheme) =>
      reencode(scheme, body, ({ index, value }, length) => ({ index: (index + 1) % length, value })),
    ),
};

export const replay: Attack = {
  title: 'Replay',
  does: 'Trains honestly in its first window and uploads that message for ever, with a fresh header.',
  pays: 'One window’s work is paid many times.',
  expected: {
    because: 'What the model has learnt it does not learn again, and it was not this window’s data.',
    weight: 'less',
    fails: 'proof-of-computation',
  },
  behaviour() {
    let held: Body | undefined;
    return {
      // Later it trains the one page without which there is nothing to compress.
      choosePages: (assigned) => (held ? assigned.slice(0, 1) : assigned),
      replaceBody: (body) => Promise.resolve((held ??= body)),
    };
  },
};

/** How often an identity looks whether its accomplice is done, and how often before it gives up. */
const LOOK_MS = 200;
const LOOKS = 40;

export const sybils: Attack = {
  title: 'Sybils',
  does: 'Several identities on one machine: the first trains, all upload its message.',
  pays: 'One machine’s work is paid several times.',
  expected: {
    because: 'Only the one whose pages were trained has a μ that rises; templar’s overlap check cuts all others.',
    weight: 'less',
    fails: 'proof-of-computation',
  },
  behaviour({ number, accomplices, sleep }) {
    if (number === 0) {
      return {
        replaceBody(body, { window }) {
          accomplices.set(window, body);
          accomplices.delete(window - 2);
          return Promise.resolve(body);
        },
      };
    }
    return {
      ...invents((work) => work),
      async replaceBody(body, { window }) {
        for (let look = 0; look < LOOKS && !accomplices.has(window); look++) await sleep(LOOK_MS);
        return accomplices.get(window) ?? body;
      },
    };
  },
};
