/** The app's screens. Another one is a line here: its link, its route and its title follow. */
import { lazy, type ComponentType } from 'react';
import { ContributeScreen } from '../contribute/contribute-screen.tsx';

export interface Screen {
  readonly name: string;
  /** Where its link leads; whatever follows in the hash is the screen's own. */
  readonly path: string;
  readonly component: ComponentType;
}

const HOME: Screen = { name: 'Contribute', path: '/', component: ContributeScreen };

/** All but the first are loaded when they are opened. */
export const SCREENS: readonly Screen[] = [
  HOME,
  { name: 'Rewards', path: '/rewards', component: lazy(() => import('../rewards/rewards-screen.tsx')) },
];

/** @param location what follows # in the address bar; a place that does not exist leads to the first screen */
export function screenAt(location: string): Screen {
  return SCREENS.find(({ path }) => location === path || (path !== '/' && location.startsWith(`${path}/`))) ?? HOME;
}
