/** What the page may tell the demonstration's worker, and what the worker tells it. Types and names only. */
import type { AttackName } from '../../simulate/attacks/gallery.ts';

/** The attacks that can be switched on, each with a check of its own that it runs into, in the order they are shown. */
export const DEMO_ATTACKS = [
  'sign-flip',
  'copy-verbatim',
  'noise',
  'zeros',
  'own-easy-data',
  'late',
  'stale-model',
  'malformed-bytes',
  'intermittent',
] as const satisfies readonly AttackName[];

export type DemoAttack = (typeof DEMO_ATTACKS)[number];

export interface DemoPeer {
  readonly hotkey: string;
  /** "honest-1" */
  readonly name: string;
  readonly kind: 'honest' | DemoAttack;
  /** Whether it takes part at present. */
  readonly active: boolean;
}

export type DemoCommand =
  /** The first. @param files folder of the demonstration's text, absolute */
  | { readonly type: 'open'; readonly files: string; readonly validatorUrl: string }
  /** A port for requests or news, as `portFetch` and `PortEventSource` speak over it. */
  | { readonly type: 'connect'; readonly port: MessagePort }
  | { readonly type: 'switch'; readonly attack: DemoAttack; readonly on: boolean }
  | { readonly type: 'pause'; readonly paused: boolean };

export type DemoNews =
  | { readonly type: 'peers'; readonly peers: readonly DemoPeer[] }
  | { readonly type: 'failed'; readonly reason: string };
