/** Rewards in a run without a chain: its own weights and ranks, and what they are not. */
import { t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import type { LeaderboardEntry } from '../../core/protocol/api.ts';
import { useLeaderboard } from '../client/queries.ts';
import { Notice } from '../ui/notice.tsx';
import { parseSubject } from './place.ts';
import styles from './rewards-screen.module.css';
import { RunCard } from './run-card.tsx';
import { SubjectCard } from './subject-card.tsx';
import { SubjectForm } from './subject-form.tsx';
import type { Watchlist } from './use-watchlist.ts';

const TOP_PEERS = 3;

function peerOf(text: string, peers: readonly LeaderboardEntry[]): LeaderboardEntry | undefined {
  const subject = parseSubject(text);
  return peers.find(({ uid, hotkey }) => (subject?.kind === 'uid' ? uid === subject.uid : hotkey === subject?.address));
}

export function RunView({ watchlist, own }: { watchlist: Watchlist; own: string | undefined }) {
  const { data } = useLeaderboard();
  const peers = data?.peers ?? [];
  const isPeer = own !== undefined && peers.some(({ hotkey }) => hotkey === own);
  const shown = isPeer && !watchlist.subjects.includes(own) ? [own, ...watchlist.subjects] : watchlist.subjects;
  return (
    <>
      <SubjectForm
        subjects={shown}
        suggestions={peers.slice(0, TOP_PEERS).map(({ uid }) => ({ name: t`uid ${uid}`, subject: String(uid) }))}
        onAdd={watchlist.add}
      />
      {data && shown.length === 0 && (
        <Notice fill>
          <Trans>
            Nobody is watched yet, and this browser has not contributed. Add a peer’s uid or hotkey, or start
            contributing.
          </Trans>
        </Notice>
      )}
      <div className={styles['cards']}>
        {shown.map((text) => {
          const peer = peerOf(text, peers);
          const onRemove = watchlist.subjects.includes(text) ? () => watchlist.remove(text) : undefined;
          return peer ? (
            <RunCard key={text} hotkey={peer.hotkey} uid={peer.uid} own={peer.hotkey === own} onRemove={onRemove} />
          ) : (
            data && (
              <SubjectCard key={text} title={/^\d+$/.test(text) ? t`uid ${text}` : t`Not a peer`} onRemove={onRemove}>
                <p>
                  {/^\d+$/.test(text)
                    ? t`No peer of this run has this uid. It has no weight here.`
                    : t`${text} has not joined this run. It has no weight here.`}
                </p>
              </SubjectCard>
            )
          );
        })}
      </div>
    </>
  );
}
