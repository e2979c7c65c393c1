/** What an attack is: a deviation from the honest contributor, why somebody would try it, and what should become of it. */
import type { ValidatorApi } from '../../client/api.ts';
import type { Behaviour } from '../../client/behaviour.ts';
import type { Check } from '../../core/protocol/api.ts';

/** Where an attacker acts from. */
export interface AttackContext {
  /** Differs from attacker to attacker: whatever is random follows from it. */
  readonly seed: string;
  /** Its number among those of its attack, from 0. */
  readonly number: number;
  readonly hotkey: string;
  readonly api: ValidatorApi;
  readonly sleep: (ms: number) => Promise<void>;
  /** What attackers of one operator tell each other. */
  readonly accomplices: Accomplices;
}

/** Bodies that one of several identities has made, by window. */
export type Accomplices = Map<number, Uint8Array<ArrayBuffer>>;

/** What Gauntlet should make of an attacker, next to honest peers that train as long. */
export interface Expectation {
  /** Why, in a sentence: which figure gives it away. */
  readonly because: string;
  /**
   * `none`: no weight at the end, or next to none. `less`: less than an honest peer. `honest`: about as much as an honest
   * peer, because what it delivers is an honest peer's work.
   */
  readonly weight: 'none' | 'less' | 'honest';
  /** The check that it fails; null where it fails none, or nothing of it gets as far as a check. */
  readonly fails: Check | null;
}

export interface Attack {
  readonly title: string;
  /** What it does, a sentence. */
  readonly does: string;
  /** Why it might pay, a sentence. */
  readonly pays: string;
  readonly expected: Expectation;
  readonly behaviour: (context: AttackContext) => Behaviour;
}
