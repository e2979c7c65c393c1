/** The app's screens. Another one is a line here: its link, its route and its title follow. */
import type { MessageDescriptor } from '@lingui/core';
import { msg } from '@lingui/core/macro';
import { lazy, type ComponentType } from 'react';
import { ContributeScreen } from '../contribute/contribute-screen.tsx';

export interface Screen {
  readonly name: MessageDescriptor;
  /** Where its link leads; whatever follows in the hash is the screen's own. */
  readonly path: string;
  readonly component: ComponentType;
  /** Reached from other screens only. */
  readonly unlisted?: true;
}

const HOME: Screen = { name: msg`Contribute`, path: '/', component: ContributeScreen };

/** All but the first are loaded when they are opened. */
export const SCREENS: readonly Screen[] = [
  HOME,
  { name: msg`Scores`, path: '/scores', component: lazy(() => import('../scores/scores-screen.tsx')) },
  {
    name: msg`Leaderboard`,
    path: '/leaderboard',
    component: lazy(() => import('../leaderboard/leaderboard-screen.tsx')),
  },
  { name: msg`Peer`, path: '/peers', component: lazy(() => import('../peers/peer-screen.tsx')), unlisted: true },
  { name: msg`Run`, path: '/run', component: lazy(() => import('../run/run-screen.tsx')) },
  { name: msg`Rewards`, path: '/rewards', component: lazy(() => import('../rewards/rewards-screen.tsx')) },
  { name: msg`Learn`, path: '/learn', component: lazy(() => import('../learn/learn-screen.tsx')) },
  { name: msg`Settings`, path: '/settings', component: lazy(() => import('../settings/settings-screen.tsx')) },
];

/** @param location what follows # in the address bar; a place that does not exist leads to the first screen */
export function screenAt(location: string): Screen {
  return SCREENS.find(({ path }) => location === path || (path !== '/' && location.startsWith(`${path}/`))) ?? HOME;
}
