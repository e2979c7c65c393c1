/** The run: what is trained, on what, and how the shared model's loss falls. */
import { parameterLayout } from '../../core/model/layout.ts';
import type { WindowSummary } from '../../core/protocol/api.ts';
import type { RunManifest } from '../../core/protocol/manifest.ts';
import { useManifest, useUnreachable, useWindows } from '../client/queries.ts';
import { Card } from '../ui/card.tsx';
import { Figure, Figures } from '../ui/figures.tsx';
import { formatCompact, formatDecimal, formatInteger, formatSigned, UNKNOWN } from '../ui/format.ts';
import { LineChart } from '../ui/line-chart.tsx';
import { Notice } from '../ui/notice.tsx';
import styles from './run-panel.module.css';

export function RunPanel() {
  const manifest = useManifest();
  const windows = useWindows();
  const unreachable = useUnreachable() !== undefined;
  return (
    <Card
      title="The shared model"
      intro="Its loss on text that nobody trains on, measured by the validator after each window."
    >
      {windows.data ? <RunLoss windows={windows.data} /> : <Waiting failed={unreachable} />}
      {manifest && <ManifestFacts manifest={manifest} />}
    </Card>
  );
}

function Waiting({ failed }: { failed: boolean }) {
  return (
    <Notice fill>
      {failed
        ? 'The windows so far are shown once the validator answers.'
        : 'Asking the validator for the windows so far.'}
    </Notice>
  );
}

function RunLoss({ windows }: { windows: readonly WindowSummary[] }) {
  const judged = windows.filter((row) => row.lossAfter !== null);
  const [first, last] = [judged[0], judged.at(-1)];
  if (!first || !last)
    return <Notice fill>No window has been published yet: the first figure comes with the first one.</Notice>;
  const losses = judged.map(({ lossAfter }) => lossAfter);
  const fall = (last.lossAfter ?? 0) - (first.lossBefore ?? first.lossAfter ?? 0);
  return (
    <>
      <Figures>
        <Figure label="Loss" unit="nats" hint={`After window ${last.window}, nats a token on held-out pages.`}>
          {formatDecimal(last.lossAfter, 3)}
        </Figure>
        <Figure label="Since the start shown" unit="nats" hint={`From window ${first.window} on.`}>
          {formatSigned(fall)}
        </Figure>
        <Figure label="Last window" unit="peers" hint={`${last.aggregated} were folded into the model.`}>
          {last.participants === null ? UNKNOWN : formatInteger(last.participants)}
        </Figure>
      </Figures>
      {judged.length < 2 ? (
        <Notice fill>The curve begins with the second published window.</Notice>
      ) : (
        <LineChart
          description={`Held-out loss of the shared model from window ${first.window} to ${last.window}, from ${formatDecimal(losses[0], 3)} to ${formatDecimal(last.lossAfter, 3)} nats a token.`}
          xName="Window"
          x={judged.map(({ window }) => window)}
          series={[{ name: 'Loss after', colour: '--series-1', values: losses, points: judged.length < 40 }]}
        />
      )}
    </>
  );
}

function ManifestFacts({ manifest }: { manifest: RunManifest }) {
  const { model, data, scheme, gauntlet } = manifest;
  return (
    <dl className={styles['facts']}>
      <dt>Model</dt>
      <dd>
        {formatCompact(parameterLayout(model).total)} parameters: {model.numLayers} layers, {model.hiddenSize} wide,{' '}
        {formatInteger(model.contextLength)} tokens of context
      </dd>
      <dt>Text</dt>
      <dd>
        {data.description} <span className="soft">({data.licence})</span>
      </dd>
      <dt>Rules</dt>
      <dd>
        Gauntlet ({gauntlet.profile}), {scheme.name}; {plain(gauntlet.evaluationsPerWindow)} peers scored a window, the
        best {plain(gauntlet.topG)} aggregated
      </dd>
    </dl>
  );
}

function plain(count: number): string {
  return `up to ${formatInteger(count)}`;
}
