/** The run's model, to talk to in this tab. */
import { Plural, Trans, useLingui } from '@lingui/react/macro';
import { useId, useState, type SyntheticEvent } from 'react';
import { useStore } from 'zustand';
import { parameterLayout } from '../../../core/model/layout.ts';
import { startWorker } from '../../../workers/start-worker.ts';
import talker from '../../../workers/talker/talker.ts?worker&url';
import { useApp } from '../../client/app-context.ts';
import { useManifest } from '../../client/queries.ts';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { sentence } from '../../ui/failure-words.ts';
import { formatBytes, formatCompact, formatDecimal } from '../../ui/format.ts';
import { Notice } from '../../ui/notice.tsx';
import { ProgressBar } from '../../ui/progress-bar.tsx';
import { createConversation } from './conversation.ts';
import styles from './talk-card.module.css';

/** One for the page: the model it loaded stays while another screen is looked at. */
const conversation = createConversation(() => startWorker(talker, 'talker'));
const MAX_PROMPT = 2_000;
const MAX_TOKENS = 120;
const TEMPERATURE = { least: 0, usual: 0.8, most: 1.5, step: 0.1 } as const;

export function TalkCard() {
  const { t } = useLingui();
  const { source, parameters } = useApp();
  const manifest = useManifest();
  const state = useStore(conversation.store);
  const [prompt, setPrompt] = useState('');
  const [temperature, setTemperature] = useState<number>(TEMPERATURE.usual);
  const id = useId();
  const busy = state.kind === 'loading' || state.kind === 'talking';
  const total = manifest && parameterLayout(manifest.model).total;

  function talk(event: SyntheticEvent): void {
    event.preventDefault();
    const { validatorPort, databaseName } = source.trainerOptions();
    conversation.start({
      validatorUrl: parameters.start.validatorUrl,
      ...(validatorPort ? { validatorPort } : {}),
      ...(databaseName === undefined ? {} : { databaseName }),
      prompt,
      temperature,
      maxTokens: MAX_TOKENS,
      seed: crypto.randomUUID(),
    });
  }

  return (
    <Card
      title={t`Talk to the model`}
      intro={t`It goes on with your text, as it has learned from the run’s. It does not answer questions, and what you type stays in this tab.`}
    >
      <form className={styles['form']} onSubmit={talk}>
        <label htmlFor={`${id}-prompt`}>
          <Trans>Begin a text</Trans>
        </label>
        <textarea
          id={`${id}-prompt`}
          data-testid="talk-prompt"
          rows={2}
          maxLength={MAX_PROMPT}
          value={prompt}
          placeholder={t`When the morning came,`}
          onChange={(event) => setPrompt(event.target.value)}
        />
        <div className={styles['controls']}>
          <label htmlFor={`${id}-temperature`}>
            <Trans>Daring</Trans>
          </label>
          <input
            id={`${id}-temperature`}
            type="range"
            min={TEMPERATURE.least}
            max={TEMPERATURE.most}
            step={TEMPERATURE.step}
            value={temperature}
            onChange={(event) => setTemperature(event.target.valueAsNumber)}
          />
          <output htmlFor={`${id}-temperature`}>{formatDecimal(temperature, 1)}</output>
          {busy ? (
            <Button type="button" onClick={conversation.stop}>
              <Trans>Stop</Trans>
            </Button>
          ) : (
            <Button type="submit" kind="primary" data-testid="talk" busy={!manifest}>
              <Trans>Go on with it</Trans>
            </Button>
          )}
        </div>
      </form>
      {state.kind === 'idle' && total !== undefined && (
        <p className="soft">
          <Trans>
            The first time brings the model: {formatBytes(4 * total)}, unless this browser holds it already. Its{' '}
            {formatCompact(total)} parameters are few: expect the sound of language before its sense.
          </Trans>
        </p>
      )}
      {state.download && (
        <ProgressBar
          label={t`Downloading the model`}
          value={state.download.bytes}
          max={state.download.totalBytes}
          text={t`${formatBytes(state.download.bytes)} of ${formatBytes(state.download.totalBytes)}`}
        />
      )}
      {(state.text !== '' || state.kind === 'talking' || state.kind === 'done') && (
        <p className={styles['text']} lang="en" data-testid="talk-text" aria-live="polite" aria-busy={busy}>
          <span className={styles['prompt']}>{state.prompt}</span>
          {state.text}
        </p>
      )}
      {state.window !== undefined && (
        <p className="soft">
          <Trans>The model that window {state.window} trains from</Trans>
          {state.tokensPerSecond !== undefined && (
            <>
              {' · '}
              <Plural
                value={Math.round(state.tokensPerSecond)}
                one="# token a second on this processor"
                other="# tokens a second on this processor"
              />
            </>
          )}
        </p>
      )}
      {state.kind === 'failed' && (
        <Notice tone="warn" title={t`The model could not be talked to`}>
          <span lang="en">{sentence(state.reason ?? '')}</span>{' '}
          <Trans>Try again in a moment; if it happens again, reload the page.</Trans>
        </Notice>
      )}
    </Card>
  );
}
