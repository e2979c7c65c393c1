/** The report as one page that needs no network and no script. */
import type { Conclusions, Finding, Plot, Table } from '../experiments/study.ts';
import { escapeHtml } from './escape.ts';
import { STYLE } from './style.ts';
import { plotSvg } from './svg.ts';

export interface ReportSection extends Conclusions {
  readonly name: string;
  readonly title: string;
  readonly asks: string;
}

export interface Report {
  readonly command: string;
  readonly seed: string;
  /** ISO 8601 */
  readonly date: string;
  /** Null outside of a checkout. */
  readonly commit: string | null;
  readonly machine: string;
  readonly seconds: number;
  readonly sections: readonly ReportSection[];
}

const VERDICTS = { true: 'agrees', false: 'does not agree', null: 'no claim' } as const;

function finding({ agrees, text }: Finding): string {
  const verdict = VERDICTS[String(agrees) as keyof typeof VERDICTS];
  return `<li><strong class="verdict ${verdict.replaceAll(' ', '-')}">${verdict}</strong> ${escapeHtml(text)}</li>`;
}

function table({ title, columns, rows }: Table): string {
  const cell = (value: string | number | null): string =>
    `<td${typeof value === 'number' ? ' class="number"' : ''}>${escapeHtml(String(value ?? '–'))}</td>`;
  return [
    `<div class="scroll" tabindex="0" role="region" aria-label="${escapeHtml(title)}"><table><caption>${escapeHtml(title)}</caption>`,
    `<thead><tr>${columns.map((column) => `<th scope="col">${escapeHtml(column)}</th>`).join('')}</tr></thead>`,
    `<tbody>${rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n')}</tbody></table></div>`,
  ].join('\n');
}

/** The points of a plot: a row for each place on the x axis, a column for each series. */
export function plotTable({ title, x, series }: Plot): Table {
  const places = [...new Set(series.flatMap(({ points }) => points.map(([at]) => at)))].sort((a, b) => a - b);
  return {
    title,
    columns: [x, ...series.map(({ label }) => label)],
    rows: places.map((place) => [
      place,
      ...series.map(({ points }) => {
        const found = points.find(([at]) => at === place);
        return found ? Number(found[1].toPrecision(6)) : null;
      }),
    ]),
  };
}

function section({ name, title, asks, findings, plots, tables }: ReportSection): string {
  return [
    `<section id="${name}"><h2>${escapeHtml(title)}</h2><p class="asks">${escapeHtml(asks)}</p>`,
    `<ul class="findings">${findings.map(finding).join('\n')}</ul>`,
    tables.map(table).join('\n'),
    `<div class="plots">${plots.map((plot) => `<figure><figcaption>${escapeHtml(plot.title)}</figcaption>${plotSvg(plot)}</figure>`).join('\n')}</div>`,
    plots.length === 0
      ? ''
      : `<details><summary>Data</summary>${plots.map((plot) => table(plotTable(plot))).join('\n')}</details>`,
    '</section>',
  ].join('\n');
}

export function reportHtml(report: Report): string {
  const { command, seed, date, commit, machine, seconds, sections } = report;
  // In a script element only "<" could end it; JSON may write it otherwise.
  const data = JSON.stringify(report).replaceAll('<', '\\u003c');
  const facts = [
    ['Command', command],
    ['Seed', seed],
    ['Date', `${date.slice(0, 16).replace('T', ' ')} UTC`],
    ['Commit', commit ?? 'not in a checkout'],
    ['Machine', machine],
    ['Took', `${Math.round(seconds / 6) / 10} minutes`],
  ];
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Gauntlet: experiments</title>',
    `<style>${STYLE}</style></head><body><main>`,
    '<h1>Gauntlet: experiments</h1>',
    '<p>Whole runs of the production validator and contributor in virtual time, on small models. Every verdict below is computed from the numbers beside it.</p>',
    `<dl>${facts.map(([term, value]) => `<div><dt>${term!}</dt><dd>${escapeHtml(value!)}</dd></div>`).join('')}</dl>`,
    `<nav aria-label="Experiments"><ol>${sections.map(({ name, title }) => `<li><a href="#${name}">${escapeHtml(title)}</a></li>`).join('')}</ol></nav>`,
    ...sections.map(section),
    `</main><script type="application/json" id="data">${data}</script></body></html>`,
  ].join('\n');
}
