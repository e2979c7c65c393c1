/** Chooses a subnet to watch in a run that has no chain. Nothing of a chain is loaded before this is sent. */
import { i18n, type MessageDescriptor } from '@lingui/core';
import { msg, t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import { useId, useState, type SubmitEvent } from 'react';
import { NETWORKS } from '../../chain/networks.ts';
import { Button } from '../ui/button.tsx';
import styles from './form.module.css';
import { isEndpoint, type SubnetPlace } from './place.ts';

const OWN = 'own';
const LABELS: Readonly<Record<string, MessageDescriptor>> = {
  finney: msg`Bittensor (finney)`,
  test: msg`Bittensor’s test network`,
  local: msg`A node on this machine`,
};

export interface WatchFormProps {
  /** What a link asked for. */
  readonly initial: SubnetPlace | undefined;
  readonly onWatch: (subnet: SubnetPlace) => void;
}

export function WatchForm({ initial, onWatch }: WatchFormProps) {
  const id = useId();
  const isOwn = initial !== undefined && !Object.hasOwn(NETWORKS, initial.network);
  const [network, setNetwork] = useState(isOwn ? OWN : (initial?.network ?? 'finney'));
  const [endpoint, setEndpoint] = useState(isOwn ? initial.network : '');
  const [netuid, setNetuid] = useState(initial ? String(initial.netuid) : '');
  const [complaint, setComplaint] = useState<string>();

  const watch = (event: SubmitEvent): void => {
    event.preventDefault();
    const chosen = network === OWN ? endpoint.trim() : network;
    if (network === OWN && !isEndpoint(chosen)) {
      setComplaint(t`An endpoint is a ws:// or wss:// URL, like wss://node.example:443.`);
    } else if (!/^\d{1,5}$/.test(netuid.trim()) || Number(netuid) > 65_535) {
      setComplaint(t`A netuid is a number from 0 to 65535.`);
    } else {
      setComplaint(undefined);
      onWatch({ network: chosen, netuid: Number(netuid) });
    }
  };

  return (
    <form className={styles['form']} onSubmit={watch} noValidate>
      <div className={styles['field']}>
        <label htmlFor={`${id}-network`}>
          <Trans>Network</Trans>
        </label>
        <select id={`${id}-network`} value={network} onChange={(event) => setNetwork(event.target.value)}>
          {Object.keys(NETWORKS).map((name) => (
            <option key={name} value={name}>
              {LABELS[name] ? i18n._(LABELS[name]) : name}
            </option>
          ))}
          <option value={OWN}>
            <Trans>An endpoint of your own</Trans>
          </option>
        </select>
      </div>
      {network === OWN && (
        <div className={styles['field']}>
          <label htmlFor={`${id}-endpoint`}>
            <Trans>Endpoint</Trans>
          </label>
          <input
            id={`${id}-endpoint`}
            value={endpoint}
            onChange={(event) => setEndpoint(event.target.value)}
            placeholder="wss://…"
            autoComplete="off"
            spellCheck={false}
          />
        </div>
      )}
      <div className={`${styles['field']!} ${styles['short']!}`}>
        <label htmlFor={`${id}-netuid`}>
          <Trans>Netuid</Trans>
        </label>
        <input
          id={`${id}-netuid`}
          value={netuid}
          onChange={(event) => setNetuid(event.target.value)}
          inputMode="numeric"
          autoComplete="off"
        />
      </div>
      <Button type="submit" kind="primary">
        <Trans>Watch, read-only</Trans>
      </Button>
      {complaint !== undefined && (
        <p role="alert" className={styles['complaint']}>
          {complaint}
        </p>
      )}
      <p className={styles['note']}>
        <Trans>
          Your browser then talks to that node itself, which sees your network address and whom you watch. It needs no
          wallet and can change nothing.
        </Trans>
      </p>
    </form>
  );
}
