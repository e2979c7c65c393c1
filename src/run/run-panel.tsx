/** How the shared model's loss falls, and what the run has taken so far. */
import { i18n } from '@lingui/core';
import { Trans, useLingui } from '@lingui/react/macro';
import { useMemo, useState } from 'react';
import { parameterLayout } from '../../core/model/layout.ts';
import type { WindowSummary } from '../../core/protocol/api.ts';
import { useManifest, useUnreachable, useWindowHistory } from '../client/queries.ts';
import { Card } from '../ui/card.tsx';
import { Figure, Figures } from '../ui/figures.tsx';
import { formatBytes, formatCompact, formatDecimal, formatInteger, formatSigned, UNKNOWN } from '../ui/format.ts';
import { LineChart } from '../ui/line-chart.tsx';
import { Notice } from '../ui/notice.tsx';
import { Select } from '../ui/select.tsx';
import { MEASURES, runTotals } from './measures.ts';

/** More points than that are a band, not a line. */
const MAX_MARKED = 40;

export function RunPanel() {
  const { t } = useLingui();
  const history = useWindowHistory();
  const unreachable = useUnreachable() !== undefined;
  return (
    <Card
      title={t`The shared model`}
      intro={t`Its loss on text that nobody trains on, measured by the validator after each window: the lower, the better it predicts.`}
      aside={history?.loading && t`older windows are on their way`}
    >
      {!history && (
        <Notice fill>
          {unreachable ? (
            <Trans>The windows so far are shown once the validator answers.</Trans>
          ) : (
            <Trans>Asking the validator for the windows so far.</Trans>
          )}
        </Notice>
      )}
      {history?.windows.length === 0 && (
        <Notice fill>
          <Trans>No window has been published yet: the first figure comes with the first one.</Trans>
        </Notice>
      )}
      {history && history.windows.length > 0 && <Progress windows={history.windows} />}
    </Card>
  );
}

/** @param windows at least one, ascending */
function Progress({ windows }: { windows: readonly WindowSummary[] }) {
  const { t } = useLingui();
  const manifest = useManifest();
  const totals = useMemo(() => runTotals(windows), [windows]);
  const [first, last] = [windows[0]!, windows.at(-1)!];
  const start = first.lossBefore ?? first.lossAfter;
  const fall = start === null || last.lossAfter === null ? null : last.lossAfter - start;
  const checkpointBytes = manifest && parameterLayout(manifest.model).total * 4;
  const amount = <T,>(value: T | null | undefined, format: (value: T) => string): string =>
    value === null || value === undefined ? UNKNOWN : format(value);
  return (
    <>
      <Figures>
        <Figure label={t`Loss`} unit={t`nats`} hint={t`After window ${last.window}, nats a token on held-out pages.`}>
          {formatDecimal(last.lossAfter, 3)}
        </Figure>
        <Figure label={t`Since the start`} unit={t`nats`} hint={t`From before window ${first.window} on.`}>
          {amount(fall, formatSigned)}
        </Figure>
        <Figure label={t`Windows`}>{formatInteger(last.window)}</Figure>
        <Figure label={t`Tokens trained`} hint={t`In the pages of all contributions that no check caught.`}>
          <span data-testid="tokens">{amount(totals.tokens, formatCompact)}</span>
        </Figure>
        <Figure label={t`In the last window`} unit={t`tokens`}>
          {amount(last.tokens, formatCompact)}
        </Figure>
        <Figure label={t`Last window`} unit={t`peers`} hint={t`${last.aggregated} were folded into the model.`}>
          {amount(last.participants, formatInteger)}
        </Figure>
        <Figure label={t`Uploaded by peers`}>{amount(totals.uploads, formatBytes)}</Figure>
        <Figure label={t`Outer steps`} hint={t`What everybody downloads to follow the run.`}>
          {formatBytes(totals.steps)}
        </Figure>
        <Figure label={t`Checkpoint`} hint={t`All parameters, which a newcomer downloads once.`}>
          {amount(checkpointBytes, formatBytes)}
        </Figure>
      </Figures>
      <Chart windows={windows} />
    </>
  );
}

function Chart({ windows }: { windows: readonly WindowSummary[] }) {
  const { t } = useLingui();
  const [id, setId] = useState(MEASURES[0]!.id);
  const measure = MEASURES.find((one) => one.id === id)!;
  const { x, values } = useMemo(() => {
    const rows = windows.filter((row) => measure.of(row) !== null);
    return { x: rows.map(({ window }) => window), values: rows.map(measure.of) };
  }, [windows, measure]);
  const name = i18n._(measure.name);
  const [from, to] = [formatDecimal(values[0], 3), formatDecimal(values.at(-1), 3)];
  return (
    <>
      <div>
        <Select
          label={t`What the chart shows`}
          value={id}
          options={MEASURES.map((one) => ({ value: one.id, name: i18n._(one.name) }))}
          onChange={setId}
        />
      </div>
      {x.length < 2 ? (
        <Notice fill>
          <Trans>The curve begins with the second published window.</Trans>
        </Notice>
      ) : (
        <LineChart
          description={t`${name}: from ${from} in window ${x[0]!} to ${to} in window ${x.at(-1)!}.`}
          xName={t`Window`}
          x={x}
          series={[{ name, colour: '--series-1', values, points: x.length < MAX_MARKED }]}
        />
      )}
    </>
  );
}
