/** The subnet itself: the connection, when the next epoch comes, and what a place costs. */
import { plural, t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import { blocksToEpoch } from '../../chain/economics.ts';
import type { Metagraph } from '../../chain/types.ts';
import { useServerNowMs } from '../client/app-context.ts';
import { withRemedy } from '../ui/failure-words.ts';
import { Badge } from '../ui/badge.tsx';
import { Card } from '../ui/card.tsx';
import { Figure, Figures } from '../ui/figures.tsx';
import { formatDuration, formatInteger } from '../ui/format.ts';
import { Notice } from '../ui/notice.tsx';
import { ProgressBar } from '../ui/progress-bar.tsx';
import { formatAmount } from './amounts.ts';
import { describeConnection } from './connection.ts';
import { splitInWords } from './explain.ts';
import styles from './subnet-panel.module.css';
import { NotSaid } from './rows.tsx';
import { STORAGE } from './storage-names.ts';
import type { SubnetState } from './subnet-watch.ts';
import type { SubnetTarget } from './use-subnet-watch.ts';

export function SubnetPanel({ target, state }: { target: SubnetTarget; state: SubnetState }) {
  const { metagraph, failure } = state;
  const { tone, short, detail } = describeConnection(state, target.endpoints.length);
  return (
    <Card
      title={t`Subnet ${target.netuid} of ${target.network}`}
      aside={
        <span role="status" data-testid="connection">
          <Badge tone={tone}>
            <span aria-hidden="true">●</span> {short}
          </Badge>
        </span>
      }
      intro={<span data-testid="connection-detail">{detail}</span>}
    >
      {failure && <Notice tone="bad">{withRemedy(failure)}</Notice>}
      {metagraph && <SubnetFigures metagraph={metagraph} blockSeconds={target.blockSeconds} />}
    </Card>
  );
}

function SubnetFigures({ metagraph, blockSeconds }: { metagraph: Metagraph; blockSeconds: number }) {
  const { subnet, neurons, block, missing } = metagraph;
  const miners = neurons.filter(({ validatorPermit }) => !validatorPermit).length;
  return (
    <>
      <Figures>
        <NextEpoch metagraph={metagraph} blockSeconds={blockSeconds} />
        <Figure label={t`Block`} testId="block" hint={t`The newest finalised block that the figures are of.`}>
          {formatInteger(block.number)}
        </Figure>
        <Figure
          label={t`Alpha price`}
          unit={subnet.alphaPrice === null ? '' : 'TAO'}
          testId="alpha-price"
          hint={t`TAO for one alpha, before slippage (${STORAGE.alphaPrice}).`}
        >
          {subnet.alphaPrice === null ? <NotSaid storage={STORAGE.alphaPrice} /> : formatAmount(subnet.alphaPrice)}
        </Figure>
        <Figure
          label={t`Registration`}
          unit={subnet.burn === null ? '' : t`TAO, burned`}
          testId="burn"
          hint={t`What a registration burns at this block. It is not given back.`}
        >
          {subnet.burn === null ? <NotSaid storage={STORAGE.burn} /> : formatAmount(subnet.burn)}
        </Figure>
        <Figure
          label={t`Neurons`}
          unit={subnet.maxNeurons === null ? '' : t`of ${formatInteger(subnet.maxNeurons)}`}
          testId="neurons"
          hint={t`${formatInteger(miners)} miners, ${formatInteger(neurons.length - miners)} with a validator permit.`}
        >
          {formatInteger(subnet.neurons)}
        </Figure>
      </Figures>
      <EpochProgress metagraph={metagraph} />
      <details>
        <summary>
          <Trans>Who is paid, and what this runtime does not say</Trans>
        </summary>
        <p className={styles['more']}>{splitInWords()}</p>
        <p className={styles['more']}>
          <Trans>
            Incentive is paid as staked alpha, to the hotkey or wherever its owner lets stake go.{' '}
            {subnet.commitReveal
              ? t`Weights are committed first and revealed epochs later, so the table of weights trails.`
              : t`Weights are public as soon as they are set.`}
          </Trans>
        </p>
        <p className={styles['more']}>
          {missing.length === 0 ? (
            t`Runtime ${metagraph.specVersion} says everything that is shown here.`
          ) : (
            <>
              <Trans>
                Runtime {metagraph.specVersion} does not say: <code>{missing.join(', ')}</code>. What depends on it is
                left open, not taken for zero.
              </Trans>
            </>
          )}
        </p>
      </details>
    </>
  );
}

function EpochProgress({ metagraph: { subnet, block } }: { metagraph: Metagraph }) {
  const left = blocksToEpoch(subnet, block.number);
  if (left === null) return null;
  // The block of an epoch itself may count as one more than its tempo.
  const done = Math.max(0, subnet.tempo - left);
  return (
    <ProgressBar
      label={t`Blocks of this epoch`}
      value={done}
      max={subnet.tempo}
      text={t`Block ${formatInteger(done)} of ${formatInteger(subnet.tempo)} of this epoch; at its end incentive and emission are decided anew.`}
    />
  );
}

function NextEpoch({ metagraph: { subnet, block, at }, blockSeconds }: { metagraph: Metagraph; blockSeconds: number }) {
  const now = useServerNowMs();
  const blocks = blocksToEpoch(subnet, block.number);
  if (blocks === null) {
    return (
      <Figure label={t`Next epoch`} testId="next-epoch" hint={t`This subnet’s tempo is 0.`}>
        <Trans>never</Trans>
      </Figure>
    );
  }
  const since = Math.max(0, now - Date.parse(at)) / 1_000;
  const left = Math.max(0, blocks * blockSeconds - since);
  return (
    <Figure
      label={t`Next epoch`}
      unit={plural(blocks, { one: 'block', other: 'blocks' })}
      testId="next-epoch"
      hint={t`At block ${formatInteger(subnet.nextEpochAt)}; an epoch has ${formatInteger(subnet.tempo)} blocks of about ${blockSeconds} s. Incentive and emission change then.`}
    >
      {left === 0 ? 'due' : formatDuration(left)}
    </Figure>
  );
}
