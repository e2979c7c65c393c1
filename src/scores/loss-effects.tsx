/** What a peer's evaluated contributions did to the loss: before and after, on its own pages and on random ones. */
import { Trans, useLingui } from '@lingui/react/macro';
import { useQueries } from '@tanstack/react-query';
import type { Evaluation, PeerState } from '../../core/protocol/api.ts';
import { useApp } from '../client/app-context.ts';
import { QUERY_KEYS } from '../client/live.ts';
import { Card } from '../ui/card.tsx';
import { formatDecimal, formatSigned } from '../ui/format.ts';
import { Notice } from '../ui/notice.tsx';
import { Scroller } from '../ui/scroller.tsx';
import styles from './loss-effects.module.css';

/** Each is a window's record to ask for. */
const SHOWN = 8;
const WIDTH = 200;
const HEIGHT = 26;
const MARGIN = 8;

interface Effect {
  readonly window: number;
  readonly evaluation: Evaluation;
}

/** The newest windows in which the peer was drawn, from their records: what is published never changes. */
function useEffects({ hotkey, history }: PeerState): readonly Effect[] {
  const { api } = useApp();
  const windows = history
    .filter(({ lossScore }) => lossScore !== null)
    .slice(-SHOWN)
    .map(({ window }) => window)
    .reverse();
  return useQueries({
    queries: windows.map((window) => ({
      queryKey: QUERY_KEYS.record(window),
      queryFn: ({ signal }: { signal: AbortSignal }) => api.window(window, signal),
      staleTime: Infinity,
    })),
    combine: (results) =>
      results.flatMap(({ data }) => {
        const evaluation = data?.evaluated.find((each) => each.hotkey === hotkey);
        return data && evaluation ? [{ window: data.window, evaluation }] : [];
      }),
  });
}

export function LossEffects({ peer }: { peer: PeerState }) {
  const { t } = useLingui();
  const effects = useEffects(peer);
  const losses = effects.flatMap(({ evaluation: { assigned, random } }) => [
    assigned.before,
    assigned.after,
    random.before,
    random.after,
  ]);
  const scale = { min: Math.min(...losses), max: Math.max(...losses) };
  return (
    <Card
      title={t`What it did to the loss`}
      intro={t`The validator applied a fifth of the contribution’s step and measured the loss before and after. To the left is better; more so on its own pages speaks for honest work.`}
    >
      {effects.length === 0 ? (
        <Notice>
          <Trans>Shown once a contribution is drawn for scoring: a few are in each window.</Trans>
        </Notice>
      ) : (
        <Scroller label={t`Loss before and after by window`}>
          <table className={styles['table']}>
            <thead>
              <tr>
                <th scope="col">
                  <Trans>Window</Trans>
                </th>
                <th scope="col">
                  <Trans>On its own pages</Trans>
                </th>
                <th scope="col">
                  <Trans>On random pages</Trans>
                </th>
              </tr>
            </thead>
            <tbody>
              {effects.map(({ window, evaluation: { assigned, random } }) => (
                <tr key={window}>
                  <th scope="row">{window}</th>
                  <td>
                    <Arrow {...assigned} scale={scale} />
                  </td>
                  <td>
                    <Arrow {...random} scale={scale} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroller>
      )}
    </Card>
  );
}

function Arrow({
  before,
  after,
  scale,
}: {
  before: number;
  after: number;
  scale: { readonly min: number; readonly max: number };
}) {
  const { t } = useLingui();
  const x = (loss: number): number =>
    MARGIN + ((loss - scale.min) / Math.max(1e-9, scale.max - scale.min)) * (WIDTH - 2 * MARGIN);
  const helped = after < before;
  const [from, to] = [formatDecimal(before, 4), formatDecimal(after, 4)];
  return (
    <div className={styles['effect']}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true" data-helped={helped}>
        <line className={styles['axis']} x1={0} x2={WIDTH} y1={HEIGHT / 2} y2={HEIGHT / 2} />
        <line className={styles['shaft']} x1={x(before)} x2={x(after)} y1={HEIGHT / 2} y2={HEIGHT / 2} />
        <circle className={styles['before']} cx={x(before)} cy={HEIGHT / 2} r={4} />
        <circle className={styles['after']} cx={x(after)} cy={HEIGHT / 2} r={5} />
      </svg>
      <span>
        {t`${from} → ${to}`} <strong>{formatSigned(after - before, 4)}</strong>
      </span>
    </div>
  );
}
