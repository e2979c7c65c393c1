/** Whom an address or a uid means on a subnet. */
import type { Metagraph, Neuron } from '../../chain/types.ts';
import type { Subject } from './place.ts';

export type Resolved =
  | { readonly kind: 'neuron'; readonly neuron: Neuron }
  /** No hotkey here, but the coldkey of these. */
  | { readonly kind: 'coldkey'; readonly neurons: readonly Neuron[] }
  | { readonly kind: 'nobody' };

export function resolveSubject(subject: Subject, { neurons }: Metagraph): Resolved {
  const neuron = neurons.find((each) =>
    subject.kind === 'uid' ? each.uid === subject.uid : each.hotkey === subject.address,
  );
  if (neuron) return { kind: 'neuron', neuron };
  const owned = subject.kind === 'uid' ? [] : neurons.filter(({ coldkey }) => coldkey === subject.address);
  return owned.length > 0 ? { kind: 'coldkey', neurons: owned } : { kind: 'nobody' };
}
