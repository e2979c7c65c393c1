/** Which device computes and why that one, and what the site stores. */
import { t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import { useStorageRoom } from '../checkpoint/use-storage.ts';
import type { BackendReport } from '../../engine/engine.ts';
import { useContribute } from '../client/app-context.ts';
import { useExpectedBackend } from '../platform/use-backend.ts';
import { Badge } from '../ui/badge.tsx';
import { formatBytes } from '../ui/format.ts';
import { Notice } from '../ui/notice.tsx';
import styles from './device-details.module.css';
import { sentence, withRemedy } from '../ui/failure-words.ts';

const BACKENDS = { webgpu: 'WebGPU', wasm: 'WebAssembly', node: 'Node' } as const;

export function DeviceDetails() {
  const used = useContribute((state) => state.backend);
  const expected = useExpectedBackend();
  const { data: room } = useStorageRoom();
  const backend = used ?? expected.data;
  return (
    <div className={styles['details']}>
      <div className={styles['row']}>
        <span className="soft">{used ? t`Device` : t`Device that will be used`}</span>
        {backend && <Device backend={backend} />}
      </div>
      {expected.error && !used && <Notice tone="warn">{withRemedy(expected.error)}</Notice>}
      {backend && backend.reasons.length > 0 && (
        <details>
          <summary>
            <Trans>Why this device</Trans>
          </summary>
          <ul className={styles['reasons']}>
            {backend.reasons.map((reason) => (
              <li key={reason} lang="en">
                {sentence(reason)}
              </li>
            ))}
          </ul>
        </details>
      )}
      {room?.usedBytes !== undefined && room.quotaBytes !== undefined && (
        <div className={styles['row']}>
          <span className="soft">
            <Trans>Stored here</Trans>
          </span>
          <span>
            <Trans>
              {formatBytes(room.usedBytes)} of the {formatBytes(room.quotaBytes)} this browser allows
            </Trans>
          </span>
        </div>
      )}
    </div>
  );
}

function Device({ backend }: { backend: BackendReport }) {
  return (
    <span className={styles['value']}>
      <Badge tone="accent">{BACKENDS[backend.backend]}</Badge> {backend.device}
      {backend.software && (
        <Badge tone="warn" title={t`It emulates a graphics card on the processor: slow, and no measure of a real one.`}>
          <Trans>Software adapter</Trans>
        </Badge>
      )}
    </span>
  );
}
