/** Connecting a wallet, as a dialog: one step of the flow at a time. */
import { i18n, type MessageDescriptor } from '@lingui/core';
import { msg, t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import { useEffect, useId, useRef, useState, type ReactNode } from 'react';
import { useStore } from 'zustand';
import type { WalletRecord } from '../../workers/shared/database.ts';
import { createKey } from '../../workers/shared/stored-key.ts';
import { saveWallet, walletOf } from '../../workers/shared/wallet-identity.ts';
import { useApp } from '../client/app-context.ts';
import { useManifest } from '../client/queries.ts';
import { sentence } from '../ui/failure-words.ts';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/notice.tsx';
import { createFlow, type Flow, type Step } from './flow.ts';
import { hotkeysOf } from './hotkeys.ts';
import { AccountsStep } from './steps/accounts-step.tsx';
import { HotkeyStep } from './steps/hotkey-step.tsx';
import { ReviewStep } from './steps/review-step.tsx';
import { WalletsStep } from './steps/wallets-step.tsx';
import { useIdentityChanged, withKeys } from './use-identity.ts';
import styles from './wallet-dialog.module.css';

const ORIGIN = 'Gauntlet';

const TITLES: Record<Step['kind'], MessageDescriptor> = {
  wallets: msg`Connect a wallet`,
  connecting: msg`Waiting for your wallet`,
  accounts: msg`Choose an account`,
  hotkey: msg`Choose a hotkey`,
  review: msg`What you will sign`,
  signing: msg`Sign in your wallet`,
  connected: msg`Connected`,
};

export interface WalletDialogProps {
  readonly run: string;
  readonly renew: WalletRecord | undefined;
  readonly onClose: () => void;
}

export default function WalletDialog(props: WalletDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const flow = useFlow(props);
  const title = useId();
  const kind = useStore(flow.store, (state) => state.step.kind);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog ref={dialog} className={styles['dialog']} aria-labelledby={title} onClose={props.onClose}>
      <div className={styles['content']} data-testid="wallet-dialog" data-step={kind}>
        <header className={styles['head']}>
          <h2 id={title} aria-live="polite">
            {i18n._(TITLES[kind])}
          </h2>
          <Button kind="quiet" data-testid="wallet-close" onClick={() => dialog.current?.close()}>
            <Trans>Close</Trans>
          </Button>
        </header>
        <Failure flow={flow} />
        <CurrentStep flow={flow} done={() => dialog.current?.close()} />
      </div>
    </dialog>
  );
}

/** A flow that lives as long as the dialog. */
function useFlow({ run, renew }: WalletDialogProps): Flow {
  const { api, live } = useApp();
  const chain = useManifest()?.chain;
  const identityChanged = useIdentityChanged();
  const [flow] = useState(() =>
    createFlow({
      run,
      renew,
      origin: ORIGIN,
      serverNow: () => Date.now() + live.store.getState().offsetMs,
      createKey: () => createKey(),
      heldRecord: (hotkey) => withKeys((keys) => walletOf(keys, run, hotkey)),
      hotkeysOf: chain && ((account, signal) => hotkeysOf(chain, account, signal)),
      join: (request) => api.join(request),
      save: async (record) => {
        await withKeys((keys) => saveWallet(keys, record));
        await identityChanged();
      },
    }),
  );
  useEffect(() => flow.open(), [flow]);
  return flow;
}

function Failure({ flow }: { flow: Flow }) {
  const failure = useStore(flow.store, (state) => state.failure);
  if (!failure) return null;
  return (
    <div data-testid="wallet-failure">
      <Notice tone="bad" title={failure.message}>
        {failure.remedy}
      </Notice>
    </div>
  );
}

function CurrentStep({ flow, done }: { flow: Flow; done: () => void }) {
  const step = useStore(flow.store, (state) => state.step);
  switch (step.kind) {
    case 'wallets':
      return <WalletsStep flow={flow} onGuest={done} />;
    case 'connecting':
      return (
        <Waiting cancel={flow.back}>
          <Trans>
            {step.wallet.name} asks whether this page may see your accounts. Approve it there; no popup means that the
            wallet is locked, or that its window is behind this one.
          </Trans>
        </Waiting>
      );
    case 'accounts':
      return <AccountsStep flow={flow} />;
    case 'hotkey':
      return <HotkeyStep flow={flow} step={step} />;
    case 'review':
      return <ReviewStep flow={flow} step={step} />;
    case 'signing':
      return (
        <Waiting cancel={flow.back}>
          <Trans>
            Your wallet shows the text that you have just read. Compare it, and sign. It costs nothing and moves no
            funds.
          </Trans>
        </Waiting>
      );
    case 'connected':
      return (
        <div className={styles['step']}>
          <p>
            <Trans>
              This tab contributes as <strong>{step.record.wallet.account}</strong> from now on. You will not be asked
              again before the signature expires.
            </Trans>
          </p>
          {step.unconfirmed !== undefined && (
            <Notice tone="warn" title={t`The validator has not confirmed it yet`}>
              <Trans>{sentence(step.unconfirmed)} The signature is kept, and used as soon as it can be reached.</Trans>
            </Notice>
          )}
          <div className={styles['actions']}>
            <Button kind="primary" data-testid="wallet-done" onClick={done}>
              <Trans>Done</Trans>
            </Button>
          </div>
        </div>
      );
  }
}

function Waiting({ cancel, children }: { cancel: () => void; children: ReactNode }) {
  return (
    <div className={styles['step']}>
      <p role="status" className={styles['waiting']}>
        <span className={styles['spinner']} aria-hidden="true" />
        <span>{children}</span>
      </p>
      <div className={styles['actions']}>
        <Button data-testid="wallet-cancel" onClick={cancel}>
          <Trans>Cancel</Trans>
        </Button>
      </div>
    </div>
  );
}
