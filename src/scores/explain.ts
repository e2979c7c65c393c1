/** Why a score is what it is, in words, from the peer's public figures. */
import { i18n } from '@lingui/core';
import { msg, t } from '@lingui/core/macro';
import { CheckSchema, type PeerState, type Verdict } from '../../core/protocol/api.ts';
import { formatDecimal } from '../ui/format.ts';

export interface ScorePart {
  readonly name: string;
  readonly value: number | null;
  readonly digits: number;
  readonly hint: string;
}

/** The factors whose product is the peer score. */
export function scoreParts({ rating, poc, sync, gate }: PeerState): readonly ScorePart[] {
  return [
    {
      name: t`Rating`,
      value: rating.ordinal,
      digits: 2,
      hint: t`The cautious reading of the OpenSkill rating: ${formatDecimal(rating.mu, 2)} less three times its uncertainty of ${formatDecimal(rating.sigma, 2)}.`,
    },
    {
      name: t`Proof of computation μ`,
      value: Math.max(0, poc),
      digits: 3,
      hint: t`How often the loss fell more on the peer’s own pages than on others’, averaged (${formatDecimal(poc, 3)}; below zero counts as zero).`,
    },
    {
      name: t`Sync`,
      value: sync,
      digits: 3,
      hint: t`How closely the parameters that it trained from were the run’s: 1 is exactly.`,
    },
    {
      name: t`Gate`,
      value: gate,
      digits: 3,
      hint: t`Cuts for failed checks; 1 is none, and clean windows take cuts back.`,
    },
  ];
}

/** Standings that the validator gives its own reason for, the strongest first, and the check that it stands with. */
const OF_CONDUCT = [
  { flag: 'naughty', check: 'conduct', words: msg`You are banned for some windows.` },
  { flag: 'copied', check: 'overlap', words: msg`What you delivered looks like a copy of somebody else’s upload.` },
  { flag: 'excluded', check: 'conduct', words: msg`Your contributions are left out of the model for now.` },
] as const;

/** Why a peer stands as it does, where that is not a matter of its figures. */
function explainConduct({ flags, verdicts }: PeerState): string | undefined {
  const standing = OF_CONDUCT.find(({ flag }) => flags.includes(flag));
  if (!standing) return undefined;
  const newest = verdicts.find(({ check, pass }) => check === standing.check && !pass);
  const words = i18n._(standing.words);
  return newest ? `${words} ${newest.reason}` : words;
}

/** The first reason that holds, the strongest first. */
export function explainScore(peer: PeerState): string {
  const { contributions, rating, poc, sync, gate, peerScore, verdicts } = peer;
  const conduct = explainConduct(peer);
  if (conduct !== undefined) return conduct;
  if (contributions.accepted === 0 && contributions.rejected === 0) {
    return t`Nothing of yours has been judged yet. The first verdicts come when the window you deliver in is published.`;
  }
  if (contributions.accepted === 0) {
    const refused = verdicts.find(({ pass }) => !pass);
    return refused
      ? t`Every delivery was refused so far. The last reason: ${refused.reason}`
      : t`Every delivery was refused so far; the reasons stand below.`;
  }
  if (contributions.evaluated === 0) {
    return t`Your deliveries are accepted. Each window a few peers are drawn for scoring; you have not been drawn yet, so your score is still 0.`;
  }
  if (sync === 0)
    return t`Your parameters were not those of the run, so your score is 0. Your tab gets back in step by itself.`;
  if (poc <= 0) {
    return t`Training on your own pages could not be told from not training on them, so your score is 0 for now. More evaluations settle it.`;
  }
  if (rating.ordinal <= 0) {
    return t`Your rating is still too uncertain to count: the cautious reading is not above zero. It rises as you are scored more often.`;
  }
  if (gate < 1) {
    return t`Failed checks cut your score to ${formatDecimal(gate, 2)} of what it would be. Each clean window takes one cut back.`;
  }
  return peerScore > 0
    ? t`Your contributions lower the loss, more on your own pages than on others’: the full score counts.`
    : t`Your score is 0: one of the parts below is 0.`;
}

export interface WindowVerdicts {
  readonly window: number;
  readonly verdicts: readonly Verdict[];
  readonly failed: readonly Verdict[];
}

const CHECKS = CheckSchema.options;

/** Newest window first, checks in the order they were made. */
export function verdictsByWindow(verdicts: readonly Verdict[]): WindowVerdicts[] {
  const windows = new Map<number, Verdict[]>();
  for (const verdict of verdicts) {
    const known = windows.get(verdict.window);
    if (known) known.push(verdict);
    else windows.set(verdict.window, [verdict]);
  }
  return [...windows]
    .sort(([a], [b]) => b - a)
    .map(([window, list]) => {
      const ordered = list.sort((a, b) => CHECKS.indexOf(a.check) - CHECKS.indexOf(b.check));
      return { window, verdicts: ordered, failed: ordered.filter(({ pass }) => !pass) };
    });
}
