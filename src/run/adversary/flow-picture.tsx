/** The way into the model as four stations; each peer is a dot that lies where it was stopped. */
import { i18n } from '@lingui/core';
import { Plural, Trans, useLingui } from '@lingui/react/macro';
import { CHECK_NAMES, familyOf } from '../checks.ts';
import { PeerLink, usePeerName } from '../peer-link.tsx';
import { formatInteger, shorten } from '../../ui/format.ts';
import styles from './flow-picture.module.css';
import { STATIONS, type Flow, type FlowPeer, type Station } from './flow.ts';
import type { Kind } from './swatch.tsx';

/** More dots are a cloud that nobody can tell apart or point at. */
const MAX_DOTS = 80;

export function FlowPicture({ flow }: { flow: Flow }) {
  const { t } = useLingui();
  const { peers } = flow;
  const at = (station: Station): FlowPeer[] => peers.filter((peer) => peer.station === station);
  const stopped = (...stations: Station[]): number =>
    peers.filter(({ station, absent }) => stations.includes(station) && !absent).length;
  const arriving: Record<Station, number> = {
    door: stopped(...STATIONS),
    fast: flow.delivered,
    score: stopped('score', 'model'),
    model: stopped('model'),
  };
  const names: Record<Station, { name: string; meaning: string }> = {
    door: { name: t`Delivered`, meaning: t`Uploads of the put phase; what is late or malformed is turned away.` },
    fast: { name: t`Fast checks`, meaning: t`Form, signature and model, of every contribution.` },
    score: { name: t`Loss score`, meaning: t`Does it help? Measured for a few that are drawn.` },
    model: { name: t`Into the model`, meaning: t`The best of those that did no harm.` },
  };
  return (
    <ol className={styles['stations']} data-testid="flow">
      {STATIONS.map((station) => (
        <li key={station} data-station={station}>
          <h4>
            {names[station].name} <span className={styles['count']}>{formatInteger(arriving[station])}</span>
          </h4>
          <p className="soft">{names[station].meaning}</p>
          <Dots peers={at(station)} station={station} />
        </li>
      ))}
    </ol>
  );
}

interface Group {
  readonly kind: Kind | 'absent';
  readonly name: string;
  readonly peers: FlowPeer[];
}

function Dots({ peers, station }: { peers: readonly FlowPeer[]; station: Station }) {
  const { t } = useLingui();
  const groups = new Map<string, Group>();
  for (const peer of peers) {
    const group = groupOf(peer);
    const known = groups.get(group.name);
    if (known) known.peers.push(peer);
    else groups.set(group.name, { ...group, peers: [peer] });
  }
  if (groups.size === 0) {
    return <p className={styles['none']}>{station === 'model' ? t`Nobody.` : t`Nobody was stopped here.`}</p>;
  }
  return [...groups.values()].map(({ name, kind, peers: members }) => (
    <div key={name} className={styles['group']}>
      <p>
        <strong>{formatInteger(members.length)}</strong> {name}
      </p>
      <ul className={styles['dots']}>
        {members.slice(0, MAX_DOTS).map((peer) => (
          <li key={peer.hotkey}>
            <Dot peer={peer} kind={kind} label={name} />
          </li>
        ))}
      </ul>
      {members.length > MAX_DOTS && (
        <p className="soft">
          <Plural value={members.length - MAX_DOTS} one="and # more" other="and # more" />
        </p>
      )}
    </div>
  ));

  function groupOf({ aggregated, absent, check }: FlowPeer): Omit<Group, 'peers'> {
    if (aggregated) return { kind: 'aggregated', name: t`folded in` };
    if (absent) return { kind: 'absent', name: t`sent nothing` };
    if (!check) return { kind: 'passed', name: t`passed, not chosen` };
    const checkName = i18n._(CHECK_NAMES[check]);
    return { kind: familyOf(check).id, name: t`stopped: ${checkName}` };
  }
}

function Dot({ peer, kind, label }: { peer: FlowPeer; kind: Kind | 'absent'; label: string }) {
  const { t } = useLingui();
  const who = usePeerName(peer.hotkey) ?? shorten(peer.hotkey);
  return (
    <a
      className={styles['dot']}
      href={`#/peers/${peer.hotkey}`}
      aria-label={t`Peer ${who}: ${label}`}
      title={`${who}: ${label}`}
    >
      <span data-kind={kind} />
    </a>
  );
}

/** The same in words: who was stopped, by what and why. */
export function StoppedList({ flow }: { flow: Flow }) {
  const stopped = flow.peers.filter(({ check, absent }) => check !== undefined && !absent);
  if (stopped.length === 0) return null;
  return (
    <details>
      <summary>
        <Trans>Why each was stopped</Trans>
      </summary>
      <ul className={styles['reasons']}>
        {stopped.slice(0, MAX_DOTS).map(({ hotkey, check, reason }) => (
          <li key={hotkey}>
            <PeerLink hotkey={hotkey} /> {i18n._(CHECK_NAMES[check!])}: <span lang="en">{reason}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
