/** Lines on a canvas, drawn by uPlot, which is loaded with the first chart that has data; the same data as a table. */
import { t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import { useEffect, useRef, useState } from 'react';
import type uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { shownTheme } from '../platform/theme.ts';
import { useSignal } from '../platform/subscribable.ts';
import { formatDecimal } from './format.ts';
import { Scroller } from './scroller.tsx';
import styles from './line-chart.module.css';

export interface Series {
  readonly name: string;
  readonly colour: '--series-1' | '--series-2' | '--series-faint';
  readonly values: readonly (number | null)[];
  readonly points?: boolean;
  /** Left out of the table. */
  readonly derived?: boolean;
}

export interface LineChartProps {
  /** What it shows, in a sentence. */
  readonly description: string;
  readonly xName: string;
  readonly x: readonly number[];
  readonly series: readonly Series[];
}

const HEIGHT_PX = 220;
/** Longer tables help nobody; the newest rows are kept. */
const MAX_ROWS = 200;

/** Custom properties are text; only a used colour is resolved for the theme shown. */
function resolveColour(host: HTMLElement, property: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${property})`;
  host.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function chartOptions(host: HTMLElement, width: number, xName: string, series: readonly Series[]): uPlot.Options {
  const axis = {
    stroke: resolveColour(host, '--ink-soft'),
    grid: { stroke: resolveColour(host, '--line'), width: 1 },
    ticks: { show: false },
    font: `12px ${getComputedStyle(host).fontFamily}`,
  };
  return {
    width,
    height: HEIGHT_PX,
    scales: { x: { time: false } },
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 10, 0, 0],
    axes: [
      {
        ...axis,
        space: 60,
        size: 28,
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000],
      },
      { ...axis, size: 44, space: 36 },
    ],
    series: [
      { label: xName },
      ...series.map(({ name, colour, points = false }) => ({
        label: name,
        stroke: resolveColour(host, colour),
        width: 2,
        spanGaps: true,
        points: { show: points, size: 5, fill: resolveColour(host, colour) },
      })),
    ],
  };
}

export function LineChart({ description, xName, x, series }: LineChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const theme = useSignal(shownTheme);
  const latest = useRef<uPlot.AlignedData>([[]]);
  const data = [[...x], ...series.map(({ values }) => [...values])] as uPlot.AlignedData;
  const shape = series.map(({ name, colour }) => `${name} ${colour}`).join();

  useEffect(() => {
    latest.current = data;
    chart.current?.setData(data);
  });

  useEffect(() => {
    const element = host.current;
    if (!element) return undefined;
    let gone = false;
    const resize = new ResizeObserver(() => chart.current?.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
    void import('uplot').then(({ default: UPlot }) => {
      if (gone) return;
      chart.current = new UPlot(chartOptions(element, element.clientWidth, xName, series), latest.current, element);
      resize.observe(element);
    });
    return () => {
      gone = true;
      resize.disconnect();
      chart.current?.destroy();
      chart.current = undefined;
    };
    // The series' values are set above; only what the options depend on makes a new chart.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [theme, shape, xName]);

  return (
    <figure className={styles['figure']}>
      <div ref={host} className={styles['canvas']} role="img" aria-label={description} />
      {series.length > 1 && (
        <ul className={styles['legend']} aria-hidden>
          {series.map(({ name, colour }) => (
            <li key={name} data-colour={colour}>
              {name}
            </li>
          ))}
        </ul>
      )}
      <Numbers description={description} xName={xName} x={x} series={series} />
    </figure>
  );
}

function Numbers({ description, xName, x, series }: LineChartProps) {
  const [open, setOpen] = useState(false);
  const listed = series.filter(({ derived }) => !derived);
  const firstRow = Math.max(0, x.length - MAX_ROWS);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Trans>Show the numbers</Trans>
      </summary>
      {open && (
        <Scroller label={t`${description} The numbers.`}>
          <table>
            <thead>
              <tr>
                <th scope="col">{xName}</th>
                {listed.map(({ name }) => (
                  <th key={name} scope="col" className="number">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {x.slice(firstRow).map((at, i) => (
                <tr key={at}>
                  <td>{at}</td>
                  {listed.map(({ name, values }) => (
                    <td key={name} className="number">
                      {formatDecimal(values[firstRow + i], 4)}
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
