/** A titled region of the page. */
import { useId, type ReactNode } from 'react';
import { classes } from './classes.ts';
import styles from './card.module.css';

export interface CardProps {
  readonly title: string;
  /** Beside the title: a badge, a figure. */
  readonly aside?: ReactNode;
  readonly intro?: ReactNode;
  readonly className?: string | undefined;
  readonly children: ReactNode;
}

export function Card({ title, aside, intro, className, children }: CardProps) {
  const id = useId();
  return (
    <section aria-labelledby={id} className={classes(styles['card'], className)}>
      <header className={styles['head']}>
        <h2 id={id}>{title}</h2>
        {aside !== undefined && <div className={styles['aside']}>{aside}</div>}
      </header>
      {intro !== undefined && <p className={styles['intro']}>{intro}</p>}
      {children}
    </section>
  );
}
