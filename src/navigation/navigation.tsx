/** Links to the screens. Locations are in the hash, so the app works on any static host and under any path. */
import { Link, useLocation } from 'wouter';
import styles from './navigation.module.css';
import { screenAt, SCREENS } from './screens.ts';

export function Navigation() {
  const [location] = useLocation();
  const current = screenAt(location);
  return (
    <nav aria-label="Screens">
      <ul className={styles['links']}>
        {SCREENS.map((screen) => (
          <li key={screen.path}>
            <Link href={screen.path} aria-current={screen === current ? 'page' : undefined}>
              {screen.name}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
