/** A line plot as SVG text. Colours and type are the page's: classes and custom properties, so that both themes work. */
import type { Plot } from '../experiments/study.ts';
import { escapeHtml } from './escape.ts';

const WIDTH = 460;
const HEIGHT = 270;
const MARGIN = { top: 14, bottom: 46, left: 62 };
/** Of a letter of a label, at most. */
const LETTER_WIDTH = 8;
/** Least distance of two labels, in the plot's units. */
const LABEL_HEIGHT = 15;
const MARKS = 24;

/** About `count` round numbers from `low` to `high`. */
export function ticks(low: number, high: number, count: number): number[] {
  const span = high - low || 1;
  const power = 10 ** Math.floor(Math.log10(span / count));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((width) => span / width <= count)!;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** Moves labels apart that would overlap, downwards. @param wanted heights @returns in the same order */
export function spread(wanted: readonly number[], least: number, highest: number): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]!);
  const placed = [...wanted];
  order.forEach((at, place) => {
    const above = order[place - 1];
    if (above !== undefined) placed[at] = Math.max(placed[at]!, placed[above]! + least);
  });
  const over = Math.max(0, Math.max(...placed) - highest);
  return placed.map((y) => y - over);
}

/** Logarithms of the powers of ten from `low` to `high`, every second or third where there are many; of 2 and 5 too where few. */
function decades(low: number, high: number, count: number): number[] {
  const powers = Array.from({ length: Math.floor(high) - Math.floor(low) + 1 }, (_, i) => Math.floor(low) + i);
  const every = Math.ceil(powers.length / count);
  const digits = high - low < 2 ? [1, 2, 5] : [1];
  return powers
    .filter((_, i) => i % every === 0)
    .flatMap((power) => digits.map((digit) => power + Math.log10(digit)))
    .filter((mark) => mark >= low && mark <= high);
}

/** 10, 1,000, 0.02; from 100,000 on 10⁵. */
function decadeLabel(mark: number): string {
  const power = Math.floor(mark + 1e-9);
  const digit = Math.round(10 ** (mark - power));
  if (power < 6)
    return Number((digit * 10 ** power).toPrecision(1)).toLocaleString('en', { maximumFractionDigits: 10 });
  const raised = String(power).replace(/\d/g, (one) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(one)]!);
  return `${digit === 1 ? '' : `${digit} · `}10${raised}`;
}

function extent(values: readonly number[]): [low: number, high: number] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const pad = low === high ? 1 : 0;
  return [low - pad, high + pad];
}

export function plotSvg({ title, x, y, series, logarithmic = false }: Plot): string {
  const scaled = (value: number): number => (logarithmic ? Math.log10(value) : value);
  const shown = series
    .filter(({ points }) => points.length > 0)
    .map(({ label, points }) => ({ label, points: points.map(([at, value]) => [scaled(at), scaled(value)] as const) }));
  const marksOf = logarithmic ? decades : ticks;
  const labelOf = logarithmic ? decadeLabel : String;
  const points = shown.flatMap((one) => one.points);
  if (points.length === 0) return '<p>Nothing was measured.</p>';
  const [left, right] = extent(points.map(([at]) => at));
  const [lowest, highest] = extent(points.map(([, value]) => value));
  const pad = (highest - lowest) * 0.05;
  const [bottom, top] = [lowest - pad, highest + pad];
  const labelWidth = 14 + LETTER_WIDTH * Math.max(...shown.map(({ label }) => label.length));
  const inner = { width: WIDTH - MARGIN.left - labelWidth, height: HEIGHT - MARGIN.top - MARGIN.bottom };
  const px = (at: number): number => MARGIN.left + ((at - left) / (right - left)) * inner.width;
  const py = (value: number): number => MARGIN.top + (1 - (value - bottom) / (top - bottom)) * inner.height;
  const n = (value: number): string => value.toFixed(1);
  const floor = MARGIN.top + inner.height;

  const grid = [
    ...marksOf(bottom, top, 6).map(
      (value) =>
        `<line class="grid" x1="${MARGIN.left}" x2="${MARGIN.left + inner.width}" y1="${n(py(value))}" y2="${n(py(value))}"/>` +
        `<text class="tick" x="${MARGIN.left - 8}" y="${n(py(value) + 4)}" text-anchor="end">${labelOf(value)}</text>`,
    ),
    ...marksOf(left, right, 8).map(
      (at) => `<text class="tick" x="${n(px(at))}" y="${floor + 18}" text-anchor="middle">${labelOf(at)}</text>`,
    ),
  ];
  const labels = spread(
    shown.map((one) => py(one.points.at(-1)![1])),
    LABEL_HEIGHT,
    floor,
  );
  const lines = shown.map((one, i) => {
    const path = one.points.map(([at, value], j) => `${j === 0 ? 'M' : 'L'}${n(px(at))} ${n(py(value))}`).join('');
    const [lastX, lastY] = one.points.at(-1)!;
    const marks =
      one.points.length > MARKS
        ? ''
        : one.points.map(([at, value]) => `<circle cx="${n(px(at))}" cy="${n(py(value))}" r="2.5"/>`).join('');
    return (
      `<g class="series s${i % 8}"><path d="${path}"/>${marks}` +
      `<path class="leader" d="M${n(px(lastX))} ${n(py(lastY))}L${MARGIN.left + inner.width + 8} ${n(labels[i]!)}"/>` +
      `<text x="${MARGIN.left + inner.width + 11}" y="${n(labels[i]! + 4)}">${escapeHtml(one.label)}</text></g>`
    );
  });
  const middle = MARGIN.top + inner.height / 2;
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(`${title}: ${y} against ${x}`)}">`,
    ...grid,
    `<line class="axis" x1="${MARGIN.left}" x2="${MARGIN.left + inner.width}" y1="${floor}" y2="${floor}"/>`,
    `<text class="label" x="${MARGIN.left + inner.width / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escapeHtml(x)}</text>`,
    `<text class="label" transform="translate(14 ${middle}) rotate(-90)" text-anchor="middle">${escapeHtml(y)}</text>`,
    ...lines,
    '</svg>',
  ].join('\n');
}
