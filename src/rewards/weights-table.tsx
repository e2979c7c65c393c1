/** What each validator gives one neuron. */
import type { Metagraph, WeightRow } from '../../chain/types.ts';
import { formatInteger, UNKNOWN } from '../ui/format.ts';
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
  if (!weights) return <p className="soft">Reading the validators’ weights.</p>;
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
        Weights from {givers} of {formatInteger(given.length)} {given.length === 1 ? 'validator' : 'validators'}
      </summary>
      {given.length === 0 ? (
        <Notice>No validator has public weights on this subnet.</Notice>
      ) : (
        <Scroller label={`Weights that validators give uid ${uid}`}>
          <table>
            <thead>
              <tr>
                <th scope="col">Validator</th>
                <th scope="col" className="number">
                  Stake, α
                </th>
                <th scope="col" className="number" title="Of all the weight that this validator gives.">
                  Share
                </th>
              </tr>
            </thead>
            <tbody>
              {given.map(({ validatorUid, stake, share }) => (
                <tr key={validatorUid} data-validator={validatorUid}>
                  <th scope="row">uid {validatorUid}</th>
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
