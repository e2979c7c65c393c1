/** How the model went on with the same beginnings, window after window: its learning as a person can read it. */
import { Trans, useLingui } from '@lingui/react/macro';
import { useId, useState } from 'react';
import type { Sample } from '../../../core/protocol/api.ts';
import { useSamples } from '../../client/queries.ts';
import { Card } from '../../ui/card.tsx';
import { formatInteger } from '../../ui/format.ts';
import { Notice } from '../../ui/notice.tsx';
import styles from './samples-card.module.css';

export function SamplesCard() {
  const { t } = useLingui();
  const samples = useSamples();
  const known = samples.data ?? [];
  return (
    <Card
      title={t`What the model writes`}
      intro={t`The same beginnings in every window, continued by the model as it was then.`}
    >
      {known.length > 0 ? (
        <SampleSlider samples={known} />
      ) : (
        <Notice>
          {samples.isSuccess ? (
            <Trans>
              Nothing yet: the validator asks the model at the beginning of a window. A very large model is not asked.
            </Trans>
          ) : (
            <Trans>The model’s sentences are shown once the validator answers.</Trans>
          )}
        </Notice>
      )}
    </Card>
  );
}

function SampleSlider({ samples }: { samples: readonly Sample[] }) {
  const { t } = useLingui();
  // The newest, followed as it comes, until another is chosen.
  const [chosen, setChosen] = useState<number>();
  const id = useId();
  const newest = samples.length - 1;
  const at = chosen === undefined ? newest : Math.min(chosen, newest);
  const { window, completions } = samples[at]!;
  return (
    <>
      <div className={styles['slider']}>
        <label htmlFor={id}>
          <Trans>Before window {formatInteger(window)}</Trans>
        </label>
        <input
          id={id}
          type="range"
          min={0}
          max={newest}
          value={at}
          disabled={newest === 0}
          aria-valuetext={t`Before window ${formatInteger(window)}`}
          onChange={(event) => {
            const next = event.target.valueAsNumber;
            setChosen(next === newest ? undefined : next);
          }}
        />
      </div>
      <ul className={styles['samples']} lang="en" data-testid="samples" data-window={window}>
        {completions.map(({ prompt, text }) => (
          <li key={prompt}>
            <strong>{prompt}</strong>
            {text}
          </li>
        ))}
      </ul>
    </>
  );
}
