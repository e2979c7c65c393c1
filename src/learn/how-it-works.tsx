/** A window in four steps, for somebody who has never heard of it. */
import { Trans, useLingui } from '@lingui/react/macro';
import { useManifest } from '../client/queries.ts';
import { Card } from '../ui/card.tsx';
import styles from './how-it-works.module.css';

export function HowItWorks() {
  const { t } = useLingui();
  return (
    <Card title={t`How it works`}>
      <ol className={styles['steps']}>
        <li>
          <h3>
            <Trans>Train</Trans>
          </h3>
          <p>
            <Trans>
              Every window your tab is assigned pages of text that nobody could choose. It computes how the model should
              change to predict them better, on your graphics card or processor, and packs the strongest parts.
            </Trans>
          </p>
        </li>
        <li>
          <h3>
            <Trans>Put</Trans>
          </h3>
          <p>
            <Trans>
              Uploads open for everybody at once and stay sealed until they close, so there is nothing to copy. Each one
              is answered by a signed receipt: proof of what you delivered, and when.
            </Trans>
          </p>
        </li>
        <li>
          <h3>
            <Trans>Judge</Trans>
          </h3>
          <p>
            <Trans>
              The validator checks every contribution and measures for some of them how much the model’s loss really
              falls, on your pages and on others. If yours helps no more on your own pages, you did not train on them.
            </Trans>
          </p>
        </li>
        <li>
          <h3>
            <Trans>Publish</Trans>
          </h3>
          <p>
            <Trans>
              The best contributions become the next model. Everybody applies the same step and holds the same
              parameters to the last bit: the state root is their fingerprint, and your tab recomputes it.
            </Trans>
          </p>
        </li>
      </ol>
      <Worth />
    </Card>
  );
}

function Worth() {
  const netuid = useManifest()?.chain?.netuid;
  return (
    <p className={styles['note']}>
      <Trans>Scores and weights say how useful a contribution was.</Trans>{' '}
      {netuid === undefined ? (
        <Trans>They are not money: this run has no chain and pays nothing.</Trans>
      ) : (
        <Trans>
          Subnet {netuid} of a chain pays by what all its validators make of them, which the Rewards screen shows;
          nobody promises an amount.
        </Trans>
      )}{' '}
      <Trans>A guest’s key is made in this browser, cannot be exported, and stands for no person.</Trans>
    </p>
  );
}
