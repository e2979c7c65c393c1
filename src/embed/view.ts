/** Draws the widget. By hand, since a library for it would weigh more than all the rest. */
import { t } from '@lingui/core/macro';
import { timeline } from '../run/timeline.ts';
import { curveCoordinates, lossPoints, pathOf, type LossPoint } from '../ui/curve.ts';
import { formatDecimal, formatInteger, formatPercent, UNKNOWN } from '../ui/format.ts';
import type { WidgetState } from './source.ts';

const SVG = 'http://www.w3.org/2000/svg';
const CURVE = { width: 320, height: 72, margin: 4 };
/** Rows of the table that stands for the curve. */
const MAX_ROWS = 30;

type Child = Node | string;

function element(name: string, attributes: Readonly<Record<string, string>>, ...children: Child[]): HTMLElement {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function svg(name: string, attributes: Readonly<Record<string, string>>, ...children: Node[]): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function curve(points: readonly LossPoint[]): Child[] {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) {
    return [
      element('p', { class: 'empty' }, t`No window has been published yet: the model’s loss will be drawn here.`),
    ];
  }
  const at = curveCoordinates(points, CURVE);
  const [from, to] = [formatDecimal(first.loss, 3), formatDecimal(last.loss, 3)];
  const label = t`The model’s loss: from ${from} to ${to} in window ${formatInteger(last.window)}.`;
  const end = at.at(-1)!;
  const rows = points
    .slice(-MAX_ROWS)
    .map(({ window, loss }) =>
      element(
        'tr',
        {},
        element('th', { scope: 'row' }, formatInteger(window)),
        element('td', {}, formatDecimal(loss, 3)),
      ),
    );
  return [
    svg(
      'svg',
      { viewBox: `0 0 ${CURVE.width} ${CURVE.height}`, role: 'img', 'aria-label': label, class: 'curve' },
      svg('path', { d: pathOf(at) }),
      svg('circle', { cx: String(end.x), cy: String(end.y), r: '3.5' }),
    ),
    // A table’s own height cannot be hidden.
    element(
      'div',
      { class: 'visually-hidden' },
      element(
        'table',
        {},
        element('caption', {}, t`Loss of the model`),
        element(
          'thead',
          {},
          element('tr', {}, element('th', { scope: 'col' }, t`Window`), element('th', { scope: 'col' }, t`Loss`)),
        ),
        element('tbody', {}, ...rows),
      ),
    ),
  ];
}

function figure(name: string, value: string): HTMLElement {
  return element('div', {}, element('dt', {}, name), element('dd', {}, value));
}

function figures({ clock, windows, peer }: WidgetState, points: readonly LossPoint[]): HTMLElement {
  const newest = windows.findLast(({ stateRoot }) => stateRoot !== null);
  const rank = peer?.rank == null ? t`none yet` : `#${formatInteger(peer.rank)}`;
  return element(
    'dl',
    {},
    figure(t`Window`, clock ? formatInteger(clock.window) : UNKNOWN),
    figure(t`Loss`, formatDecimal(points.at(-1)?.loss, 3)),
    figure(t`Peers`, newest?.participants == null ? UNKNOWN : formatInteger(newest.participants)),
    ...(peer === undefined
      ? []
      : [figure(t`Rank`, rank), figure(t`Weight`, peer ? formatPercent(peer.weight) : UNKNOWN)]),
  );
}

/** @returns how to draw a state into the place; the countdown alone is drawn by the second function */
export function createView(
  place: HTMLElement,
  appUrl: string,
): { readonly draw: (state: WidgetState) => void; readonly tick: (state: WidgetState, nowMs: number) => void } {
  const phase = element('p', { class: 'phase' });
  const news = element('p', { class: 'news', role: 'status' });
  const head = element('h1', {});
  const body = element('div', { class: 'body' });
  const link = element('a', { href: appUrl, target: '_blank', rel: 'noopener' });
  // Named, since the page around it has a main part of its own.
  place.setAttribute('aria-label', t`A run of Gauntlet, live`);
  place.replaceChildren(element('header', {}, head, phase), body, news, link);
  return {
    draw(state) {
      const points = lossPoints(state.windows);
      head.textContent = state.manifest?.name ?? 'Gauntlet';
      link.textContent = t`Take part in your browser`;
      news.textContent = state.reachable ? '' : t`The validator cannot be reached just now. It is asked again.`;
      body.replaceChildren(...curve(points), figures(state, points));
    },
    tick({ clock, offsetMs }, nowMs) {
      phase.textContent = clock ? timeline(clock, nowMs + offsetMs).text : t`Asking the validator`;
    },
  };
}
