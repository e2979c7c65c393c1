/** What the run was founded on, in words: model, text, rules, time. */
import { Trans, useLingui } from '@lingui/react/macro';
import { parameterLayout } from '../../core/model/layout.ts';
import type { RunManifest } from '../../core/protocol/manifest.ts';
import { useManifest } from '../client/queries.ts';
import { Term } from '../learn/term.tsx';
import { Card } from '../ui/card.tsx';
import { formatBytes, formatCompact, formatDuration, formatInteger } from '../ui/format.ts';
import { Notice } from '../ui/notice.tsx';
import styles from './facts.module.css';

export function ManifestCard() {
  const { t } = useLingui();
  const manifest = useManifest();
  return (
    <Card title={t`What is trained, and by which rules`}>
      {manifest ? (
        <Facts manifest={manifest} />
      ) : (
        <Notice fill>
          <Trans>The run’s founding facts are shown once the validator answers.</Trans>
        </Notice>
      )}
    </Card>
  );
}

function Facts({ manifest }: { manifest: RunManifest }) {
  const { model, data, scheme, gauntlet, training, window, checkpoint } = manifest;
  const parameters = formatCompact(parameterLayout(model).total);
  const pageTokens = formatInteger(data.pageSequences * model.contextLength);
  return (
    <dl className={styles['facts']}>
      <dt>
        <Trans>Run</Trans>
      </dt>
      <dd>{manifest.name}</dd>
      <dt>
        <Trans>Model</Trans>
      </dt>
      <dd>
        <Trans>
          {parameters} parameters: {model.numLayers} layers, {model.hiddenSize} wide,{' '}
          {formatInteger(model.contextLength)} tokens of context
        </Trans>
      </dd>
      <dt>
        <Trans>Text</Trans>
      </dt>
      <dd>
        <span lang="en">{data.description}</span> <span className="soft">({data.licence})</span>
      </dd>
      <dt>
        <Trans>Pages</Trans>
      </dt>
      <dd>
        <Trans>
          {formatInteger(data.pages)} <Term name="page">pages</Term> of {pageTokens} tokens;{' '}
          {formatInteger(data.heldOutPages)} are trained on by nobody and measure the loss
        </Trans>
      </dd>
      <dt>
        <Trans>A window</Trans>
      </dt>
      <dd>
        <Trans>
          {formatDuration(window.trainSeconds)} of training on up to {formatInteger(training.pagesPerWindow)} pages,{' '}
          {formatDuration(window.putSeconds)} of uploading, then scoring
        </Trans>
      </dd>
      <dt>
        <Trans>Rules</Trans>
      </dt>
      <dd>
        <Trans>
          Gauntlet ({gauntlet.profile}) with {scheme.name}: up to {formatInteger(gauntlet.evaluationsPerWindow)} peers
          are scored a window, and the best {formatInteger(gauntlet.topG)} folded in
        </Trans>
      </dd>
      <dt>
        <Trans>Checkpoint</Trans>
      </dt>
      <dd>
        <Trans>
          every {formatInteger(checkpoint.everyWindows)} windows, in chunks of {formatBytes(checkpoint.chunkBytes)}
        </Trans>
      </dd>
      <dt>
        <Trans>Who may join</Trans>
      </dt>
      <dd>{manifest.guests ? <Trans>anybody, with or without a wallet</Trans> : <Trans>wallets only</Trans>}</dd>
    </dl>
  );
}
