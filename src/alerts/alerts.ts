/** What somebody should be told, from two readings of their figures. */
import { plural, t } from '@lingui/core/macro';
import type { DeregistrationRisk } from '../../chain/economics.ts';
import type { Verdict } from '../../core/protocol/api.ts';
import { formatInteger } from '../ui/format.ts';

/** One hotkey's figures at one moment. Whatever does not apply is null. */
export interface Reading {
  /** Whose and where, the same over reloads. */
  readonly subject: string;
  /** What a person calls it: "Your key", "uid 5 of subnet 3". */
  readonly name: string;
  /** "window 12" or "block 1,200": what the figures are of. */
  readonly at: string;
  readonly rank: number | null;
  /** How many are ranked. */
  readonly ranked: number;
  /** The missed windows up to the newest one. */
  readonly missed: { readonly first: number; readonly last: number } | null;
  /** ISO 8601. */
  readonly delegationExpiresAt: string | null;
  readonly chain: { readonly registered: boolean; readonly risk: DeregistrationRisk | null } | null;
}

export type AlertKind = 'rank-drop' | 'missed-windows' | 'delegation' | 'deregistration-risk' | 'deregistered';

export interface Alert {
  /** The event's name: it is told once. */
  readonly id: string;
  readonly kind: AlertKind;
  readonly subject: string;
  readonly title: string;
  readonly text: string;
}

export interface Assessment {
  readonly alerts: readonly Alert[];
  /** What the next reading is compared with: a rank that falls slowly is noticed too. */
  readonly baseline: Reading;
}

/** These last until a reading says otherwise; the others have happened. */
export const STANDING: readonly AlertKind[] = ['delegation', 'deregistration-risk'];

/** Of all that are ranked: to lose as many places is worth a word. */
const RANK_DROP_SHARE = 0.1;
const DELEGATION_WARNING_MS = 3 * 24 * 3_600_000;
/** Places from the one that is replaced next. */
const RISKY_PLACES = 3;

/** The run of missed windows that ends with the newest verdicts. @param verdicts newest first */
export function missedWindows(verdicts: readonly Verdict[]): Reading['missed'] {
  let first: number | undefined;
  let last: number | undefined;
  for (const { window, check, pass } of verdicts) {
    if (check === 'delivered' && !pass) {
      first = window;
      last ??= window;
    } else if (window !== first) {
      break;
    }
  }
  return first === undefined || last === undefined ? null : { first, last };
}

function rankDrop(before: Reading, { subject, name, at, rank, ranked }: Reading): Alert | undefined {
  if (before.rank === null || rank === null) return undefined;
  const places = rank - before.rank;
  if (places < Math.max(1, Math.ceil(ranked * RANK_DROP_SHARE))) return undefined;
  return {
    id: `${subject} rank ${at}`,
    kind: 'rank-drop',
    subject,
    title: t`${name} fell to rank ${formatInteger(rank)}`,
    text: t`From rank ${formatInteger(before.rank)} at ${before.at} to ${formatInteger(rank)} of ${formatInteger(ranked)} at ${at}.`,
  };
}

function missedAlert({ subject, name, missed }: Reading): Alert | undefined {
  if (!missed) return undefined;
  const { first, last } = missed;
  return {
    // Named by where it began: as it grows, it is the same event.
    id: `${subject} missed ${first}`,
    kind: 'missed-windows',
    subject,
    title: t`${name} missed ${plural(last - first + 1, { one: '# window', other: '# windows' })}`,
    text:
      first === last
        ? t`No contribution arrived in window ${first}. If you stopped on purpose there is nothing to do; otherwise see what the Contribute screen says.`
        : t`No contribution arrived in windows ${first} to ${last}. If you stopped on purpose there is nothing to do; otherwise see what the Contribute screen says.`,
  };
}

function delegationAlert({ subject, name, delegationExpiresAt }: Reading, nowMs: number): Alert | undefined {
  if (delegationExpiresAt === null) return undefined;
  const leftMs = Date.parse(delegationExpiresAt) - nowMs;
  if (leftMs > DELEGATION_WARNING_MS) return undefined;
  const hours = Math.ceil(leftMs / 3_600_000);
  return {
    id: `${subject} delegation ${delegationExpiresAt}${leftMs > 0 ? '' : ' over'}`,
    kind: 'delegation',
    subject,
    title:
      leftMs > 0
        ? t`${name}: the delegation runs out in ${plural(hours, { one: '# hour', other: '# hours' })}`
        : t`${name}: the delegation has run out`,
    text: t`Sign a new one with your wallet on the Contribute screen; what was computed so far is kept.`,
  };
}

function registrationAlert(before: Reading | undefined, { subject, name, at, chain }: Reading): Alert | undefined {
  if (!chain) return undefined;
  if (!chain.registered) {
    if (!before?.chain?.registered) return undefined;
    return {
      id: `${subject} deregistered ${at}`,
      kind: 'deregistered',
      subject,
      title: t`${name} is not registered any more`,
      text: t`Another neuron has its uid at ${at}: the chain pays it nothing until it registers again.`,
    };
  }
  if (chain.risk?.kind !== 'exposed' || chain.risk.place > RISKY_PLACES) return undefined;
  const others = chain.risk.place - 1;
  return {
    id: `${subject} risk`,
    kind: 'deregistration-risk',
    subject,
    title: t`${name} may be replaced`,
    text:
      others === 0
        ? t`The subnet is full, and registrations replace the lowest emission outside immunity: this one goes with the next.`
        : t`The subnet is full, and registrations replace the lowest emission outside immunity: ${plural(others, { one: '# other', other: '# others' })} would go first.`,
  };
}

/** @param before the baseline of the last assessment of the same subject; undefined for the first */
export function assess(before: Reading | undefined, present: Reading, nowMs: number): Assessment {
  const drop = before && rankDrop(before, present);
  const alerts = [
    drop,
    missedAlert(present),
    delegationAlert(present, nowMs),
    registrationAlert(before, present),
  ].filter((alert) => alert !== undefined);
  const keepsRank = !drop && before?.rank != null && (present.rank === null || before.rank < present.rank);
  return {
    alerts,
    baseline: keepsRank ? { ...present, rank: before.rank, at: before.at } : present,
  };
}
