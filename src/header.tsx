/** Name, screens, run, connection and theme. */
import { t } from '@lingui/core/macro';
import { useApp, useLive } from './client/app-context.ts';
import { useOtherVersion } from './client/other-version.ts';
import { useClock, useManifest, useUnreachable } from './client/queries.ts';
import styles from './header.module.css';
import { LanguageChoice } from './i18n/language-choice.tsx';
import { Navigation } from './navigation/navigation.tsx';
import { ThemeChoice } from './platform/theme-choice.tsx';
import { Badge, type BadgeTone } from './ui/badge.tsx';

export function Header() {
  const manifest = useManifest();
  const { source } = useApp();
  return (
    <header className={styles['header']}>
      <div className={styles['brand']}>
        <Mark />
        <p>
          Gauntlet
          {manifest && <span className={styles['run']}>{manifest.name}</span>}
        </p>
      </div>
      <Navigation />
      <div className={styles['tools']}>
        {source.kind !== 'replay' && <ConnectionBadge />}
        <div className={styles['choices']}>
          <LanguageChoice />
          <ThemeChoice />
        </div>
      </div>
    </header>
  );
}

/** A curve that falls under the bar it is measured against. */
function Mark() {
  return (
    <svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
      <rect width="24" height="24" rx="6" fill="var(--accent)" />
      <path d="M5 7.5h14" stroke="var(--on-accent)" strokeWidth="1.8" strokeLinecap="round" opacity="0.6" />
      <path
        d="M5 11c3.2 0 3.6 5.8 7 5.8h7"
        fill="none"
        stroke="var(--on-accent)"
        strokeWidth="2.2"
        strokeLinecap="round"
      />
    </svg>
  );
}

function ConnectionBadge() {
  const stream = useLive((state) => state.stream);
  const clock = useClock();
  const unreachable = useUnreachable() !== undefined;
  const otherVersion = useOtherVersion() !== undefined;
  const [tone, text, title] = otherVersion
    ? (['bad', t`Other version`, t`This page and the validator do not understand each other.`] as const)
    : connection(stream === 'live', unreachable, clock.isSuccess);
  return (
    <span role="status">
      <Badge tone={tone} title={title}>
        <span aria-hidden="true">●</span> {text}
      </Badge>
    </span>
  );
}

function connection(streaming: boolean, failing: boolean, known: boolean): [BadgeTone, string, string] {
  if (failing) return ['bad', t`Validator unreachable`, t`It is asked again every two seconds.`];
  if (!known) return ['neutral', t`Connecting`, t`Asking the validator for the run.`];
  if (streaming) return ['good', t`Live`, t`News arrive as they happen.`];
  return ['warn', t`Polling`, t`The stream of news is interrupted; figures are asked for every two seconds.`];
}
