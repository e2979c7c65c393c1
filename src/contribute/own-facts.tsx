/** Who this tab is and which parameters it holds. */
import { t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import { useContribute } from '../client/app-context.ts';
import { useClock } from '../client/queries.ts';
import { Badge } from '../ui/badge.tsx';
import { formatInteger, UNKNOWN } from '../ui/format.ts';
import { Identifier } from '../ui/identifier.tsx';
import { OwnKey } from '../wallet/own-key.tsx';
import styles from './own-facts.module.css';

export function OwnFacts() {
  return (
    <dl className={styles['facts']}>
      <OwnKey />
      <StateRoot />
      <Momentum />
    </dl>
  );
}

function StateRoot() {
  const verified = useContribute((state) => state.verifiedRoot);
  const clock = useClock().data;
  const root = verified?.root ?? clock?.stateRoot;
  const window = verified?.window ?? clock?.window;
  return (
    <div>
      <dt>
        <Trans>
          State root <span className="soft">(fingerprint of the model’s parameters)</span>
        </Trans>
      </dt>
      <dd>
        {root === undefined ? UNKNOWN : <Identifier value={root} name={t`the state root`} testId="state-root" />}
        {root !== undefined && window !== undefined && (
          <p className={styles['mark']}>
            {verified ? (
              <Badge tone="good" title={t`Your tab recomputed the root from the parameters it holds, and it agreed.`}>
                <Trans>✓ Verified in this tab</Trans>
              </Badge>
            ) : (
              <Badge title={t`Your tab recomputes it once it holds the model.`}>
                <Trans>As published, not verified here</Trans>
              </Badge>
            )}
            <span className="soft">
              <Trans>for window {formatInteger(window)}</Trans>
            </span>
          </p>
        )}
      </dd>
    </div>
  );
}

function Momentum() {
  const window = useContribute((state) => state.momentumWindow);
  if (window === undefined) return null;
  return (
    <div>
      <dt>
        <Trans>
          Momentum <span className="soft">(what your earlier windows left to send)</span>
        </Trans>
      </dt>
      <dd>
        <Trans>
          Goes on from window <span data-testid="momentum-window">{formatInteger(window)}</span>
        </Trans>
      </dd>
    </div>
  );
}
