/** Notes what the chain says of the hotkeys that are watched, while it is watched. */
import { t } from '@lingui/core/macro';
import { useEffect, useState } from 'react';
import { deregistrationRisk, minerRanks } from '../../chain/economics.ts';
import type { Metagraph } from '../../chain/types.ts';
import { alertBook } from '../alerts/alert-book.ts';
import { parseSubject } from './place.ts';
import { resolveSubject } from './resolve.ts';
import type { SubnetTarget } from './use-subnet-watch.ts';

export function useSubnetAlerts(
  { network, netuid }: SubnetTarget,
  subjects: readonly string[],
  metagraph: Metagraph | undefined,
): void {
  // By hotkey: a uid that changes hands is just what is to be noticed.
  const [hotkeys] = useState(() => new Map<string, string>());
  const list = subjects.join();

  useEffect(() => {
    if (!metagraph) return;
    hotkeys.forEach((subject, hotkey) => !list.split(',').includes(subject) && hotkeys.delete(hotkey));
    for (const text of list.split(',')) {
      const subject = parseSubject(text);
      const resolved = subject && resolveSubject(subject, metagraph);
      if (resolved?.kind === 'neuron') hotkeys.set(resolved.neuron.hotkey, text);
    }
    const ranks = minerRanks(metagraph.neurons);
    for (const [hotkey, subject] of hotkeys) {
      const neuron = metagraph.neurons.find((each) => each.hotkey === hotkey);
      alertBook.note({
        subject: `${network} ${netuid} ${hotkey}`,
        name: neuron ? t`uid ${neuron.uid} of subnet ${netuid}` : t`${subject} of subnet ${netuid}`,
        at: t`block ${metagraph.block.number}`,
        rank: (neuron && ranks.get(neuron.uid)) ?? null,
        ranked: ranks.size,
        missed: null,
        delegationExpiresAt: null,
        chain: { registered: neuron !== undefined, risk: neuron ? deregistrationRisk(metagraph, neuron) : null },
      });
    }
  }, [network, netuid, list, metagraph, hotkeys]);
}
