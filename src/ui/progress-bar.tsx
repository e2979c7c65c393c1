/** How far something is, as a bar and in words. */
import { useId } from 'react';
import styles from './progress-bar.module.css';

export interface ProgressBarProps {
  readonly label: string;
  readonly value: number;
  readonly max: number;
  /** The figures in words. */
  readonly text: string;
}

export function ProgressBar({ label, value, max, text }: ProgressBarProps) {
  const id = useId();
  return (
    <div className={styles['progress']}>
      <progress aria-label={label} aria-describedby={id} value={Math.min(value, max)} max={Math.max(1, max)} />
      <p id={id}>{text}</p>
    </div>
  );
}
