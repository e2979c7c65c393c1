/** Start, stop, pause, how hard to work, and what the tab is doing. */
import { plural, t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
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
import { describeStatus, holdInWords } from './describe.ts';
import { DeviceDetails } from './device-details.tsx';
import { OwnFacts } from './own-facts.tsx';
import { isActive, transferSecondsLeft } from './state.ts';
import { OtherTabNotice } from './other-tab-notice.tsx';
import { useOtherTabs } from './use-other-tabs.ts';

export function ContributePanel() {
  const { other } = useOtherTabs();
  return (
    <Card title={t`Your contribution`} className={styles['panel']}>
      {other.trains ? (
        <OtherTabNotice />
      ) : (
        <>
          <StatusInWords />
          <StartStop />
        </>
      )}
      <Warnings />
      {!other.trains && <TrainingFigures />}
      <OwnFacts />
      <DeviceDetails />
      <WalletDialogPlace />
    </Card>
  );
}

function StatusInWords() {
  const status = useContribute((state) => state.status);
  const hold = useContribute((state) => state.hold);
  const transfer = useContribute((state) => state.transfer);
  const now = useSignal(nowMs);
  const moving = status.kind === 'downloading' || status.kind === 'uploading';
  const secondsLeft = moving ? transferSecondsLeft(transfer, status, now) : undefined;
  const { tone, headline, detail, remedy, lang, progress } = describeStatus(status, secondsLeft);
  const held = status.kind === 'paused' ? holdInWords(hold) : undefined;
  return (
    <div className={styles['status']} data-status={status.kind}>
      <div role="status" className={styles['words']}>
        <p className={styles['headline']}>
          <span className={classes(styles['dot'], styles[tone])} aria-hidden="true" />
          {headline}
        </p>
        {tone !== 'failed' && <p className="soft">{held ?? detail}</p>}
      </div>
      {tone === 'failed' && (
        <Notice tone="bad">
          <span lang={lang}>
            {detail} {remedy}
          </span>
        </Notice>
      )}
      {status.kind === 'needs-signature' && <SignAgain />}
      {progress && <ProgressBar {...progress} />}
      <HiddenNotice />
    </div>
  );
}

/** That nobody sees the tab, and what that costs as far as it was measured. */
function HiddenNotice() {
  const status = useContribute((state) => state.status);
  const { visible, hidden } = useContribute((state) => state.speeds);
  const unseen = useSignal(tabHidden);
  if (!unseen || !isActive(status)) return null;
  const share = visible !== undefined && hidden !== undefined ? Math.round((hidden / visible) * 100) : undefined;
  return (
    <p className="soft">
      {share === undefined ? (
        <Trans>This tab is hidden: browsers slow hidden tabs down. Keep it in a window of its own.</Trans>
      ) : (
        <Trans>This tab is hidden and runs at {share} % of its speed. Keep it in a window of its own.</Trans>
      )}
    </p>
  );
}

function SignAgain() {
  const wallet = useOwnIdentity().data?.wallet;
  return wallet ? (
    <div>
      <WalletButton kind="primary" testId="sign-again" renew={wallet}>
        <Trans>Sign again</Trans>
      </WalletButton>
    </div>
  ) : null;
}

function StartStop() {
  const { controller } = useApp();
  const identity = useOwnIdentity();
  const known = identity.data !== undefined || identity.isError;
  const status = useContribute((state) => state.status);
  const paused = useContribute((state) => state.paused);
  const finishing = useContribute((state) => state.finishing);
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
        {stopping ? t`Stopping…` : active ? t`Stop` : t`Start contributing`}
      </Button>
      {active && !stopping && (
        <>
          <Button
            kind={paused ? 'primary' : 'secondary'}
            size="large"
            data-testid={paused ? 'resume' : 'pause'}
            onClick={() => controller.setPaused(!paused)}
          >
            {paused ? t`Resume` : t`Pause`}
          </Button>
          <Button
            className={styles['finish']}
            data-testid="finish"
            aria-pressed={finishing}
            title={t`Trains on, delivers this window, and stops after its receipt.`}
            onClick={() => controller.setFinishing(!finishing)}
          >
            {finishing ? t`Finishing: keep going instead` : t`Finish this window, then stop`}
          </Button>
        </>
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
          <Trans>Dismiss</Trans>
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
        label={t`Loss`}
        unit={t`nats`}
        testId="loss"
        hint={t`Mean over the newest micro-batch, nats a token. Lower is better.`}
      >
        {formatDecimal(lastLoss, 4)}
      </Figure>
      <Figure label={t`Speed`} unit={t`tokens/s`} hint={t`Of this device, forward and backward, smoothed.`}>
        {tokensPerSecond === undefined ? UNKNOWN : formatCompact(tokensPerSecond)}
      </Figure>
      <Figure label={t`Trained`} unit={t`tokens`} hint={t`Since this page was opened.`}>
        {formatCompact(tokensTrained)}
      </Figure>
      <Figure
        label={t`Delivered`}
        unit={plural(delivered, { one: 'receipt', other: 'receipts' })}
        hint={t`Signed receipts since this page was opened, at most the newest 50.`}
      >
        {formatInteger(delivered)}
      </Figure>
    </Figures>
  );
}
