import { html, svg } from './dom.ts';
import { milliseconds } from './figures.ts';
import type { SearchAnswer } from './wire.ts';

const STAGES = ['wait', 'understand', 'retrieve', 'rank', 'respond'] as const;

/** Where the time went: a bar in which each stage has its share, and the figures under it. */
export function timeBar({ timings }: SearchAnswer, ranks: boolean): HTMLElement {
  const parts = STAGES.filter((stage) => ranks || stage !== 'rank').map((stage) => ({
    stage,
    ms: timings[stage],
  }));
  const whole = Math.max(
    1e-9,
    parts.reduce((sum, { ms }) => sum + ms, 0),
  );
  let at = 0;
  const segments = parts.map(({ stage, ms }) => {
    const share = (ms / whole) * 100;
    const segment = svg('rect', { x: `${at}%`, width: `${share}%`, y: 0, height: 6, class: stage });
    at += share;
    return segment;
  });
  const figures = parts.map(({ stage, ms }) =>
    html('div', {}, html('dt', { class: stage }, stage), html('dd', {}, `${milliseconds(ms)} ms`)),
  );
  return html(
    'div',
    { class: 'times' },
    svg('svg', { class: 'bar', 'aria-hidden': 'true' }, ...segments),
    html('dl', { 'aria-label': 'Time by stage' }, ...figures),
  );
}
