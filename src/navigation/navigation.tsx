/** Links to the screens. Locations are in the hash, so the app works on any static host and under any path. */
import { useLingui } from '@lingui/react/macro';
import { Link, useLocation } from 'wouter';
import styles from './navigation.module.css';
import { screenAt, SCREENS } from './screens.ts';

export function Navigation() {
  const { i18n, t } = useLingui();
  const [location] = useLocation();
  const current = screenAt(location);
  return (
    <nav aria-label={t`Screens`}>
      <ul className={styles['links']}>
        {SCREENS.filter(({ unlisted }) => !unlisted).map((screen) => (
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
