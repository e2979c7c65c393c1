/** How much of the time the device may work. */
import { t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import { useId } from 'react';
import { THROTTLE_PERCENT } from '../../client/throttle.ts';
import { useApp, useContribute } from '../client/app-context.ts';
import { rememberThrottle } from '../platform/remembered-throttle.ts';
import { formatInteger } from '../ui/format.ts';
import styles from './throttle-slider.module.css';

export function ThrottleSlider() {
  const { controller } = useApp();
  const percent = useContribute((state) => state.throttlePercent);
  const id = useId();
  const text = `${formatInteger(percent)} %`;
  return (
    <div className={styles['throttle']}>
      <label htmlFor={id} title={t`Between micro-batches the device rests in proportion. Takes effect at once.`}>
        <Trans>Share of the time at work</Trans>
      </label>
      <input
        id={id}
        type="range"
        data-testid="throttle"
        min={THROTTLE_PERCENT.min}
        max={THROTTLE_PERCENT.max}
        step={1}
        value={percent}
        aria-valuetext={t`${formatInteger(percent)} percent`}
        onChange={(event) => {
          controller.setThrottle(event.target.valueAsNumber);
          rememberThrottle(event.target.valueAsNumber);
        }}
      />
      <output htmlFor={id}>{text}</output>
    </div>
  );
}
