/** The validator's signed receipts: proof of what was delivered and when. */
import type { SignedReceipt } from '../../core/protocol/api.ts';
import { formatBytes, formatTime, plural, shorten } from '../ui/format.ts';
import { Scroller } from '../ui/scroller.tsx';

export function ReceiptList({ receipts }: { receipts: readonly SignedReceipt[] }) {
  if (receipts.length === 0) return null;
  return (
    <details>
      <summary>{plural(receipts.length, 'receipt')}, signed by the validator</summary>
      <Scroller label="Receipts">
        <table>
          <thead>
            <tr>
              <th scope="col">Window</th>
              <th scope="col">Arrived</th>
              <th scope="col" className="number">
                Size
              </th>
              <th scope="col">SHA-256</th>
              <th scope="col">Signature</th>
            </tr>
          </thead>
          <tbody>
            {receipts.map(({ receipt, signature }) => (
              <tr key={signature}>
                <td>{receipt.window}</td>
                <td>{formatTime(receipt.arrivedAt)}</td>
                <td className="number">{formatBytes(receipt.bytes)}</td>
                <td>
                  <code title={receipt.sha256}>{shorten(receipt.sha256, 8, 8)}</code>
                </td>
                <td>
                  <code title={signature}>{shorten(signature, 8, 8)}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
    </details>
  );
}
