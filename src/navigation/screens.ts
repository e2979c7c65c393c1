/** The app's screens. Another one is a line here: its link, its route and its title follow. */
import type { MessageDescriptor } from '@lingui/core';
import { msg } from '@lingui/core/macro';
import { lazy, type ComponentType } from 'react';
import type { Source } from '../client/source.ts';
import { ContributeScreen } from '../contribute/contribute-screen.tsx';

export interface Screen {
  readonly name: MessageDescriptor;
  /** Where its link leads; whatever follows in the hash is the screen's own. */
  readonly path: string;
  readonly component: ComponentType;
  /** Needs a validator that answers now: a recording has none. */
  readonly live?: true;
  /** Reached from other screens only. */
  readonly unlisted?: true;
}

const HOME: Screen = { name: msg`Contribute`, path: '/', component: ContributeScreen, live: true };

const RUN: Screen = { name: msg`Run`, path: '/run', component: lazy(() => import('../run/run-screen.tsx')) };

/** All but the first are loaded when they are opened. */
const SCREENS: readonly Screen[] = [
  HOME,
  { name: msg`Scores`, path: '/scores', component: lazy(() => import('../scores/scores-screen.tsx')), live: true },
  {
    name: msg`Leaderboard`,
    path: '/leaderboard',
    component: lazy(() => import('../leaderboard/leaderboard-screen.tsx')),
  },
  { name: msg`Peer`, path: '/peers', component: lazy(() => import('../peers/peer-screen.tsx')), unlisted: true },
  RUN,
  { name: msg`Rewards`, path: '/rewards', component: lazy(() => import('../rewards/rewards-screen.tsx')), live: true },
  { name: msg`Learn`, path: '/learn', component: lazy(() => import('../learn/learn-screen.tsx')) },
  { name: msg`Settings`, path: '/settings', component: lazy(() => import('../settings/settings-screen.tsx')) },
];

/** Screens that a source has something to show on, the first one first. */
export function screensOf(kind: Source['kind']): readonly Screen[] {
  if (kind !== 'replay') return SCREENS;
  const recorded = SCREENS.filter(({ live }) => !live);
  // What happened, before who it happened to.
  return [RUN, ...recorded.filter((screen) => screen !== RUN)];
}

/** @param location what follows # in the address bar; a place that does not exist leads to the first screen */
export function screenAt(location: string, screens: readonly Screen[] = SCREENS): Screen {
  return (
    screens.find(({ path }) => location === path || (path !== '/' && location.startsWith(`${path}/`))) ?? screens[0]!
  );
}
