/** Notes what the run's validator says of one's own hotkey, whatever screen is open. */
import { t } from '@lingui/core/macro';
import { useEffect } from 'react';
import { useLeaderboard, usePeer, useRun } from '../client/queries.ts';
import { useOwnIdentity } from '../wallet/use-identity.ts';
import { alertBook } from './alert-book.ts';
import { missedWindows } from './alerts.ts';

export function useRunAlerts(): void {
  const run = useRun().data?.run;
  const { hotkey: own, wallet } = useOwnIdentity().data ?? {};
  // A guest's key signs anew by itself.
  const delegationExpiresAt = wallet?.request.delegation.expiresAt ?? null;
  const peers = useLeaderboard().data?.peers;
  const listed = peers?.some(({ hotkey }) => hotkey === own) ?? false;
  // A hotkey that never joined is not asked for: the answer is known.
  const peer = usePeer(listed ? own : undefined).data;
  const ranked = peers?.filter(({ rank }) => rank !== null).length ?? 0;

  useEffect(() => {
    const newest = peer?.history.at(-1);
    if (run === undefined || !peer || !newest) return;
    alertBook.note({
      subject: `${run} ${peer.hotkey}`,
      name: t`Your key`,
      at: t`window ${newest.window}`,
      rank: peer.rank,
      ranked,
      missed: missedWindows(peer.verdicts),
      delegationExpiresAt,
      chain: null,
    });
  }, [run, peer, ranked, delegationExpiresAt]);
}
