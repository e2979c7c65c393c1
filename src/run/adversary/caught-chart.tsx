/** Contributions by what became of them, a bar a window; the bars are one slider, so that keys and clicks choose a window. */
import { i18n } from '@lingui/core';
import { Plural, Trans, useLingui } from '@lingui/react/macro';
import { useState, type KeyboardEvent, type PointerEvent } from 'react';
import { FAMILIES } from '../checks.ts';
import { formatInteger } from '../../ui/format.ts';
import { Scroller } from '../../ui/scroller.tsx';
import styles from './caught-chart.module.css';
import { Swatch, type Kind } from './swatch.tsx';
import type { Column } from './tally.ts';

const KINDS: readonly Kind[] = ['aggregated', 'passed', ...FAMILIES.map(({ id }) => id)];

const countOf = (column: Column, kind: Kind): number =>
  kind === 'aggregated' || kind === 'passed' ? column[kind] : column.caught[kind];

export interface CaughtChartProps {
  /** At least one, ascending. */
  readonly columns: readonly Column[];
  readonly chosen: number;
  readonly onChoose: (window: number) => void;
}

export function CaughtChart({ columns, chosen, onChoose }: CaughtChartProps) {
  const { t } = useLingui();
  const highest = Math.max(1, ...columns.map(({ total }) => total));
  const [first, last] = [columns[0]!.from, columns.at(-1)!.to];
  const at = columns.find(({ from, to }) => from <= chosen && chosen <= to) ?? columns.at(-1)!;
  const shown = KINDS.filter((kind) => kind === 'aggregated' || columns.some((column) => countOf(column, kind) > 0));

  function onKeyDown(event: KeyboardEvent): void {
    const steps: Partial<Record<string, number>> = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };
    const jumps: Partial<Record<string, number>> = { Home: first, End: last };
    const step = steps[event.key];
    const target = step === undefined ? jumps[event.key] : Math.min(last, Math.max(first, chosen + step));
    if (target === undefined) return;
    event.preventDefault();
    onChoose(target);
  }

  function onPointerDown(event: PointerEvent<HTMLDivElement>): void {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const column = columns[Math.floor(((event.clientX - left) / width) * columns.length)];
    if (column) onChoose(column.to);
  }

  return (
    <figure className={styles['figure']}>
      <div
        className={styles['bars']}
        role="slider"
        tabIndex={0}
        data-testid="caught-chart"
        aria-label={t`Window whose contributions are shown below`}
        aria-valuemin={first}
        aria-valuemax={last}
        aria-valuenow={chosen}
        aria-valuetext={describe(at)}
        onKeyDown={onKeyDown}
        onPointerDown={onPointerDown}
      >
        {columns.map((column) => (
          <span key={column.from} className={styles['bar']} data-chosen={column === at || undefined}>
            {KINDS.map((kind) => {
              const count = countOf(column, kind);
              const height = `${(100 * count) / highest}%`;
              return count > 0 && <span key={kind} className={styles['part']} data-kind={kind} style={{ height }} />;
            })}
          </span>
        ))}
      </div>
      <p className={styles['axis']} aria-hidden>
        <span>{formatInteger(first)}</span>
        <span>
          <Trans>window</Trans>
        </span>
        <span>{formatInteger(last)}</span>
      </p>
      <ul className={styles['legend']}>
        {shown.map((kind) => (
          <li key={kind}>
            <Swatch kind={kind} /> <KindName kind={kind} />
          </li>
        ))}
      </ul>
      <Numbers columns={columns} kinds={shown} />
    </figure>
  );

  function describe({ from, to, ...column }: Column): string {
    const parts = KINDS.flatMap((kind) => {
      const count = countOf({ from, to, ...column }, kind);
      return count > 0 ? [`${kindName(kind)}: ${formatInteger(count)}`] : [];
    }).join(', ');
    const nothing = t`nobody delivered`;
    return from === to ? t`Window ${to}. ${parts || nothing}` : t`Windows ${from} to ${to}. ${parts || nothing}`;
  }

  function kindName(kind: Kind): string {
    if (kind === 'aggregated') return t`in the model`;
    if (kind === 'passed') return t`passed, not chosen`;
    return i18n._(FAMILIES.find(({ id }) => id === kind)!.name);
  }
}

function KindName({ kind }: { kind: Kind }) {
  if (kind === 'aggregated') return <Trans>in the model</Trans>;
  if (kind === 'passed') return <Trans>passed, not chosen</Trans>;
  return i18n._(FAMILIES.find(({ id }) => id === kind)!.name);
}

/** Longer tables help nobody; the newest rows are kept. */
const MAX_ROWS = 200;

function Numbers({ columns, kinds }: { columns: readonly Column[]; kinds: readonly Kind[] }) {
  const { t } = useLingui();
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Trans>Show the numbers</Trans>
      </summary>
      {open && (
        <Scroller label={t`What became of the contributions, by window`}>
          <table>
            <thead>
              <tr>
                <th scope="col">
                  <Plural value={columns[0]!.to - columns[0]!.from + 1} one="Window" other="Windows" />
                </th>
                {kinds.map((kind) => (
                  <th key={kind} scope="col" className="number">
                    <KindName kind={kind} />
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {columns.slice(-MAX_ROWS).map((column) => (
                <tr key={column.from}>
                  <th scope="row">{column.from === column.to ? column.to : `${column.from}–${column.to}`}</th>
                  {kinds.map((kind) => (
                    <td key={kind} className="number">
                      {formatInteger(countOf(column, kind))}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroller>
      )}
    </details>
  );
}
