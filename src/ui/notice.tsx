/** Something to know, with what to do about it: errors, warnings and empty states. */
import type { ReactNode } from 'react';
import { classes } from './classes.ts';
import styles from './notice.module.css';

export interface NoticeProps {
  readonly tone?: 'empty' | 'warn' | 'bad';
  readonly title?: string;
  /** Takes the place of what will be here later. */
  readonly fill?: boolean;
  readonly action?: ReactNode;
  readonly children: ReactNode;
}

export function Notice({ tone = 'empty', title, fill = false, action, children }: NoticeProps) {
  return (
    <div
      className={classes(styles['notice'], styles[tone], fill && styles['fill'])}
      role={tone === 'bad' ? 'alert' : undefined}
    >
      <div>
        {title !== undefined && <p className={styles['title']}>{title}</p>}
        <p>{children}</p>
      </div>
      {action}
    </div>
  );
}
