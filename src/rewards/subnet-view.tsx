/** A subnet, and those who are watched on it, side by side. */
import { t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import type { Metagraph } from '../../chain/types.ts';
import { Notice } from '../ui/notice.tsx';
import { NeuronCard } from './neuron-card.tsx';
import { parseSubject, type Subject } from './place.ts';
import { resolveSubject } from './resolve.ts';
import styles from './rewards-screen.module.css';
import { ColdkeyCard, StrangerCard } from './stranger-card.tsx';
import { SubjectForm, type Suggestion } from './subject-form.tsx';
import { SubnetPanel } from './subnet-panel.tsx';
import type { SubnetState } from './subnet-watch.ts';
import { useSubnetAlerts } from './use-subnet-alerts.ts';
import { useSubnetWatch, type SubnetTarget } from './use-subnet-watch.ts';
import type { Watchlist } from './use-watchlist.ts';

export interface SubnetViewProps {
  readonly target: SubnetTarget;
  readonly watchlist: Watchlist;
  /** The hotkey of this browser, if it may be registered there. */
  readonly own: string | undefined;
  readonly ofRun: boolean;
}

const TOP_MINERS = 3;

/** This browser's own hotkey, and who earns most. */
function suggestionsOf(metagraph: Metagraph | undefined, own: string | undefined): readonly Suggestion[] {
  const miners = [...(metagraph?.neurons ?? [])]
    .filter(({ validatorPermit }) => !validatorPermit)
    .sort((a, b) => b.incentive - a.incentive || a.uid - b.uid)
    .slice(0, TOP_MINERS)
    .map(({ uid }) => ({ name: t`uid ${uid}`, subject: String(uid) }));
  return [...(own === undefined ? [] : [{ name: t`your key`, subject: own }]), ...miners];
}

/** Whoever contributes with a registered hotkey sees it first, without asking. */
function withOwn(
  subjects: readonly string[],
  own: string | undefined,
  metagraph: Metagraph | undefined,
): readonly string[] {
  const neuron = metagraph?.neurons.find(({ hotkey }) => hotkey === own);
  if (!neuron || subjects.includes(neuron.hotkey) || subjects.includes(String(neuron.uid))) return subjects;
  return [neuron.hotkey, ...subjects];
}

export function SubnetView({ target, watchlist, own, ofRun }: SubnetViewProps) {
  const state = useSubnetWatch(target);
  const { add } = watchlist;
  const shown = withOwn(watchlist.subjects, own, state.metagraph);
  useSubnetAlerts(target, shown, state.metagraph);
  return (
    <>
      <SubnetPanel target={target} state={state} />
      <SubjectForm subjects={shown} suggestions={suggestionsOf(state.metagraph, own)} onAdd={add} />
      {shown.length === 0 && (
        <Notice fill>
          <Trans>Nobody is watched yet. Add a uid or a hotkey: anybody’s figures are public.</Trans>
        </Notice>
      )}
      {state.metagraph && (
        <div className={styles['cards']}>
          {shown.map((text) => (
            <WatchedCard
              key={text}
              subject={parseSubject(text)!}
              state={state}
              metagraph={state.metagraph!}
              target={target}
              ofRun={ofRun}
              onRemove={watchlist.subjects.includes(text) ? () => watchlist.remove(text) : undefined}
              onReplace={(hotkey) => watchlist.replace(text, hotkey)}
            />
          ))}
        </div>
      )}
    </>
  );
}

function WatchedCard({
  subject,
  state: { weights, samples },
  metagraph,
  target: { blockSeconds },
  ofRun,
  onRemove,
  onReplace,
}: {
  subject: Subject;
  state: SubnetState;
  metagraph: Metagraph;
  target: SubnetTarget;
  ofRun: boolean;
  onRemove: (() => void) | undefined;
  onReplace: (hotkey: string) => void;
}) {
  const shared = { metagraph, samples, blockSeconds, onRemove };
  const resolved = resolveSubject(subject, metagraph);
  switch (resolved.kind) {
    case 'neuron':
      return <NeuronCard neuron={resolved.neuron} weights={weights} ofRun={ofRun} {...shared} />;
    case 'coldkey':
      return (
        <ColdkeyCard
          address={subject.kind === 'address' ? subject.address : ''}
          neurons={resolved.neurons}
          onWatch={onReplace}
          onRemove={onRemove}
        />
      );
    case 'nobody':
      return <StrangerCard subject={subject} {...shared} />;
  }
}
