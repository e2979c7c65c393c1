/** On every screen of a replay: that it is one, where in it the page stands, and the way out of it. */
import { Trans, useLingui } from '@lingui/react/macro';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useStore } from 'zustand';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { sentence } from '../ui/failure-words.ts';
import { formatBytes, formatDayAndTime, formatInteger } from '../ui/format.ts';
import { Notice } from '../ui/notice.tsx';
import { Select } from '../ui/select.tsx';
import styles from './replay-bar.module.css';
import { SPEEDS, type ReplaySource, type Speed } from './replay-source.ts';

export function ReplayBar({ source: { replay } }: { source: ReplaySource }) {
  const { t } = useLingui();
  const { recording, loadedBytes, failure, moves } = useStore(replay.store);
  const queries = useQueryClient();
  useEffect(() => {
    // The first answers are of the recording's end already.
    if (moves > 0) void queries.invalidateQueries();
  }, [queries, moves]);
  return (
    <section className={styles['bar']} aria-label={t`Recording`} data-testid="replay">
      <p className={styles['head']}>
        <Badge tone="warn">
          <Trans>Recording</Trans>
        </Badge>{' '}
        <Trans>A run as it was, window by window. Nothing is computed or sent here.</Trans>{' '}
        <a href={addressWithoutReplay()}>
          <Trans>Leave the recording</Trans>
        </a>
      </p>
      {failure !== undefined && (
        <Notice tone="bad" title={t`The recording cannot be shown`}>
          <span lang="en">{sentence(failure)}</span>
        </Notice>
      )}
      {failure === undefined && !recording && (
        <p role="status" className="soft">
          <Trans>Loading the recording: {formatBytes(loadedBytes)} so far.</Trans>
        </p>
      )}
      {recording && <Scrubber replay={replay} recording={recording} />}
    </section>
  );
}

function Scrubber({
  replay,
  recording: { first, last, publishedAt },
}: {
  replay: ReplaySource['replay'];
  recording: { readonly first: number; readonly last: number; readonly publishedAt: readonly string[] };
}) {
  const { t } = useLingui();
  const { window, playing, speed } = useStore(replay.store);
  const when = formatDayAndTime(publishedAt[window - first]!);
  return (
    <div className={styles['controls']}>
      <Button
        kind="primary"
        className={styles['play']}
        data-testid="replay-play"
        onClick={() => replay.setPlaying(!playing)}
      >
        {playing ? <Trans>Pause</Trans> : <Trans>Play</Trans>}
      </Button>
      <input
        className={styles['scrubber']}
        type="range"
        data-testid="scrubber"
        aria-label={t`Window of the recording`}
        aria-valuetext={t`After window ${formatInteger(window)}, ${when}`}
        min={first}
        max={last}
        value={window}
        onChange={(event) => replay.seek(event.target.valueAsNumber)}
      />
      <output className={styles['position']}>
        <Trans>
          Window {formatInteger(window)} of {formatInteger(last)}
        </Trans>
      </output>
      <Select
        label={t`Speed`}
        value={String(speed)}
        options={SPEEDS.map((value) => ({ value: String(value), name: `× ${value}` }))}
        onChange={(value) => replay.setSpeed(Number(value) as Speed)}
      />
    </div>
  );
}

/** The page without a recording, on the same validator if another was asked for. */
function addressWithoutReplay(): string {
  const url = new URL(location.href);
  url.searchParams.delete('replay');
  url.hash = '';
  return url.href;
}
