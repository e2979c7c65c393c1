/** Who contributed: to the window that is open as far as that may be told, and to the last published one. */
import { Plural, Trans, useLingui } from '@lingui/react/macro';
import type { Phase, WindowRecord } from '../../core/protocol/api.ts';
import { useClock, useWindowRecord } from '../client/queries.ts';
import { Term } from '../learn/term.tsx';
import { Badge } from '../ui/badge.tsx';
import { Card } from '../ui/card.tsx';
import { formatInteger, formatTime } from '../ui/format.ts';
import { Notice } from '../ui/notice.tsx';
import { PeerLink } from './peer-link.tsx';
import { VirtualRows } from './virtual-rows.tsx';
import styles from './contributors-card.module.css';

const ROW_PX = 34;

export function ContributorsCard() {
  const { t } = useLingui();
  const clock = useClock().data;
  const last = clock && clock.window > 1 ? clock.window - 1 : undefined;
  const record = useWindowRecord(last).data;
  return (
    <Card title={t`Who contributes`}>
      {clock && (
        <p>
          <Trans>Window {clock.window}:</Trans> <OpenWindow phase={clock.phase} />
        </p>
      )}
      {record && record.contributions.length > 0 ? (
        <Contributions record={record} />
      ) : (
        <Notice fill>
          {record ? (
            <Trans>Nobody delivered in window {record.window}.</Trans>
          ) : (
            <Trans>Who contributed is listed once a window has been published.</Trans>
          )}
        </Notice>
      )}
    </Card>
  );
}

function OpenWindow({ phase }: { phase: Phase }) {
  if (phase === 'train') return <Trans>peers are training; uploads are not open yet.</Trans>;
  return (
    <Trans>
      uploads are <Term name="sealed">sealed</Term>. Who delivered is shown when the window is published, so that there
      is nothing to copy before.
    </Trans>
  );
}

function Contributions({ record }: { record: WindowRecord }) {
  const { t } = useLingui();
  const aggregated = new Set(record.aggregated);
  const rows = [...record.contributions].sort((a, b) => Date.parse(a.arrivedAt) - Date.parse(b.arrivedAt));
  return (
    <>
      <h3>
        <Plural
          value={rows.length}
          one={`Window ${record.window}: # contribution, ${aggregated.size} folded in`}
          other={`Window ${record.window}: # contributions, ${aggregated.size} folded in`}
        />
      </h3>
      <VirtualRows
        label={t`Contributions to window ${record.window}, in the order of their arrival`}
        columns={[t`Peer`, t`Result`, t`Pages`, t`Arrived`]}
        template={styles['columns']!}
        rows={rows}
        rowPx={ROW_PX}
        keyOf={({ hotkey }) => hotkey}
        cells={({ hotkey, pagesTrained, arrivedAt }) => [
          <PeerLink key="peer" hotkey={hotkey} />,
          aggregated.has(hotkey) ? (
            <Badge key="result" tone="good">
              {t`folded in`}
            </Badge>
          ) : (
            <Badge key="result">{t`left out`}</Badge>
          ),
          formatInteger(pagesTrained),
          formatTime(arrivedAt),
        ]}
      />
    </>
  );
}
