/**
 * A word that a newcomer cannot know: hover, focus or a tap shows what it means, with a link to the glossary. A button,
 * so it must not stand inside another button, a link or a label.
 */
import { Trans, useLingui } from '@lingui/react/macro';
import { useEffect, useId, useRef, useState, type CSSProperties, type ReactNode } from 'react';
import type { Entry, TermName } from './glossary.ts';
import { besideAnchor } from './popover-position.ts';
import styles from './term.module.css';

/** A pointer that only passes opens nothing; one that leaves has this long to reach the popover. */
const OPEN_MS = 250;
const CLOSE_MS = 300;

/** A button is a box, and lines may break after boxes: not before the comma that follows. */
const NO_BREAK = '\u2060';

export function Term({ name, children }: { name: TermName; children: ReactNode }) {
  const id = useId();
  const [open, setOpen] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const wrap = useRef<HTMLSpanElement>(null);
  const anchor = useRef<HTMLButtonElement>(null);

  function soon(shown: boolean): void {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setOpen(shown), shown ? OPEN_MS : CLOSE_MS);
  }
  function now(shown: boolean): void {
    clearTimeout(timer.current);
    setOpen(shown);
  }
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => {
    if (!open) return undefined;
    // Wherever the focus is: what hovering opened must go by the keyboard as well (WCAG 1.4.13).
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') now(false);
    };
    // Not every browser moves the focus at a click, so there may be no blur.
    const onPointer = ({ target }: PointerEvent): void => {
      if (!wrap.current?.contains(target as Node)) now(false);
    };
    document.addEventListener('keydown', onKey);
    document.addEventListener('pointerdown', onPointer);
    return () => {
      document.removeEventListener('keydown', onKey);
      document.removeEventListener('pointerdown', onPointer);
    };
  }, [open]);

  return (
    <span
      ref={wrap}
      onPointerEnter={(event) => event.pointerType === 'mouse' && soon(true)}
      onPointerLeave={(event) => event.pointerType === 'mouse' && soon(false)}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) now(false);
      }}
    >
      <button
        ref={anchor}
        type="button"
        className={styles['term']}
        aria-expanded={open}
        aria-describedby={open ? id : undefined}
        onFocus={(event) => {
          // A click focuses too, and is handled as a click.
          if (event.currentTarget.matches(':focus-visible')) now(true);
        }}
        onClick={() => now(true)}
      >
        {children}
      </button>
      {NO_BREAK}
      {open && <Definition id={id} name={name} anchor={anchor} />}
    </span>
  );
}

function Definition({
  id,
  name,
  anchor,
}: {
  id: string;
  name: TermName;
  anchor: { readonly current: HTMLElement | null };
}) {
  const { i18n } = useLingui();
  const popover = useRef<HTMLSpanElement>(null);
  const [entry, setEntry] = useState<Entry>();
  const [place, setPlace] = useState<CSSProperties>({});

  useEffect(() => {
    let gone = false;
    void import('./glossary.ts').then(
      ({ GLOSSARY }) => {
        if (!gone) setEntry(GLOSSARY[name]);
      },
      // Offline before it was loaded: the link below still leads to the glossary.
      () => undefined,
    );
    return () => {
      gone = true;
    };
  }, [name]);

  useEffect(() => {
    const [shown, at] = [popover.current, anchor.current];
    if (!shown || !at) return undefined;
    // In the top layer no scrolling region cuts it off.
    if (!shown.matches(':popover-open')) shown.showPopover();
    const position = (): void =>
      setPlace(besideAnchor(at.getBoundingClientRect(), shown.getBoundingClientRect(), document.documentElement));
    position();
    window.addEventListener('scroll', position, { capture: true, passive: true });
    window.addEventListener('resize', position);
    return () => {
      window.removeEventListener('scroll', position, { capture: true });
      window.removeEventListener('resize', position);
    };
  }, [anchor, entry]);

  return (
    <span ref={popover} popover="manual" tabIndex={-1} className={styles['popover']} style={place}>
      <span id={id}>
        {entry ? (
          <>
            <strong>{i18n._(entry.term)}</strong> <span>{i18n._(entry.short)}</span>
          </>
        ) : (
          '…'
        )}
      </span>
      <a href={`#/learn/${name}`}>
        <Trans>More in the glossary</Trans>
      </a>
    </span>
  );
}
