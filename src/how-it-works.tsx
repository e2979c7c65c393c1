/** What happens here, for somebody who has never heard of it. */
import { useManifest } from './client/queries.ts';
import styles from './how-it-works.module.css';
import { Card } from './ui/card.tsx';

export function HowItWorks() {
  const chain = useManifest()?.chain;
  return (
    <Card title="How it works">
      <ol className={styles['steps']}>
        <li>
          <h3>Train</h3>
          <p>
            Every window your tab is assigned pages of text that nobody could choose. It computes how the model should
            change to predict them better, on your graphics card or processor, and packs the strongest parts.
          </p>
        </li>
        <li>
          <h3>Put</h3>
          <p>
            Uploads open for everybody at once and stay sealed until they close, so there is nothing to copy. Each one
            is answered by a signed receipt: proof of what you delivered, and when.
          </p>
        </li>
        <li>
          <h3>Judge</h3>
          <p>
            The validator checks every contribution and measures for some of them how much the model’s loss really
            falls, on your pages and on others. If yours helps no more on your own pages, you did not train on them.
          </p>
        </li>
        <li>
          <h3>Publish</h3>
          <p>
            The best contributions become the next model. Everybody applies the same step and holds the same parameters
            to the last bit: the state root is their fingerprint, and your tab recomputes it.
          </p>
        </li>
      </ol>
      <p className={styles['note']}>
        Scores and weights say how useful a contribution was.{' '}
        {chain
          ? `Subnet ${chain.netuid} of a chain pays by what all its validators make of them, which the Rewards screen shows; nobody promises an amount.`
          : 'They are not money: this run has no chain and pays nothing.'}{' '}
        A guest’s key is made in this browser, cannot be exported, and stands for no person.
      </p>
    </Card>
  );
}
