import { html, svg } from './dom.ts';
import type { WireHit } from './wire.ts';

/** Rows that are shown on each side, and the height of one in CSS pixels. */
const [ROWS, ROW] = [10, 36];
const LANE = 72;

/** The best hits before ranking and after it, side by side, with a line from where each stood to where it stands. */
export function comparison(before: WireHit[], after: WireHit[]): HTMLElement {
  const was = new Map(before.map(({ id, rank }) => [id, rank]));
  const is = new Map(after.map(({ id, rank }) => [id, rank]));
  const [left, right] = [before.slice(0, ROWS), after.slice(0, ROWS)];
  const height = Math.max(left.length, right.length) * ROW;
  const middle = (rank: number): number => (rank - 0.5) * ROW;
  const moves = right.flatMap(({ id, rank }) => {
    const from = was.get(id);
    return from === undefined ? [] : [{ from, to: rank }];
  });
  const gone = left.filter(({ id }) => (is.get(id) ?? ROWS + 1) > ROWS);
  const lines = [
    ...moves.map(({ from, to }) =>
      line(Math.min(middle(from), height + ROW), middle(to), directionOf(from - to)),
    ),
    ...gone.map(({ rank }) => line(middle(rank), height + ROW, 'down')),
  ];
  return html(
    'div',
    { class: 'comparison' },
    html(
      'section',
      {},
      html('h3', {}, 'As retrieved'),
      list(left, () => undefined),
    ),
    svg(
      'svg',
      { viewBox: `0 0 ${LANE} ${height}`, preserveAspectRatio: 'none', height, 'aria-hidden': 'true' },
      ...lines,
    ),
    html(
      'section',
      {},
      html('h3', {}, 'After ranking'),
      list(right, ({ id, rank }) => badge(was.get(id), rank)),
    ),
  );
}

function list(hits: WireHit[], mark: (hit: WireHit) => HTMLElement | undefined): HTMLElement {
  const rows = hits.map((hit) =>
    html(
      'li',
      {},
      html('span', { class: 'rank', 'aria-hidden': 'true' }, String(hit.rank)),
      html('bdi', { dir: 'auto', class: 'name' }, (hit.title ?? (hit.snippet || hit.id)).slice(0, 200)),
      mark(hit),
    ),
  );
  return html('ol', {}, ...rows);
}

/** `+3`: three ranks better than before. */
function badge(from: number | undefined, to: number): HTMLElement {
  if (from === undefined) {
    return html(
      'span',
      { class: 'badge up', role: 'img', 'aria-label': 'not among those compared before' },
      'new',
    );
  }
  const change = from - to;
  const told = change === 0 ? 'same rank' : `${change > 0 ? 'up' : 'down'} ${Math.abs(change)}, was ${from}`;
  const text = change === 0 ? '=' : change > 0 ? `+${change}` : `−${-change}`;
  return html(
    'span',
    { class: `badge ${directionOf(change)}`, role: 'img', 'aria-label': told, title: told },
    text,
  );
}

const directionOf = (change: number): string => (change > 0 ? 'up' : change < 0 ? 'down' : 'same');

function line(from: number, to: number, direction: string): SVGPathElement {
  const bend = LANE / 2;
  const path = `M0 ${from} C${bend} ${from} ${bend} ${to} ${LANE} ${to}`;
  return svg('path', { d: path, class: direction });
}
