/** The tab's own training loss, as it comes. */
import { plural, t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import { useContribute } from '../client/app-context.ts';
import { Card } from '../ui/card.tsx';
import { formatDecimal } from '../ui/format.ts';
import { LineChart } from '../ui/line-chart.tsx';
import { Notice } from '../ui/notice.tsx';
import { smooth } from './loss-history.ts';

export function LiveLoss() {
  const { points, steps } = useContribute((state) => state.losses);
  const losses = points.map(({ loss }) => loss);
  const last = losses.at(-1);
  return (
    <Card
      title={t`Your training loss`}
      aside={steps > 0 ? plural(steps, { one: '# micro-batch', other: '# micro-batches' }) : undefined}
    >
      {points.length < 2 || last === undefined ? (
        <Notice fill>
          <Trans>The curve begins with the first pages that your tab trains.</Trans>
        </Notice>
      ) : (
        <LineChart
          description={t`Training loss of this tab over ${plural(steps, { one: '# micro-batch', other: '# micro-batches' })}, from ${formatDecimal(losses[0])} to ${formatDecimal(last)} nats a token.`}
          xName={t`Micro-batch`}
          x={points.map(({ step }) => step)}
          series={[
            { name: t`each micro-batch`, colour: '--series-faint', values: losses },
            { name: 'smoothed', colour: '--series-1', values: smooth(losses), derived: true },
          ]}
        />
      )}
    </Card>
  );
}
