/** The screen that the address bar names. */
import { Trans, useLingui } from '@lingui/react/macro';
import { Suspense, useEffect, useRef } from 'react';
import { useLocation } from 'wouter';
import { useApp } from '../client/app-context.ts';
import { ErrorBoundary } from '../ui/error-boundary.tsx';
import { Notice } from '../ui/notice.tsx';
import { screenAt, screensOf, type Screen } from './screens.ts';

export function CurrentScreen() {
  const [location] = useLocation();
  const { i18n } = useLingui();
  const { source } = useApp();
  const screen = screenAt(location, screensOf(source.kind));
  const name = i18n._(screen.name);
  return (
    // Keyed: a screen that failed must not take the next one with it.
    <ErrorBoundary key={screen.path}>
      <Suspense
        fallback={
          <Notice fill>
            <Trans>Loading {name}.</Trans>
          </Notice>
        }
      >
        <Arrival screen={screen} name={name} />
        <screen.component />
      </Suspense>
    </ErrorBoundary>
  );
}

/** Does what a page load would: the title changes, the page begins at its top, and a screen reader is told. */
function Arrival({ screen, name }: { screen: Screen; name: string }) {
  const { t } = useLingui();
  const arrivedAt = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    document.title = screen.path === '/' ? t`Gauntlet: train a language model in this tab` : `${name} · Gauntlet`;
    if (!navigatedBefore(screen)) return;
    window.scrollTo(0, 0);
    arrivedAt.current?.focus({ preventScroll: true });
  }, [screen, name, t]);
  return (
    <p ref={arrivedAt} tabIndex={-1} className="visually-hidden">
      {name}
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
