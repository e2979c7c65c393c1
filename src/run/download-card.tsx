/** The newest model to take away: the files that `transformers` loads. */
import { Trans, useLingui } from '@lingui/react/macro';
import { MODEL_FILES, WEIGHTS_FILE } from '../../core/model/hf-export.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import { useApp } from '../client/app-context.ts';
import { useManifest } from '../client/queries.ts';
import { Card } from '../ui/card.tsx';
import { formatBytes } from '../ui/format.ts';
import { FileLink } from './file-link.tsx';
import styles from './download-card.module.css';

const pathOf = (file: string): string => `/v1/checkpoints/latest/${file}`;

export function DownloadCard() {
  const { t } = useLingui();
  const { source } = useApp();
  const manifest = useManifest();
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
        <FileLink path={pathOf(WEIGHTS_FILE)} name={WEIGHTS_FILE} className={styles['weights']} testId="weights">
          {WEIGHTS_FILE}
        </FileLink>{' '}
        {size !== undefined && <span className="soft">{size}</span>}
      </p>
      <ul className={styles['files']}>
        {others.map((file) => (
          <li key={file}>
            <FileLink path={pathOf(file)} name={file}>
              {file}
            </FileLink>
          </li>
        ))}
      </ul>
      {source.kind === 'validator' && (
        <details>
          <summary>
            <Trans>As commands</Trans>
          </summary>
          <pre className={styles['commands']}>
            <code>
              {`mkdir model && cd model
curl -f${MODEL_FILES.map((file) => ` -O ${new URL(pathOf(file), source.validatorUrl).href}`).join('')}
python -c "from transformers import pipeline; print(pipeline('text-generation', '.')('Once'))"`}
            </code>
          </pre>
        </details>
      )}
    </Card>
  );
}
