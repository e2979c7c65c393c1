/** What a miner gets: from the chain itself, or, in a run without one, from the run and with no currency implied. */
import { t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import { useMemo, useState } from 'react';
import { useLocation } from 'wouter';
import type { RunChain } from '../../core/protocol/manifest.ts';
import { NotificationSwitch } from '../alerts/alert-list.tsx';
import { useRun } from '../client/queries.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { Notice } from '../ui/notice.tsx';
import { useOwnHotkey } from '../wallet/use-identity.ts';
import { formatPlace, parsePlace, type Place, type SubnetPlace } from './place.ts';
import styles from './rewards-screen.module.css';
import { RunView } from './run-view.tsx';
import { SubnetView } from './subnet-view.tsx';
import { targetOfPlace, targetOfRun } from './targets.ts';
import { useWatchlist } from './use-watchlist.ts';
import { WatchForm } from './watch-form.tsx';

export default function RewardsScreen() {
  const [location] = useLocation();
  const place = parsePlace(location);
  const run = useRun().data;
  const chain = run?.manifest.chain;
  return (
    <>
      <div className={styles['lead']}>
        <h1>
          <Trans>Rewards</Trans>
        </h1>
        <p>
          {chain || place.subnet
            ? t`What the chain says about any miner, read from it by this page. Figures are of this moment and promise nothing.`
            : t`What this run makes of any peer’s work: its weight and its rank, window by window.`}
        </p>
      </div>
      {!run && !place.subnet && (
        <Notice fill>
          <Trans>Asking the validator whether this run has a chain.</Trans>
        </Notice>
      )}
      {chain && !place.subnet ? (
        <OfRun place={place} run={run.run} chain={chain} />
      ) : place.subnet ? (
        <Elsewhere place={place} subnet={place.subnet} />
      ) : (
        run && <WithoutChain place={place} run={run.run} />
      )}
      <NotificationSwitch />
    </>
  );
}

/** The run's own subnet. */
function OfRun({ place, run, chain }: { place: Place; run: string; chain: RunChain }) {
  const own = useOwnHotkey();
  const target = useMemo(() => targetOfRun(chain), [chain]);
  return <SubnetView target={target} watchlist={useWatchlist(place, run)} own={own} ofRun />;
}

function WithoutChain({ place, run }: { place: Place; run: string }) {
  const [, navigate] = useLocation();
  const own = useOwnHotkey();
  return (
    <>
      <Card title={t`This run has no chain`} className={styles['chainless']}>
        <p data-testid="chainless">
          <Trans>
            Its scores and weights are its own: they say how useful a contribution was to this model. No currency is
            implied, nothing is paid, and nothing can be withdrawn.
          </Trans>
        </p>
        <details>
          <summary>
            <Trans>Watch a subnet of a real chain instead</Trans>
          </summary>
          <div className={styles['form']}>
            <WatchForm
              initial={undefined}
              onWatch={(subnet) => {
                allow(subnet);
                navigate(formatPlace({ subjects: [], subnet }));
              }}
            />
          </div>
        </details>
      </Card>
      <RunView watchlist={useWatchlist(place, run)} own={own} />
    </>
  );
}

/** A subnet that has nothing to do with this run. A link to one must not make this browser connect anywhere by itself. */
function Elsewhere({ place, subnet }: { place: Place; subnet: SubnetPlace }) {
  const [, navigate] = useLocation();
  const [, rerender] = useState(0);
  const back = (
    <Button kind="quiet" onClick={() => navigate(formatPlace({ subjects: [], subnet: undefined }))}>
      <Trans>Back to this run</Trans>
    </Button>
  );
  if (!isAllowed(subnet)) {
    return (
      <Card
        title={t`Watch this subnet?`}
        aside={back}
        intro={t`A link led here. Nothing is asked of the chain before you say so.`}
      >
        <WatchForm
          initial={subnet}
          onWatch={(chosen) => {
            allow(chosen);
            navigate(formatPlace({ ...place, subnet: chosen }), { replace: true });
            rerender((count) => count + 1);
          }}
        />
      </Card>
    );
  }
  return (
    <>
      <Notice action={back}>
        <Trans>
          You are watching a subnet that has nothing to do with this run, read-only. Nothing here is paid by this run.
        </Trans>
      </Notice>
      <WatchedSubnet place={place} network={subnet.network} netuid={subnet.netuid} />
    </>
  );
}

function WatchedSubnet({ place, network, netuid }: { place: Place; network: string; netuid: number }) {
  const target = useMemo(() => targetOfPlace({ network, netuid }), [network, netuid]);
  const watchlist = useWatchlist(place, `${network} ${netuid}`);
  return (
    <SubnetView key={`${network} ${netuid}`} target={target} watchlist={watchlist} own={undefined} ofRun={false} />
  );
}

/** Agreed to since the page was loaded. */
const allowed = new Set<string>();
const allow = ({ network, netuid }: SubnetPlace): unknown => allowed.add(`${network} ${netuid}`);
const isAllowed = ({ network, netuid }: SubnetPlace): boolean => allowed.has(`${network} ${netuid}`);
