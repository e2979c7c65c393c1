/** On every screen of the demonstration: that it is one, the way out of it, and what can be made to happen. */
import { Plural, Trans, useLingui } from '@lingui/react/macro';
import { useSyncExternalStore } from 'react';
import { useStore } from 'zustand';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/notice.tsx';
import { ATTACK_TEXTS } from './attack-texts.ts';
import styles from './demo-panel.module.css';
import type { DemoSource } from './demo-source.ts';
import { Standings } from './standings.tsx';

export function DemoPanel({ source }: { source: DemoSource }) {
  const { t } = useLingui();
  const { demo } = source;
  const { paused, failure } = useStore(demo.store);
  return (
    <section className={styles['panel']} aria-label={t`Demonstration`} data-testid="demo">
      <div className={styles['head']}>
        <p className={styles['intro']}>
          <Badge tone="warn">
            <Trans>Demonstration</Trans>
          </Badge>{' '}
          <Trans>
            The peers are simulated and the model is tiny, but the scoring is the real one. All of it runs in this tab:
            nothing is sent anywhere, and nothing is kept.
          </Trans>
        </p>
        <div className={styles['controls']}>
          <Button onClick={() => demo.setPaused(!paused)}>
            {paused ? <Trans>Resume the peers</Trans> : <Trans>Pause the peers</Trans>}
          </Button>
          <a className={styles['leave']} href={addressWithoutDemo()}>
            <Trans>Leave the demonstration</Trans>
          </a>
        </div>
      </div>
      {failure === undefined ? (
        <>
          <Attackers source={source} />
          <Standings />
          <HiddenNote />
        </>
      ) : (
        <Notice tone="bad" title={t`The demonstration cannot run here.`}>
          <span lang="en">{failure}</span>{' '}
          <Trans>Reload the page; if it happens again, use a current Chrome, Edge, Firefox or Safari.</Trans>
        </Notice>
      )}
    </section>
  );
}

function Attackers({ source: { demo } }: { source: DemoSource }) {
  const { i18n } = useLingui();
  const attacks = useStore(demo.store, (state) => state.attacks);
  return (
    <details className={styles['attackers']} open>
      <summary>
        <Trans>Let cheats take part</Trans>{' '}
        <span className="soft">
          <Plural value={attacks.size} _0="none does at present" one="# does at present" other="# do at present" />
        </span>
      </summary>
      <ul className={styles['list']}>
        {ATTACK_TEXTS.map(({ attack, name, does }) => (
          <li key={attack}>
            <label className={styles['attack']}>
              <input
                type="checkbox"
                role="switch"
                aria-describedby={`does-${attack}`}
                checked={attacks.has(attack)}
                onChange={({ target }) => demo.switchAttack(attack, target.checked)}
              />
              {i18n._(name)}
            </label>
            <p id={`does-${attack}`} className={styles['does']}>
              {i18n._(does)}
            </p>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Once the tab was in the background, where browsers give it less time. */
function HiddenNote() {
  const hidden = useSyncExternalStore(onceHidden, () => wasHidden);
  if (!hidden) return null;
  return (
    <p className="soft">
      <Trans>
        While this tab is in the background the browser may slow the peers down, so that they miss windows. Keep it in
        front to see the run as it is.
      </Trans>
    </p>
  );
}

let wasHidden = false;

function onceHidden(changed: () => void): () => void {
  const note = (): void => {
    if (!document.hidden) return;
    wasHidden = true;
    changed();
  };
  document.addEventListener('visibilitychange', note);
  return () => document.removeEventListener('visibilitychange', note);
}

function addressWithoutDemo(): string {
  const address = new URL(location.href);
  address.searchParams.delete('demo');
  return address.href;
}
