/** The screen that the address bar names. */
import { Suspense, useEffect, useRef } from 'react';
import { useLocation } from 'wouter';
import { ErrorBoundary } from '../ui/error-boundary.tsx';
import { Notice } from '../ui/notice.tsx';
import { screenAt, type Screen } from './screens.ts';

const TITLE = document.title;

export function CurrentScreen() {
  const [location] = useLocation();
  const screen = screenAt(location);
  return (
    // Keyed: a screen that failed must not take the next one with it.
    <ErrorBoundary key={screen.path}>
      <Suspense fallback={<Notice fill>Loading {screen.name}.</Notice>}>
        <Arrival screen={screen} />
        <screen.component />
      </Suspense>
    </ErrorBoundary>
  );
}

/** Does what a page load would: the title changes, the page begins at its top, and a screen reader is told. */
function Arrival({ screen }: { screen: Screen }) {
  const arrivedAt = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    document.title = screen.path === '/' ? TITLE : `${screen.name} · Gauntlet`;
    if (!navigatedBefore(screen)) return;
    window.scrollTo(0, 0);
    arrivedAt.current?.focus({ preventScroll: true });
  }, [screen]);
  return (
    <p ref={arrivedAt} tabIndex={-1} className="visually-hidden">
      {screen.name}
    </p>
  );
}

let last: Screen | undefined;

/** Whether this is another screen than before, and not the page's first. */
function navigatedBefore(screen: Screen): boolean {
  const before = last;
  last = screen;
  return before !== undefined && before !== screen;
}
