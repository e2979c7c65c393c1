/** An address or uid that is nobody's on this subnet: said, with what it would take. */
import { t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import type { Metagraph, Neuron } from '../../chain/types.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { formatInteger } from '../ui/format.ts';
import { formatAmount, formatBlocks } from './amounts.ts';
import type { Subject } from './place.ts';
import { NotSaid, Row, Rows } from './rows.tsx';
import { STORAGE } from './storage-names.ts';
import { SubjectCard } from './subject-card.tsx';
import type { Sample } from './subnet-watch.ts';

export interface StrangerCardProps {
  readonly subject: Subject;
  readonly metagraph: Metagraph;
  readonly samples: readonly Sample[];
  readonly blockSeconds: number;
  readonly onRemove?: (() => void) | undefined;
}

export function StrangerCard({ subject, metagraph, samples, blockSeconds, onRemove }: StrangerCardProps) {
  const { subnet } = metagraph;
  if (subject.kind === 'uid') {
    return (
      <SubjectCard
        title={t`uid ${subject.uid}`}
        badges={
          <Badge>
            <Trans>Nobody</Trans>
          </Badge>
        }
        onRemove={onRemove}
      >
        <p>
          <Trans>
            No neuron has this uid: subnet {subnet.netuid} has {formatInteger(subnet.neurons)}, counted from 0.
          </Trans>
        </p>
      </SubjectCard>
    );
  }
  const seen = samples.filter(({ neurons }) => neurons.has(subject.address)).at(-1);
  const lost = seen?.neurons.get(subject.address);
  return (
    <SubjectCard
      title={t`Not registered`}
      badges={
        <Badge tone="warn">
          <Trans>no uid</Trans>
        </Badge>
      }
      hotkey={subject.address}
      onRemove={onRemove}
    >
      {seen && lost && (
        <p data-testid="deregistered">
          <Trans>
            It was uid {lost.uid} until after block {formatInteger(seen.block)}, and has been replaced since.
          </Trans>
        </p>
      )}
      <p>
        <Trans>
          This address is no hotkey of subnet {subnet.netuid}, so the chain pays it nothing here. Registering takes a
          uid for it: the coldkey that owns it burns TAO, which nobody gets back, and from then on validators can give
          it weight. Being registered is no promise of any reward.
        </Trans>
      </p>
      <Rows>
        <Row
          label={t`Registration burns now`}
          unit={subnet.burn === null ? undefined : 'TAO'}
          testId="registration-burn"
        >
          {subnet.burn === null ? <NotSaid storage={STORAGE.burn} /> : formatAmount(subnet.burn)}
        </Row>
        <Row label={t`Open for registration`}>
          {subnet.registrationAllowed === null ? (
            <NotSaid storage="NetworkRegistrationAllowed" />
          ) : subnet.registrationAllowed ? (
            t`yes`
          ) : (
            t`no`
          )}
        </Row>
        <Row
          label={t`Places left`}
          hint={t`When none is left, the neuron with the lowest emission outside immunity goes.`}
        >
          {subnet.maxNeurons === null ? (
            <NotSaid storage={STORAGE.maxNeurons} />
          ) : (
            formatInteger(Math.max(0, subnet.maxNeurons - subnet.neurons))
          )}
        </Row>
        <Row label={t`Then immune for`}>
          {subnet.immunityPeriod === null ? (
            <NotSaid storage={STORAGE.immunityPeriod} />
          ) : (
            formatBlocks(subnet.immunityPeriod, blockSeconds)
          )}
        </Row>
      </Rows>
    </SubjectCard>
  );
}

/** A coldkey is not paid incentive; its hotkeys are. */
export function ColdkeyCard({
  address,
  neurons,
  onWatch,
  onRemove,
}: {
  address: string;
  neurons: readonly Neuron[];
  onWatch: (hotkey: string) => void;
  onRemove?: (() => void) | undefined;
}) {
  return (
    <SubjectCard
      title={t`A coldkey`}
      badges={
        <Badge>
          <Trans>owner</Trans>
        </Badge>
      }
      hotkey={address}
      onRemove={onRemove}
    >
      <p>
        <Trans>This address owns hotkeys of the subnet. Figures are kept by hotkey: choose one.</Trans>
      </p>
      <ul>
        {neurons.map(({ uid, hotkey }) => (
          <li key={uid}>
            <Button kind="quiet" onClick={() => onWatch(hotkey)}>
              <Trans>Watch uid {uid}</Trans>
            </Button>
          </li>
        ))}
      </ul>
    </SubjectCard>
  );
}
