/** Every window so far: what it changed, and the name and the step that anybody can check it by. */
import { Trans, useLingui } from '@lingui/react/macro';
import { useMemo } from 'react';
import { useWindowHistory } from '../client/queries.ts';
import { Card } from '../ui/card.tsx';
import { formatBytes, formatDecimal, formatInteger, formatSigned, shorten, UNKNOWN } from '../ui/format.ts';
import { Notice } from '../ui/notice.tsx';
import { FileLink } from './file-link.tsx';
import { VirtualRows } from './virtual-rows.tsx';
import styles from './windows-card.module.css';

const ROW_PX = 34;

export function WindowsCard() {
  const { t } = useLingui();
  const history = useWindowHistory();
  const newestFirst = useMemo(() => [...(history?.windows ?? [])].reverse(), [history]);
  return (
    <Card
      title={t`Window by window`}
      intro={t`Each window’s outer step leads to one state root. Whoever applies the steps gets the same, bit by bit.`}
    >
      {newestFirst.length === 0 ? (
        <Notice fill>
          <Trans>Windows are listed as they are published.</Trans>
        </Notice>
      ) : (
        <VirtualRows
          label={t`All windows, the newest first`}
          columns={[t`Window`, t`Loss`, t`Change`, t`In the model`, t`State root`, t`Outer step`]}
          template={styles['columns']!}
          rows={newestFirst}
          rowPx={ROW_PX}
          keyOf={({ window }) => window}
          cells={({ window, lossBefore, lossAfter, aggregated, participants, stateRoot, outerStep }) => [
            formatInteger(window),
            formatDecimal(lossAfter, 3),
            lossBefore === null || lossAfter === null ? UNKNOWN : formatSigned(lossAfter - lossBefore, 4),
            participants === null ? formatInteger(aggregated) : t`${aggregated} of ${participants}`,
            stateRoot === null ? UNKNOWN : <code title={stateRoot}>{shorten(stateRoot, 8, 4)}</code>,
            outerStep === null ? (
              UNKNOWN
            ) : (
              <FileLink path={`/v1/blobs/${outerStep.sha256}`} name={`outer-step-${window}`}>
                {formatBytes(outerStep.bytes)}
              </FileLink>
            ),
          ]}
        />
      )}
    </Card>
  );
}
