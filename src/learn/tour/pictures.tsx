/** The tour's pictures, drawn from live figures. Each says in words what it shows. */
import { Trans, useLingui } from '@lingui/react/macro';
import type { ClockState, LeaderboardEntry } from '../../../core/protocol/api.ts';
import { classes } from '../../ui/classes.ts';
import { formatDecimal, formatInteger, formatPercent } from '../../ui/format.ts';
import styles from './pictures.module.css';

const WIDTH = 320;

/** Time to train, to upload and to judge, with a mark at the present. @param nowMs the validator's time */
export function WindowPicture({ clock, nowMs }: { clock: ClockState; nowMs: number }) {
  const { t } = useLingui();
  const [opens, putOpens, putCloses] = [clock.opensAt, clock.putOpensAt, clock.putClosesAt].map((at) => Date.parse(at));
  // Judging lasts as long as it lasts: it is drawn as long as the uploads, at least as far as it has come.
  const end = Math.max(2 * putCloses! - putOpens!, nowMs);
  const x = (ms: number): number =>
    ((Math.min(Math.max(ms, opens!), end) - opens!) / Math.max(1, end - opens!)) * WIDTH;
  const window = formatInteger(clock.window);
  const parts = [
    { phase: 'train', from: opens!, to: putOpens!, name: t`train` },
    { phase: 'put', from: putOpens!, to: putCloses!, name: t`upload` },
    { phase: 'judge', from: putCloses!, to: end, name: t`judge` },
  ];
  return (
    <svg
      className={styles['picture']}
      viewBox={`0 0 ${WIDTH} 76`}
      role="img"
      aria-label={t`Window ${window} and its phases`}
    >
      {parts.map(({ phase, from, to, name }) => (
        <g key={phase}>
          <rect
            className={classes(styles['phase'], clock.phase === phase && styles['now'])}
            x={x(from) + 1}
            width={Math.max(0, x(to) - x(from) - 2)}
            y={22}
            height={24}
            rx={4}
          />
          <text className={styles['label']} x={(x(from) + x(to)) / 2} y={66}>
            {name}
          </text>
        </g>
      ))}
      <path className={styles['pointer']} d={`M${x(nowMs)} 20l-6 -10h12zM${x(nowMs)} 20V50`} />
    </svg>
  );
}

const MAX_DOTS = 120;
const DOTS_A_ROW = 20;

/** A dot for each peer; one's own is larger and ringed. */
export function PeersPicture({ peers, own }: { peers: readonly LeaderboardEntry[]; own: string | undefined }) {
  const { t } = useLingui();
  const mine = peers.find(({ hotkey }) => hotkey === own);
  const shown = [...(mine ? [mine] : []), ...peers.filter((peer) => peer !== mine)].slice(0, MAX_DOTS);
  const count = formatInteger(peers.length);
  return (
    <svg
      className={styles['picture']}
      viewBox={`0 0 ${WIDTH} ${Math.ceil(Math.max(1, shown.length) / DOTS_A_ROW) * 16 + 8}`}
      role="img"
      aria-label={mine ? t`${count} peers; one of them is this tab` : t`${count} peers`}
    >
      {shown.map(({ hotkey }, i) => (
        <circle
          key={hotkey}
          className={hotkey === own ? styles['own'] : styles['dot']}
          cx={12 + (i % DOTS_A_ROW) * 16}
          cy={12 + Math.floor(i / DOTS_A_ROW) * 16}
          r={hotkey === own ? 6.5 : 4.5}
        />
      ))}
    </svg>
  );
}

/** Two sizes as areas: everything, and what is sent of it. */
export function SizePicture({ whole, sent }: { whole: number; sent: number }) {
  const { t } = useLingui();
  const side = Math.max(2, 72 * Math.sqrt(sent / whole));
  const share = formatPercent(sent / whole);
  return (
    <svg
      className={styles['picture']}
      viewBox={`0 0 ${WIDTH} 88`}
      role="img"
      aria-label={t`What is sent is ${share} of the whole`}
    >
      <rect className={styles['phase']} x={72} y={8} width={72} height={72} rx={4} />
      <text className={styles['arrow']} x={178} y={50}>
        →
      </text>
      <rect className={styles['own']} x={212} y={80 - side} width={side} height={side} rx={Math.min(3, side / 4)} />
    </svg>
  );
}

interface BeforeAfter {
  readonly before: number;
  readonly after: number;
}

/** The loss before and after, as two slopes on one scale. */
export function LossPicture({ assigned, random }: { assigned: BeforeAfter; random: BeforeAfter }) {
  const { t } = useLingui();
  const all = [assigned.before, assigned.after, random.before, random.after];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const y = (loss: number): number => 14 + (high === low ? 0.5 : (high - loss) / (high - low)) * 60;
  const slopes = [
    { name: t`its own pages`, x: 12, ...assigned },
    { name: t`random pages`, x: 172, ...random },
  ];
  const sentence = slopes.map(
    ({ name, before, after }) => t`${name}: ${formatDecimal(before, 4)} to ${formatDecimal(after, 4)}`,
  );
  return (
    <svg className={styles['picture']} viewBox={`0 0 ${WIDTH} 108`} role="img" aria-label={sentence.join('; ')}>
      {slopes.map(({ name, x, before, after }) => (
        <g key={name}>
          <line className={styles['slope']} x1={x + 18} x2={x + 118} y1={y(before)} y2={y(after)} />
          <circle className={styles['dot']} cx={x + 18} cy={y(before)} r={5} />
          <circle className={styles['own']} cx={x + 118} cy={y(after)} r={5} />
          <text className={styles['label']} x={x + 68} y={102}>
            {name}
          </text>
        </g>
      ))}
    </svg>
  );
}

/** All weights side by side, the subject's marked. */
export function WeightsPicture({ peers, hotkey }: { peers: readonly LeaderboardEntry[]; hotkey: string }) {
  const { t } = useLingui();
  const weighted = peers.filter(({ weight }) => weight > 0);
  const starts = weighted.map((_, i) => weighted.slice(0, i).reduce((sum, { weight }) => sum + weight, 0));
  const share = formatPercent(peers.find((peer) => peer.hotkey === hotkey)?.weight ?? 0);
  if (weighted.length === 0) {
    return (
      <p className="soft">
        <Trans>Nobody has a weight yet: nobody’s score is above zero.</Trans>
      </p>
    );
  }
  return (
    <svg className={styles['picture']} viewBox={`0 0 ${WIDTH} 56`} role="img" aria-label={t`${share} of all weights`}>
      {weighted.map((peer, i) => (
        <rect
          key={peer.hotkey}
          className={peer.hotkey === hotkey ? styles['own'] : styles['phase']}
          x={starts[i]! * WIDTH + 0.5}
          width={Math.max(0.5, peer.weight * WIDTH - 1)}
          y={peer.hotkey === hotkey ? 8 : 14}
          height={peer.hotkey === hotkey ? 40 : 28}
          rx={2}
        />
      ))}
    </svg>
  );
}
