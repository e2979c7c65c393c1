/** Your figures window by window. */
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
      <h3>Window by window</h3>
      {newest.length === 0 ? (
        <Notice>Your figures after each window will be listed here.</Notice>
      ) : (
        <Scroller label="Your figures by window">
          <table>
            <thead>
              <tr>
                <th scope="col">Window</th>
                <th
                  scope="col"
                  className="number"
                  title="Nats that your contribution gained on its own pages and on others."
                >
                  Gain own / other
                </th>
                <th scope="col" className="number">
                  Rating
                </th>
                <th scope="col" className="number">
                  μ
                </th>
                <th scope="col" className="number">
                  Score
                </th>
                <th scope="col" className="number">
                  Weight
                </th>
                <th scope="col">In model</th>
              </tr>
            </thead>
            <tbody>
              {newest.map(({ window, lossScore, rating, poc, peerScore, weight, aggregated }) => (
                <tr key={window}>
                  <td>{window}</td>
                  <td className="number">
                    {lossScore === null ? (
                      <span className="soft" title="Not drawn for scoring in this window.">
                        not drawn
                      </span>
                    ) : (
                      `${formatSigned(lossScore.assigned, 4)} / ${formatSigned(lossScore.random, 4)}`
                    )}
                  </td>
                  <td className="number">{formatDecimal(rating.ordinal, 1)}</td>
                  <td className="number">{formatDecimal(poc, 2)}</td>
                  <td className="number">{formatDecimal(peerScore, 2)}</td>
                  <td className="number">{formatPercent(weight)}</td>
                  <td>{aggregated ? <Badge tone="good">✓ yes</Badge> : <span className="soft">{UNKNOWN} no</span>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroller>
      )}
    </div>
  );
}
