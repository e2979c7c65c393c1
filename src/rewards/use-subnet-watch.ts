/** A subnet as React sees it. The chain's library is loaded with the first one that is watched. */
import { useMemo } from 'react';
import { createSignal, useSignal, type Signal } from '../platform/subscribable.ts';
import { NOT_YET, watchSubnet, type SubnetState, type SubnetWatch } from './subnet-watch.ts';

export interface SubnetTarget {
  /** What people call the network: a preset's name, or the endpoint's host. */
  readonly network: string;
  readonly netuid: number;
  readonly endpoints: readonly string[];
  /** Undefined for an endpoint of one's own: it is whatever chain it is. */
  readonly genesisHash: string | undefined;
  readonly blockSeconds: number;
}

function subnetSignal({ netuid, endpoints, genesisHash }: SubnetTarget): Signal<SubnetState> {
  let watch: SubnetWatch | undefined;
  return createSignal(
    () => watch?.store.getState() ?? NOT_YET,
    (changed) => {
      const begun = watchSubnet(netuid, async () => {
        const { connectChain } = await import('../../chain/connect.ts');
        return connectChain({ endpoints, ...(genesisHash === undefined ? {} : { genesisHash }) });
      });
      watch = begun;
      const stop = begun.store.subscribe(changed);
      return () => {
        stop();
        begun.stop();
        watch = undefined;
      };
    },
  );
}

/** Connected while somebody looks. @param target the same object for as long as it is the same subnet */
export function useSubnetWatch(target: SubnetTarget): SubnetState {
  return useSignal(useMemo(() => subnetSignal(target), [target]));
}
