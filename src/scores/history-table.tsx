/** Your figures window by window. */
import { t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import type { PeerHistoryPoint } from '../../core/protocol/api.ts';
import { Badge } from '../ui/badge.tsx';
import { formatDecimal, formatPercent, formatSigned, UNKNOWN } from '../ui/format.ts';
import { Notice } from '../ui/notice.tsx';
import { Scroller } from '../ui/scroller.tsx';

const MAX_ROWS = 100;

export function HistoryTable({ history }: { history: readonly PeerHistoryPoint[] }) {
  const newest = history.slice(-MAX_ROWS).reverse();
  return (
    <div>
      <h3>
        <Trans>Window by window</Trans>
      </h3>
      {newest.length === 0 ? (
        <Notice>
          <Trans>Figures after each window will be listed here.</Trans>
        </Notice>
      ) : (
        <Scroller label={t`Figures by window`}>
          <table>
            <thead>
              <tr>
                <th scope="col">
                  <Trans>Window</Trans>
                </th>
                <th
                  scope="col"
                  className="number"
                  title={t`Nats that the contribution gained on its own pages and on others.`}
                >
                  <Trans>Gain own / other</Trans>
                </th>
                <th scope="col" className="number">
                  <Trans>Rating</Trans>
                </th>
                <th scope="col" className="number">
                  μ
                </th>
                <th scope="col" className="number">
                  <Trans>Score</Trans>
                </th>
                <th scope="col" className="number">
                  <Trans>Weight</Trans>
                </th>
                <th scope="col">
                  <Trans>In model</Trans>
                </th>
              </tr>
            </thead>
            <tbody>
              {newest.map(({ window, lossScore, rating, poc, peerScore, weight, aggregated }) => (
                <tr key={window}>
                  <td>{window}</td>
                  <td className="number">
                    {lossScore === null ? (
                      <span className="soft" title={t`Not drawn for scoring in this window.`}>
                        <Trans>not drawn</Trans>
                      </span>
                    ) : (
                      `${formatSigned(lossScore.assigned, 4)} / ${formatSigned(lossScore.random, 4)}`
                    )}
                  </td>
                  <td className="number">{formatDecimal(rating.ordinal, 1)}</td>
                  <td className="number">{formatDecimal(poc, 2)}</td>
                  <td className="number">{formatDecimal(peerScore, 2)}</td>
                  <td className="number">{formatPercent(weight)}</td>
                  <td>
                    {aggregated ? (
                      <Badge tone="good">
                        <Trans>✓ yes</Trans>
                      </Badge>
                    ) : (
                      <span className="soft">
                        <Trans>{UNKNOWN} no</Trans>
                      </span>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroller>
      )}
    </div>
  );
}
