/** Who tried to harm the model, what stopped them, and what they would have done: a picture for somebody new to it. */
import { Plural, Trans, useLingui } from '@lingui/react/macro';
import { useMemo, useState } from 'react';
import type { WindowSummary } from '../../../core/protocol/api.ts';
import { useWindowBook, useWindowHistory, useWindowRecord, useWindowRefusals } from '../../client/queries.ts';
import { Card } from '../../ui/card.tsx';
import { Figure, Figures } from '../../ui/figures.tsx';
import { formatInteger, formatSigned } from '../../ui/format.ts';
import { Notice } from '../../ui/notice.tsx';
import { Select } from '../../ui/select.tsx';
import { CaughtChart } from './caught-chart.tsx';
import { Effects } from './effects.tsx';
import { effectsOf, flowOf } from './flow.ts';
import { FlowPicture, StoppedList } from './flow-picture.tsx';
import { NothingCaught } from './nothing-caught.tsx';
import { columnsOf, totalsOf } from './tally.ts';
import { WindowChoice } from './window-choice.tsx';
import styles from './adversary-card.module.css';

/** As many bars as still can be told apart on a phone. */
const MAX_COLUMNS = 60;

export function AdversaryCard() {
  const { t } = useLingui();
  const history = useWindowHistory();
  return (
    <Card
      title={t`Who was caught`}
      intro={t`Anybody may contribute, and some cheat. Every contribution passes these checks before it touches the model; here is what they kept out.`}
    >
      {history && history.windows.length > 0 ? (
        <Picture windows={history.windows} />
      ) : (
        <Notice fill>
          <Trans>The picture begins with the first published window.</Trans>
        </Notice>
      )}
    </Card>
  );
}

/** @param windows at least one */
function Picture({ windows }: { windows: readonly WindowSummary[] }) {
  const { t } = useLingui();
  const [span, setSpan] = useState<'newest' | 'all'>('newest');
  const [chosen, setChosen] = useState<number>();
  const newest = windows.at(-1)!.window;
  const window = Math.min(chosen ?? newest, newest);
  const totals = useMemo(() => totalsOf(windows), [windows]);
  const columns = useMemo(
    () => columnsOf(span === 'all' ? windows : windows.slice(-MAX_COLUMNS), MAX_COLUMNS),
    [windows, span],
  );
  // The newest window goes on being followed.
  const choose = (next: number): void => setChosen(next >= newest ? undefined : Math.max(next, windows[0]!.window));
  const everybody = totals.caught + totals.aggregated;
  return (
    <>
      <Figures>
        <Figure label={t`Caught`} hint={t`Peers whose work was kept out in a window, over all windows shown.`}>
          {formatInteger(totals.caught)}
        </Figure>
        <Figure label={t`Of so many`} unit={t`contributions`}>
          {formatInteger(everybody)}
        </Figure>
        <Figure
          label={t`Harm kept out`}
          unit={t`nats`}
          hint={t`What contributions that were measured and kept out would have raised the loss by, summed.`}
        >
          {formatSigned(totals.keptOut, 3)}
        </Figure>
      </Figures>
      {totals.caught === 0 && <NothingCaught />}
      <CaughtChart columns={columns} chosen={window} onChoose={choose} />
      <div className={styles['controls']}>
        <WindowChoice window={window} newest={newest} following={chosen === undefined} onChoose={choose} />
        {windows.length > MAX_COLUMNS && (
          <Select
            label={t`Windows in the picture`}
            value={span}
            options={[
              { value: 'newest', name: t`Newest ${MAX_COLUMNS}` },
              { value: 'all', name: t`All windows` },
            ]}
            onChange={setSpan}
          />
        )}
      </div>
      <ChosenWindow window={window} />
    </>
  );
}

function ChosenWindow({ window }: { window: number }) {
  const { data: record, error } = useWindowRecord(window);
  const book = useWindowBook(window);
  const refusals = useWindowRefusals(window).data;
  const signed = book.data;
  const flow = useMemo(
    () => record && signed !== undefined && flowOf(record, signed && signed.book, refusals ?? []),
    [record, signed, refusals],
  );
  if (!record || !flow) {
    return (
      <Notice fill>
        {(error ?? book.error) ? (
          <Trans>
            The validator did not give this window’s book. It is asked again when you choose the window anew.
          </Trans>
        ) : (
          <Trans>Asking the validator for window {window}.</Trans>
        )}
      </Notice>
    );
  }
  return (
    <div className={styles['chosen']}>
      <section className={styles['way']}>
        <h3>
          <Plural
            value={flow.delivered}
            one={`Window ${window}: the way of # contribution`}
            other={`Window ${window}: the way of # contributions`}
          />
        </h3>
        {signed === null && (
          <p className="soft">
            <Trans>
              This window is older than the books in which the judge’s reasons are kept, so only who was folded in is
              known.
            </Trans>
          </p>
        )}
        <FlowPicture key={window} flow={flow} />
        <StoppedList flow={flow} />
      </section>
      <Effects effects={effectsOf(record)} peers={flow.peers} />
    </div>
  );
}
