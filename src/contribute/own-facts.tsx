/** Who this tab is and which parameters it holds. */
import { useContribute } from '../client/app-context.ts';
import { useClock } from '../client/queries.ts';
import { Badge } from '../ui/badge.tsx';
import { formatInteger, UNKNOWN } from '../ui/format.ts';
import { Identifier } from '../ui/identifier.tsx';
import { Notice } from '../ui/notice.tsx';
import { useGuestHotkey } from '../wallet/use-guest.ts';
import { withRemedy } from './describe.ts';
import styles from './own-facts.module.css';

export function OwnFacts() {
  return (
    <dl className={styles['facts']}>
      <Hotkey />
      <StateRoot />
      <Momentum />
    </dl>
  );
}

function Hotkey() {
  const { data: hotkey, error } = useGuestHotkey();
  return (
    <div>
      <dt>
        Your key <span className="soft">(guest, made in this browser)</span>
      </dt>
      <dd>
        {hotkey !== undefined && <Identifier value={hotkey} name="your key" testId="hotkey" />}
        {error && <Notice tone="bad">{withRemedy(error)}</Notice>}
        {hotkey === undefined && !error && UNKNOWN}
      </dd>
    </div>
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
        State root <span className="soft">(fingerprint of the model’s parameters)</span>
      </dt>
      <dd>
        {root === undefined ? UNKNOWN : <Identifier value={root} name="the state root" testId="state-root" />}
        {root !== undefined && window !== undefined && (
          <p className={styles['mark']}>
            {verified ? (
              <Badge tone="good" title="Your tab recomputed the root from the parameters it holds, and it agreed.">
                ✓ Verified in this tab
              </Badge>
            ) : (
              <Badge title="Your tab recomputes it once it holds the model.">As published, not verified here</Badge>
            )}
            <span className="soft">for window {formatInteger(window)}</span>
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
        Momentum <span className="soft">(what your earlier windows left to send)</span>
      </dt>
      <dd>
        Goes on from window <span data-testid="momentum-window">{formatInteger(window)}</span>
      </dd>
    </div>
  );
}
