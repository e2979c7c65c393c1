/** All peers of the run: filtered, searched and sorted. */
import { Trans, useLingui } from '@lingui/react/macro';
import { useDeferredValue, useMemo, useState } from 'react';
import type { Leaderboard as Standings } from '../../core/protocol/api.ts';
import { usePeerLabels } from '../client/app-context.ts';
import { useLeaderboard, useUnreachable } from '../client/queries.ts';
import { Card } from '../ui/card.tsx';
import { formatInteger } from '../ui/format.ts';
import { Notice } from '../ui/notice.tsx';
import { Select } from '../ui/select.tsx';
import { useOwnHotkey } from '../wallet/use-identity.ts';
import styles from './leaderboard.module.css';
import { PeerTable } from './peer-table.tsx';
import { selectPeers, type Filter, type Selection, type SortKey } from './rows.ts';

export function Leaderboard() {
  const { t } = useLingui();
  const { data } = useLeaderboard();
  const unreachable = useUnreachable() !== undefined;
  const window = data?.window;
  return (
    <Card title={t`Peers`} aside={window ? t`after window ${window}` : undefined}>
      {!data && (
        <Notice>
          {unreachable ? (
            <Trans>Peers are listed once the validator answers.</Trans>
          ) : (
            <Trans>Asking the validator for the peers.</Trans>
          )}
        </Notice>
      )}
      {data?.peers.length === 0 && (
        <Notice>
          <Trans>Nobody has joined yet. Be the first: press Start.</Trans>
        </Notice>
      )}
      {data && data.peers.length > 0 && <Peers standings={data} />}
    </Card>
  );
}

function Peers({ standings: { window, peers } }: { standings: Standings }) {
  const { t } = useLingui();
  const own = useOwnHotkey();
  const labels = usePeerLabels();
  const [selection, setSelection] = useState<Selection>({ filter: 'all', search: '', sort: 'rank', reversed: false });
  // Typing goes before sorting ten thousand rows.
  const deferred = useDeferredValue(selection);
  const rows = useMemo(
    () => selectPeers(peers, deferred, { window, own, labels }),
    [peers, deferred, window, own, labels],
  );
  const change = (part: Partial<Selection>): void => setSelection({ ...selection, ...part });
  const sortBy = (sort: SortKey): void =>
    change({ sort, reversed: sort === selection.sort ? !selection.reversed : false });
  const filters: readonly { value: Filter; name: string }[] = [
    { value: 'all', name: t`All` },
    { value: 'contributing', name: t`Contributing now` },
    { value: 'flagged', name: t`Flagged` },
    { value: 'own', name: t`Own` },
  ];
  const [shown, all] = [formatInteger(rows.length), formatInteger(peers.length)];
  return (
    <>
      <div className={styles['tools']}>
        <input
          type="search"
          aria-label={t`Search by hotkey, name or uid`}
          placeholder={t`Hotkey, name or uid`}
          value={selection.search}
          maxLength={100}
          onChange={(event) => change({ search: event.target.value })}
        />
        <Select
          label={t`Which peers`}
          value={selection.filter}
          options={filters}
          onChange={(filter) => change({ filter })}
        />
        <span role="status" className="soft">
          <Trans>
            {shown} of {all} peers
          </Trans>
        </span>
      </div>
      {rows.length === 0 ? (
        <Notice>
          <Trans>No peer fits. Clear the search or show all.</Trans>
        </Notice>
      ) : (
        <PeerTable rows={rows} peers={peers} own={own} selection={selection} onSort={sortBy} />
      )}
    </>
  );
}
