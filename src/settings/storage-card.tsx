/** What this site stores in the browser, by kind, and how to be rid of it. */
import { plural, t } from '@lingui/core/macro';
import { Trans, useLingui } from '@lingui/react/macro';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { requestPersistence } from '../../workers/shared/storage-room.ts';
import {
  clearStored,
  readStoredContents,
  type StoredContents,
  type StoredKind,
} from '../../workers/shared/stored-contents.ts';
import { useStorageRoom } from '../checkpoint/use-storage.ts';
import { useApp } from '../client/app-context.ts';
import { withRemedy } from '../ui/failure-words.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { formatBytes } from '../ui/format.ts';
import { Notice } from '../ui/notice.tsx';
import { ProgressBar } from '../ui/progress-bar.tsx';
import { withKeys } from '../wallet/use-identity.ts';
import { Confirm } from './confirm.tsx';
import { KINDS } from './storage-kinds.ts';
import styles from './settings.module.css';

const QUERY_KEY = ['stored-contents'];
const REREAD_MS = 10_000;

export function StorageCard() {
  const { i18n } = useLingui();
  const { controller } = useApp();
  const client = useQueryClient();
  const [told, setTold] = useState<string>();
  const [failure, setFailure] = useState<Error>();
  const { data: contents, error } = useQuery({
    queryKey: QUERY_KEY,
    queryFn: () => withKeys(readStoredContents),
    refetchInterval: REREAD_MS,
    retry: false,
  });

  async function clear(kinds: readonly StoredKind[], name: string): Promise<void> {
    setFailure(undefined);
    try {
      // The worker would write back what it holds.
      await controller.stop();
      for (const kind of kinds) await withKeys((database) => clearStored(database, kind));
      setTold(t`Cleared: ${name}.`);
    } catch (cause) {
      setFailure(cause instanceof Error ? cause : new Error(String(cause)));
    }
    // What is stored, its size and whose key it is.
    await client.invalidateQueries();
  }

  const all = contents?.filter(({ records }) => records > 0).map(({ kind }) => kind) ?? [];
  const problem = failure ?? error;
  return (
    <Card
      title={t`Storage`}
      intro={t`What was downloaded and verified stays in this browser, so that it is downloaded once. Nothing of it leaves this device.`}
    >
      <Room />
      {problem && <Notice tone="bad">{withRemedy(problem)}</Notice>}
      <ul className={styles['rows']}>
        {contents?.map((content) => (
          <Row key={content.kind} content={content} onClear={clear} />
        ))}
      </ul>
      <p role="status">{told}</p>
      {all.length > 0 && (
        <div className={styles['all']}>
          <Confirm
            label={t`Clear everything`}
            testId="clear-all"
            cost={t`Everything above is deleted, the keys included: ${all.map((kind) => i18n._(KINDS[kind].name)).join(', ')}. Training stops, the model is downloaded again, and as a guest you begin as a newcomer.`}
            onConfirm={() => void clear(all, t`everything`)}
          />
        </div>
      )}
    </Card>
  );
}

function Row({
  content: { kind, records, bytes },
  onClear,
}: {
  content: StoredContents;
  onClear: (kinds: readonly StoredKind[], name: string) => Promise<void>;
}) {
  const { i18n } = useLingui();
  const { name, what, cost } = KINDS[kind];
  const spoken = i18n._(name);
  return (
    <li data-kind={kind}>
      <div>
        <h3>{spoken}</h3>
        <p className="soft">{i18n._(what)}</p>
      </div>
      <p className={styles['size']}>{amount(records, bytes)}</p>
      {records > 0 && (
        <Confirm
          label={t`Clear`}
          name={t`Clear: ${spoken}`}
          testId={`clear-${kind}`}
          cost={i18n._(cost)}
          onConfirm={() => void onClear([kind], spoken)}
        />
      )}
    </li>
  );
}

function amount(records: number, bytes: number | null): string {
  if (records === 0) return t`none`;
  return bytes === null ? plural(records, { one: '# key', other: '# keys' }) : formatBytes(bytes);
}

function Room() {
  const { data: room } = useStorageRoom();
  const client = useQueryClient();
  const [refused, setRefused] = useState(false);
  if (room?.usedBytes === undefined || room.quotaBytes === undefined) return null;
  const [used, quota] = [formatBytes(room.usedBytes), formatBytes(room.quotaBytes)];
  return (
    <>
      <ProgressBar
        label={t`Storage used`}
        value={room.usedBytes}
        max={room.quotaBytes}
        text={t`${used} used of about ${quota} that the browser allows this site`}
      />
      {room.persisted ? (
        <p>
          <Trans>The browser has promised to keep it, even when space runs short.</Trans>
        </p>
      ) : (
        <div className={styles['ask']}>
          <p>
            <Trans>The browser may delete it when space runs short, keys included.</Trans>{' '}
            {refused && (
              <span role="status">
                <Trans>It did not agree: browsers do for sites that are used often, bookmarked or installed.</Trans>
              </span>
            )}
          </p>
          <Button
            onClick={() =>
              void requestPersistence().then((agreed) => {
                setRefused(!agreed);
                return client.invalidateQueries({ queryKey: ['storage-room'] });
              })
            }
          >
            <Trans>Ask it to keep everything</Trans>
          </Button>
        </div>
      )}
    </>
  );
}
