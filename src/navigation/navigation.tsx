/** Links to the screens. Locations are in the hash, so the app works on any static host and under any path. */
import { useLingui } from '@lingui/react/macro';
import { useEffect, useRef } from 'react';
import { Link, useLocation } from 'wouter';
import { useApp } from '../client/app-context.ts';
import styles from './navigation.module.css';
import { screenAt, screensOf } from './screens.ts';

export function Navigation() {
  const { i18n, t } = useLingui();
  const [location] = useLocation();
  const screens = screensOf(useApp().source.kind);
  const current = screenAt(location, screens);
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    // On a phone the strip may have scrolled it out of sight. Not scrollIntoView, which would scroll the page too.
    const strip = list.current;
    const link = strip?.querySelector<HTMLElement>('[aria-current]');
    if (strip && link) strip.scrollLeft = link.offsetLeft - (strip.clientWidth - link.offsetWidth) / 2;
  }, [current]);
  return (
    <nav aria-label={t`Screens`}>
      <ul ref={list} className={styles['links']}>
        {screens
          .filter(({ unlisted }) => !unlisted)
          .map((screen) => (
            <li key={screen.path}>
              <Link href={screen.path} aria-current={screen === current ? 'page' : undefined}>
                {i18n._(screen.name)}
              </Link>
            </li>
          ))}
      </ul>
    </nav>
  );
}
