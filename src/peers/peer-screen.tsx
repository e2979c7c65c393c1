/** A peer's profile, '/peers/HOTKEY': all that the validator has on record of it, at an address to hand on. */
import { Trans, useLingui } from '@lingui/react/macro';
import { Link, useLocation } from 'wouter';
import type { PeerState } from '../../core/protocol/api.ts';
import { usePeerLabels } from '../client/app-context.ts';
import { usePeer } from '../client/queries.ts';
import { PeerScores } from '../scores/scores.tsx';
import { Card } from '../ui/card.tsx';
import { Identifier } from '../ui/identifier.tsx';
import { Notice } from '../ui/notice.tsx';
import { ScreenHead } from '../ui/screen-head.tsx';
import { useOwnHotkey } from '../wallet/use-identity.ts';

/** Longer than any address; what is longer is not asked for. */
const MAX_HOTKEY = 64;

export default function PeerScreen() {
  const { t } = useLingui();
  const [location] = useLocation();
  const hotkey = location.split('/')[2] ?? '';
  const askable = /^[1-9A-HJ-NP-Za-km-z]+$/.test(hotkey) && hotkey.length <= MAX_HOTKEY;
  const label = usePeerLabels().get(hotkey);
  const peer = usePeer(askable ? hotkey : undefined);
  return (
    <>
      <ScreenHead title={label ? t`Peer ${label.name}` : t`Peer`}>
        <Link href="/leaderboard">
          <Trans>All peers</Trans>
        </Link>
      </ScreenHead>
      {peer.data ? (
        <Profile peer={peer.data} />
      ) : peer.isLoading ? (
        <Notice fill>
          <Trans>Asking the validator for this peer.</Trans>
        </Notice>
      ) : peer.isError ? (
        <Notice tone="warn">
          <Trans>The validator did not answer for this peer. It is asked again by itself.</Trans>
        </Notice>
      ) : (
        <Notice title={t`No peer of this run has this hotkey`} fill>
          <Trans>
            It has not joined, its place went to somebody else, or the address was cut short. Look for it in the
            leaderboard, or check the link.
          </Trans>
        </Notice>
      )}
    </>
  );
}

function Profile({ peer }: { peer: PeerState }) {
  const { t } = useLingui();
  const own = useOwnHotkey() === peer.hotkey;
  return (
    <>
      <Card title={t`Who it is`}>
        <Identifier value={peer.hotkey} name={t`the hotkey`} />
        <Identifier value={location.href} name={t`the link to this page`} />
      </Card>
      <PeerScores peer={peer} own={own} />
    </>
  );
}
