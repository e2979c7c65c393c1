/** Start, stop, pause, how hard to work, and what the tab is doing. */
import { useEffect } from 'react';
import { useApp, useContribute } from '../client/app-context.ts';
import { nowMs, tabHidden } from '../platform/signals.ts';
import { useSignal } from '../platform/subscribable.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { classes } from '../ui/classes.ts';
import { Figure, Figures } from '../ui/figures.tsx';
import { formatCompact, formatDecimal, formatInteger, formatTime, UNKNOWN } from '../ui/format.ts';
import { Notice } from '../ui/notice.tsx';
import { ProgressBar } from '../ui/progress-bar.tsx';
import { useOwnIdentity } from '../wallet/use-identity.ts';
import { WalletButton, WalletDialogPlace } from '../wallet/wallet-button.tsx';
import styles from './contribute-panel.module.css';
import { describeStatus } from './describe.ts';
import { DeviceDetails } from './device-details.tsx';
import { OwnFacts } from './own-facts.tsx';
import { isActive, transferSecondsLeft } from './state.ts';
import { ThrottleSlider } from './throttle-slider.tsx';

export function ContributePanel() {
  return (
    <Card title="Your contribution" className={styles['panel']}>
      <StatusInWords />
      <StartStop />
      <ThrottleSlider />
      <Warnings />
      <TrainingFigures />
      <OwnFacts />
      <DeviceDetails />
      <WalletDialogPlace />
    </Card>
  );
}

function StatusInWords() {
  const status = useContribute((state) => state.status);
  const transfer = useContribute((state) => state.transfer);
  const hidden = useSignal(tabHidden);
  const now = useSignal(nowMs);
  const moving = status.kind === 'downloading' || status.kind === 'uploading';
  const secondsLeft = moving ? transferSecondsLeft(transfer, status, now) : undefined;
  const { tone, headline, detail, remedy, progress } = describeStatus(status, secondsLeft);
  return (
    <div className={styles['status']} data-status={status.kind}>
      <div role="status" className={styles['words']}>
        <p className={styles['headline']}>
          <span className={classes(styles['dot'], styles[tone])} aria-hidden="true" />
          {headline}
        </p>
        {tone !== 'failed' && <p className="soft">{detail}</p>}
      </div>
      {tone === 'failed' && (
        <Notice tone="bad">
          {detail} {remedy}
        </Notice>
      )}
      {status.kind === 'needs-signature' && <SignAgain />}
      {progress && <ProgressBar {...progress} />}
      {hidden && isActive(status) && (
        <p className="soft">This tab is hidden: browsers slow hidden tabs down. Keep it in a window of its own.</p>
      )}
    </div>
  );
}

function SignAgain() {
  const wallet = useOwnIdentity().data?.wallet;
  return wallet ? (
    <div>
      <WalletButton kind="primary" testId="sign-again" renew={wallet}>
        Sign again
      </WalletButton>
    </div>
  ) : null;
}

/** Who contributes follows what is stored. @returns whether that is known */
function useIdentityOfContributor(): boolean {
  const { controller } = useApp();
  const { data: own, isError } = useOwnIdentity();
  useEffect(() => {
    if (own) void controller.setWallet(own.wallet && { run: own.run, hotkey: own.hotkey });
  }, [controller, own]);
  return own !== undefined || isError;
}

function StartStop() {
  const { controller } = useApp();
  const known = useIdentityOfContributor();
  const status = useContribute((state) => state.status);
  const paused = useContribute((state) => state.paused);
  const active = isActive(status);
  const stopping = status.kind === 'stopping';
  return (
    <div className={styles['controls']}>
      <Button
        kind={active ? 'secondary' : 'primary'}
        size="large"
        busy={stopping || !known}
        data-testid={active ? 'stop' : 'start'}
        onClick={() => (active ? void controller.stop() : controller.start())}
      >
        {stopping ? 'Stopping…' : active ? 'Stop' : 'Start contributing'}
      </Button>
      {active && !stopping && (
        <Button
          kind={paused ? 'primary' : 'secondary'}
          size="large"
          data-testid={paused ? 'resume' : 'pause'}
          onClick={() => controller.setPaused(!paused)}
        >
          {paused ? 'Resume' : 'Pause'}
        </Button>
      )}
    </div>
  );
}

function Warnings() {
  const { controller } = useApp();
  const warnings = useContribute((state) => state.warnings);
  const newest = warnings[0];
  if (!newest) return null;
  return (
    <Notice
      tone="warn"
      action={
        <Button kind="quiet" onClick={() => controller.dismissWarnings()}>
          Dismiss
        </Button>
      }
    >
      {formatTime(newest.atMs)}: {newest.message}
    </Notice>
  );
}

function TrainingFigures() {
  const lastLoss = useContribute((state) => state.lastLoss);
  const tokensPerSecond = useContribute((state) => state.tokensPerSecond);
  const tokensTrained = useContribute((state) => state.tokensTrained);
  const delivered = useContribute((state) => state.receipts.length);
  return (
    <Figures>
      <Figure
        label="Loss"
        unit="nats"
        testId="loss"
        hint="Mean over the newest micro-batch, nats a token. Lower is better."
      >
        {formatDecimal(lastLoss, 4)}
      </Figure>
      <Figure label="Speed" unit="tokens/s" hint="Of this device, forward and backward, smoothed.">
        {tokensPerSecond === undefined ? UNKNOWN : formatCompact(tokensPerSecond)}
      </Figure>
      <Figure label="Trained" unit="tokens" hint="Since this page was opened.">
        {formatCompact(tokensTrained)}
      </Figure>
      <Figure
        label="Delivered"
        unit={delivered === 1 ? 'receipt' : 'receipts'}
        hint="Signed receipts since this page was opened, at most the newest 50."
      >
        {formatInteger(delivered)}
      </Figure>
    </Figures>
  );
}
