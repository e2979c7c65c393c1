/** What the chain says about one registered hotkey. */
import { plural, t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import { alphaPerDay, deregistrationRisk, immunityLeft, inTao, minerRanks } from '../../chain/economics.ts';
import type { Metagraph, Neuron, WeightRow } from '../../chain/types.ts';
import { Badge } from '../ui/badge.tsx';
import { formatInteger, UNKNOWN } from '../ui/format.ts';
import { formatAmount, formatBlocks, formatShare } from './amounts.ts';
import { describeRisk, emissionFormula } from './explain.ts';
import { GauntletComparison } from './gauntlet-comparison.tsx';
import { HistoryChart, IncentiveLine, useNeuronHistory } from './neuron-history.tsx';
import { NotSaid, Row, Rows } from './rows.tsx';
import { STORAGE } from './storage-names.ts';
import { Headline, HeadlineFigure, SubjectCard } from './subject-card.tsx';
import type { Sample } from './subnet-watch.ts';
import { WeightsTable } from './weights-table.tsx';

export interface NeuronCardProps {
  readonly neuron: Neuron;
  readonly metagraph: Metagraph;
  readonly weights: readonly WeightRow[] | undefined;
  readonly samples: readonly Sample[];
  readonly blockSeconds: number;
  /** Whether the subnet is the run's own, so that its validator has figures of the hotkey too. */
  readonly ofRun: boolean;
  readonly onRemove?: (() => void) | undefined;
}

export function NeuronCard({ neuron, metagraph, weights, samples, blockSeconds, ofRun, onRemove }: NeuronCardProps) {
  const { subnet, neurons } = metagraph;
  const history = useNeuronHistory(neuron.hotkey, samples, ofRun);
  const ranks = minerRanks(neurons);
  const rank = ranks.get(neuron.uid);
  const risk = describeRisk(deregistrationRisk(metagraph, neuron), blockSeconds);
  const perDay = alphaPerDay(neuron.emission, subnet.tempo, blockSeconds);
  const taoPerDay = inTao(perDay, subnet.alphaPrice);
  return (
    <div data-subject={neuron.uid}>
      <SubjectCard
        title={t`uid ${neuron.uid}`}
        hotkey={neuron.hotkey}
        onRemove={onRemove}
        badges={
          <>
            <Badge tone="accent">{neuron.validatorPermit ? t`Validator` : t`Miner`}</Badge>
            {(risk.tone === 'bad' || risk.tone === 'warn') && <Badge tone={risk.tone}>{risk.short}</Badge>}
          </>
        }
      >
        <Headline>
          <HeadlineFigure
            label={t`Incentive`}
            testId="incentive"
            below={
              rank === undefined
                ? t`not ranked: it has a validator permit`
                : t`rank ${rank} of ${plural(ranks.size, { one: '# miner', other: '# miners' })}`
            }
          >
            {formatShare(neuron.incentive)}
          </HeadlineFigure>
          <HeadlineFigure
            label={t`A day, at this rate`}
            unit="α"
            testId="alpha-day"
            hint={emissionFormula(neuron.emission, subnet, blockSeconds)}
            below={
              taoPerDay === null ? (
                <NotSaid storage={STORAGE.alphaPrice} />
              ) : (
                <>
                  <Trans>
                    ≈ <span data-testid="tao-day">{formatAmount(taoPerDay)}</span> TAO before slippage
                  </Trans>
                </>
              )
            }
          >
            {perDay === null ? UNKNOWN : formatAmount(perDay)}
          </HeadlineFigure>
        </Headline>
        <IncentiveLine points={history} />
        <Rows>
          <Row label={t`Emission, last epoch`} unit="α" testId="emission" hint={t`Incentive and dividends together.`}>
            {formatAmount(neuron.emission)}
          </Row>
          <Row label={t`Dividends`} testId="dividends" hint={t`Share of what the subnet pays its validators.`}>
            {neuron.validatorPermit || neuron.dividends > 0 ? formatShare(neuron.dividends) : t`no validator`}
          </Row>
          <Row label={t`Stake`} unit={neuron.stake === null ? undefined : 'α'} testId="stake">
            {neuron.stake === null ? <NotSaid storage={STORAGE.stake} /> : formatAmount(neuron.stake)}
          </Row>
          <Row label={t`Registered at block`} testId="registered-at">
            {neuron.registeredAt === null ? (
              <NotSaid storage={STORAGE.registeredAt} />
            ) : (
              formatInteger(neuron.registeredAt)
            )}
          </Row>
          <Row label={t`Immunity left`} testId="immunity">
            <Immunity neuron={neuron} metagraph={metagraph} blockSeconds={blockSeconds} />
          </Row>
          <Row label={t`Risk of being replaced`} testId="risk" hint={risk.detail}>
            {risk.short}
          </Row>
          <Row
            label={t`Last update`}
            testId="last-update"
            hint={t`The block at which it last set weights; a miner’s is that of its registration.`}
          >
            {neuron.lastUpdate === null ? <NotSaid storage={STORAGE.lastUpdate} /> : formatInteger(neuron.lastUpdate)}
          </Row>
        </Rows>
        {ofRun && <GauntletComparison neuron={neuron} />}
        <WeightsTable uid={neuron.uid} metagraph={metagraph} weights={weights} />
        <HistoryChart points={history} ofRun={ofRun} />
      </SubjectCard>
    </div>
  );
}

function Immunity({
  neuron,
  metagraph: { subnet, block },
  blockSeconds,
}: Pick<NeuronCardProps, 'neuron' | 'metagraph' | 'blockSeconds'>) {
  const left = immunityLeft(neuron, subnet, block.number);
  if (left !== null) return left === 0 ? t`over` : formatBlocks(left, blockSeconds);
  return <NotSaid storage={subnet.immunityPeriod === null ? STORAGE.immunityPeriod : STORAGE.registeredAt} />;
}
