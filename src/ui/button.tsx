/** The app's buttons. Busy ones keep the focus, so that keyboard users are not thrown out. */
import type { ComponentProps } from 'react';
import { classes } from './classes.ts';
import styles from './button.module.css';

export interface ButtonProps extends Omit<ComponentProps<'button'>, 'disabled'> {
  readonly kind?: 'primary' | 'secondary' | 'quiet';
  readonly size?: 'normal' | 'large';
  readonly busy?: boolean;
}

export function Button({
  kind = 'secondary',
  size = 'normal',
  busy = false,
  className,
  onClick,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      aria-disabled={busy || undefined}
      onClick={busy ? undefined : onClick}
      className={classes(styles['button'], styles[kind], size === 'large' && styles['large'], className)}
    />
  );
}
