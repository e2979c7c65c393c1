/** What each validator gives one neuron. */
import { t } from '@lingui/core/macro';
import { Plural, Trans } from '@lingui/react/macro';
import type { Metagraph, WeightRow } from '../../chain/types.ts';
import { UNKNOWN } from '../ui/format.ts';
import { Notice } from '../ui/notice.tsx';
import { Scroller } from '../ui/scroller.tsx';
import { formatAmount, formatShare } from './amounts.ts';
import styles from './weights-table.module.css';

export interface WeightsTableProps {
  readonly uid: number;
  readonly metagraph: Metagraph;
  /** Undefined until they are read. */
  readonly weights: readonly WeightRow[] | undefined;
}

export function WeightsTable({ uid, metagraph, weights }: WeightsTableProps) {
  if (!weights)
    return (
      <p className="soft">
        <Trans>Reading the validators’ weights.</Trans>
      </p>
    );
  const stakes = new Map(metagraph.neurons.map((neuron) => [neuron.uid, neuron.stake]));
  const given = weights
    .map(({ validatorUid, weights: entries }) => ({
      validatorUid,
      stake: stakes.get(validatorUid) ?? null,
      share: entries.find((entry) => entry.uid === uid)?.share ?? 0,
    }))
    .sort((a, b) => (b.stake ?? 0) - (a.stake ?? 0) || a.validatorUid - b.validatorUid);
  const givers = given.filter(({ share }) => share > 0).length;
  return (
    <details className={styles['weights']}>
      <summary>
        <Trans>
          Weights from {givers} of <Plural value={given.length} one="# validator" other="# validators" />
        </Trans>
      </summary>
      {given.length === 0 ? (
        <Notice>
          <Trans>No validator has public weights on this subnet.</Trans>
        </Notice>
      ) : (
        <Scroller label={t`Weights that validators give uid ${uid}`}>
          <table>
            <thead>
              <tr>
                <th scope="col">
                  <Trans>Validator</Trans>
                </th>
                <th scope="col" className="number">
                  <Trans>Stake, α</Trans>
                </th>
                <th scope="col" className="number" title={t`Of all the weight that this validator gives.`}>
                  <Trans>Share</Trans>
                </th>
              </tr>
            </thead>
            <tbody>
              {given.map(({ validatorUid, stake, share }) => (
                <tr key={validatorUid} data-validator={validatorUid}>
                  <th scope="row">
                    <Trans>uid {validatorUid}</Trans>
                  </th>
                  <td className="number">{stake === null ? UNKNOWN : formatAmount(stake)}</td>
                  <td className="number">{formatShare(share)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroller>
      )}
    </details>
  );
}
