/** Another tab of this browser trains: what it does, and taking over from it. */
import { Plural, Trans, useLingui } from '@lingui/react/macro';
import { Button } from '../ui/button.tsx';
import { Figure, Figures } from '../ui/figures.tsx';
import { formatCompact, formatDecimal, UNKNOWN } from '../ui/format.ts';
import styles from './contribute-panel.module.css';
import { useOtherTabs } from './use-other-tabs.ts';

export function OtherTabNotice() {
  const { t } = useLingui();
  const { other, takeOver } = useOtherTabs();
  const { mirror } = other;
  const delivered = mirror?.delivered ?? 0;
  return (
    <div className={styles['other']} data-testid="other-tab">
      <div role="status" className={styles['words']}>
        <p className={styles['headline']}>
          <Trans>Another tab of this browser trains</Trans>
        </p>
        <p className="soft">
          {mirror && `${mirror.headline}. `}
          <Trans>Two at once would be slower than one and deliver under the same key, so this one watches.</Trans>
        </p>
      </div>
      {mirror && (
        <Figures columns={3}>
          <Figure label={t`Loss`} unit={t`nats`}>
            {formatDecimal(mirror.loss, 4)}
          </Figure>
          <Figure label={t`Speed`} unit={t`tokens/s`}>
            {mirror.tokensPerSecond === null ? UNKNOWN : formatCompact(mirror.tokensPerSecond)}
          </Figure>
          <Figure label={t`Delivered`}>
            <Plural value={delivered} one="# receipt" other="# receipts" />
          </Figure>
        </Figures>
      )}
      <div className={styles['controls']}>
        <Button size="large" data-testid="take-over" onClick={takeOver}>
          <Trans>Train here instead</Trans>
        </Button>
      </div>
    </div>
  );
}
