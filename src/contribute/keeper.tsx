/**
 * What goes on whatever screen is open: the rules that hold the device, the screen's lock, the tone, who contributes, and
 * that it was contributing, for when the page is opened again.
 */
import { Trans } from '@lingui/react/macro';
import { useEffect, useMemo, useState } from 'react';
import { useStore } from 'zustand';
import { useApp, useContribute } from '../client/app-context.ts';
import { otherVersionOf } from '../client/other-version.ts';
import { useClock, useRun } from '../client/queries.ts';
import { useKeepAwake } from '../platform/keep-awake.ts';
import { preferences } from '../platform/preferences.ts';
import { useQuietTone } from '../platform/quiet-tone.ts';
import { tabHidden } from '../platform/signals.ts';
import { useSignal } from '../platform/subscribable.ts';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/notice.tsx';
import { useOwnIdentity } from '../wallet/use-identity.ts';
import { comingBack, readIntent, rememberIntent } from './come-back.ts';
import { rememberSpeed } from './measured-speed.ts';
import { isActive } from './state.ts';
import { useHold } from './use-hold.ts';
import { useOtherTabs } from './use-other-tabs.ts';

export function ContributeKeeper() {
  useHold();
  useIdentityOfContributor();
  useDevice();
  useIntent();
  useSpeed();
  return <ComeBackNotice />;
}

/** Who contributes follows what is stored. */
function useIdentityOfContributor(): void {
  const { controller } = useApp();
  const { data: own } = useOwnIdentity();
  useEffect(() => {
    if (own) void controller.setWallet(own.wallet && { run: own.run, hotkey: own.hotkey });
  }, [controller, own]);
}

function useDevice(): void {
  const { keepAwake, background } = useStore(preferences);
  const working = useContribute(({ status, paused, hold }) => isActive(status) && !paused && hold === undefined);
  const hidden = useSignal(tabHidden);
  useKeepAwake(working && keepAwake);
  useQuietTone(working && background && hidden);
}

/** Noted again with every change of state: the tab that another one took over from forgets its own. */
function useIntent(): void {
  const { source, parameters } = useApp();
  const { validatorUrl } = parameters.start;
  const kind = useContribute(({ status }) => status.kind);
  const active = useContribute(({ status }) => isActive(status));
  // It goes on in the page that belongs to the validator.
  const outdated = useContribute(({ status }) => status.kind === 'failed' && otherVersionOf(status.code) !== undefined);
  const finishing = useContribute((state) => state.finishing);
  const window = useClock().data?.window;
  const own = source.kind === 'validator';
  useEffect(() => {
    if (!own) return;
    if (active && kind !== 'stopping')
      rememberIntent(validatorUrl, { finishingWindow: finishing ? (window ?? 1) : null });
    else if (kind !== 'idle' && !outdated) rememberIntent(validatorUrl, undefined);
  }, [own, validatorUrl, kind, active, outdated, finishing, window]);
}

/** Once a window: the device's speed of late, for the next visit's pre-flight. */
function useSpeed(): void {
  const run = useRun().data?.run;
  const delivered = useContribute(({ receipts }) => receipts.length);
  const tokensPerSecond = useContribute(({ speeds }) => speeds.visible);
  const device = useContribute(({ backend }) => backend && `${backend.backend} ${backend.device}`);
  useEffect(() => {
    if (run === undefined || device === undefined || tokensPerSecond === undefined || delivered === 0) return;
    rememberSpeed(run, { tokensPerSecond, atMs: Date.now(), device });
    // As of each delivery: between them the figure moves several times a second.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [run, device, delivered]);
}

const COUNTDOWN_SECONDS = 5;

/** It was training when it was closed, reloaded or crashed: it goes on unless somebody says no. */
function ComeBackNotice() {
  const { controller, source, parameters } = useApp();
  const { validatorUrl } = parameters.start;
  const { comeBack } = useStore(preferences);
  const idle = useContribute(({ status }) => status.kind === 'idle');
  const { other } = useOtherTabs();
  const known = useOwnIdentity().data !== undefined;
  const window = useClock().data?.window;
  const [declined, setDeclined] = useState(false);
  // When the tab that trained is gone, what it left behind tells whether somebody stopped it, or it died.
  const intent = useMemo(
    () => (source.kind === 'validator' && !declined && !other.trains ? readIntent(validatorUrl) : undefined),
    [source, validatorUrl, declined, other.trains],
  );
  const [secondsLeft, setSecondsLeft] = useState(COUNTDOWN_SECONDS);
  const how = window === undefined ? undefined : comingBack(intent, window);
  const coming = comeBack && idle && known && how !== undefined && !other.trains;

  useEffect(() => {
    if (!coming) return undefined;
    const timer = setInterval(() => setSecondsLeft((seconds) => seconds - 1), 1_000);
    return () => clearInterval(timer);
  }, [coming]);
  useEffect(() => {
    if (!coming || secondsLeft > 0) return;
    controller.start(how.finishing);
  }, [coming, secondsLeft, controller, how]);

  if (!coming) return null;
  return (
    <Notice
      action={
        <Button
          data-testid="do-not-come-back"
          onClick={() => {
            rememberIntent(validatorUrl, undefined);
            setDeclined(true);
          }}
        >
          <Trans>Not now</Trans>
        </Button>
      }
    >
      {how.finishing ? (
        <Trans>This page was finishing its window when it was closed. It goes on in {secondsLeft} s.</Trans>
      ) : (
        <Trans>This page was training when it was closed. It goes on in {secondsLeft} s.</Trans>
      )}
    </Notice>
  );
}
