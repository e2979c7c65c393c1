/** The chain's incentive beside this validator's own weight for the same hotkey. */
import { t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import type { Neuron } from '../../chain/types.ts';
import { usePeer } from '../client/queries.ts';
import { formatShare } from './amounts.ts';
import { compareWithGauntlet } from './explain.ts';
import styles from './gauntlet-comparison.module.css';

export function GauntletComparison({ neuron: { hotkey, incentive } }: { neuron: Neuron }) {
  const peer = usePeer(hotkey);
  if (peer.data === undefined) return null;
  if (peer.data === null) {
    return (
      <p className={styles['words']}>
        <Trans>This hotkey has not contributed to this validator’s run.</Trans>
      </p>
    );
  }
  const { weight } = peer.data;
  const widest = Math.max(incentive, weight, Number.EPSILON);
  return (
    <div className={styles['comparison']}>
      <dl className={styles['bars']}>
        {[
          { name: t`On-chain incentive`, share: incentive, testId: 'chain-share' },
          { name: t`Gauntlet weight here`, share: weight, testId: 'gauntlet-share' },
        ].map(({ name, share, testId }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <meter aria-label={name} min={0} max={widest} value={share} />
              <span data-testid={testId}>{formatShare(share)}</span>
            </dd>
          </div>
        ))}
      </dl>
      <p className={styles['words']}>{compareWithGauntlet(incentive, weight)}</p>
    </div>
  );
}
