/** The newest model to take away: the files that `transformers` loads. */
import { Trans, useLingui } from '@lingui/react/macro';
import { MODEL_FILES, WEIGHTS_FILE } from '../../core/model/hf-export.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import { useApp } from '../client/app-context.ts';
import { useManifest } from '../client/queries.ts';
import { Card } from '../ui/card.tsx';
import { formatBytes } from '../ui/format.ts';
import styles from './download-card.module.css';

export function DownloadCard() {
  const { t } = useLingui();
  const { validatorUrl } = useApp().parameters.start;
  const manifest = useManifest();
  const addressOf = (file: string): string => new URL(`/v1/checkpoints/latest/${file}`, validatorUrl).href;
  const size = manifest && formatBytes(parameterLayout(manifest.model).total * 4);
  const others = MODEL_FILES.filter((file) => file !== WEIGHTS_FILE);
  return (
    <Card title={t`Take the model with you`}>
      <p>
        <Trans>
          The model as it is now belongs to nobody: five files in one folder, which{' '}
          <a href="https://huggingface.co/docs/transformers">transformers</a> loads.
        </Trans>
      </p>
      <p>
        <a className={styles['weights']} href={addressOf(WEIGHTS_FILE)} download data-testid="weights">
          {WEIGHTS_FILE}
        </a>{' '}
        {size !== undefined && <span className="soft">{size}</span>}
      </p>
      <ul className={styles['files']}>
        {others.map((file) => (
          <li key={file}>
            <a href={addressOf(file)} download>
              {file}
            </a>
          </li>
        ))}
      </ul>
      <details>
        <summary>
          <Trans>As commands</Trans>
        </summary>
        <pre className={styles['commands']}>
          <code>
            {`mkdir model && cd model
curl -f${MODEL_FILES.map((file) => ` -O ${addressOf(file)}`).join('')}
python -c "from transformers import pipeline; print(pipeline('text-generation', '.')('Once'))"`}
          </code>
        </pre>
      </details>
    </Card>
  );
}
