/** A word or two with a tone. The tone is never the only sign: the word says it too. */
import type { ReactNode } from 'react';
import { classes } from './classes.ts';
import styles from './badge.module.css';

export type BadgeTone = 'neutral' | 'accent' | 'good' | 'warn' | 'bad';

export function Badge({
  tone = 'neutral',
  title,
  children,
}: {
  tone?: BadgeTone;
  title?: string;
  children: ReactNode;
}) {
  return (
    <span className={classes(styles['badge'], styles[tone])} title={title}>
      {children}
    </span>
  );
}
