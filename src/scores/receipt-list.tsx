/** The validator's signed receipts: proof of what was delivered and when. */
import { t } from '@lingui/core/macro';
import { Plural, Trans } from '@lingui/react/macro';
import type { SignedReceipt } from '../../core/protocol/api.ts';
import { formatBytes, formatTime, shorten } from '../ui/format.ts';
import { Scroller } from '../ui/scroller.tsx';

export function ReceiptList({ receipts }: { receipts: readonly SignedReceipt[] }) {
  if (receipts.length === 0) return null;
  return (
    <details>
      <summary>
        <Plural
          value={receipts.length}
          one="# receipt, signed by the validator"
          other="# receipts, signed by the validator"
        />
      </summary>
      <Scroller label={t`Receipts`}>
        <table>
          <thead>
            <tr>
              <th scope="col">
                <Trans>Window</Trans>
              </th>
              <th scope="col">
                <Trans>Arrived</Trans>
              </th>
              <th scope="col" className="number">
                <Trans>Size</Trans>
              </th>
              <th scope="col">
                <Trans>SHA-256</Trans>
              </th>
              <th scope="col">
                <Trans>Signature</Trans>
              </th>
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
