import { button, html, svg } from './dom.ts';
import { nameOf } from './nameOf.ts';
import type { WireHit } from './wire.ts';

/** Rows that are shown on each side. */
const ROWS = 10;
/** Width of the lane between them in its own units; heights are in rows. */
const LANE = 72;

/** What belongs to one document, on either side and between: it lights up together. */
type Pairs = Map<string, Element[]>;

/**
 * The best hits before ranking and after it, side by side, with a line from where each stood to where it stands.
 * `goTo` is called with the id of a hit whose row is pressed.
 */
export function comparison(before: WireHit[], after: WireHit[], goTo: (id: string) => void): HTMLElement {
  const was = new Map(before.map(({ id, rank }) => [id, rank]));
  const is = new Map(after.map(({ id, rank }) => [id, rank]));
  const [left, right] = [before.slice(0, ROWS), after.slice(0, ROWS)];
  const height = Math.max(left.length, right.length);
  const middle = (rank = Number.POSITIVE_INFINITY): number => Math.min(rank - 0.5, height + 1);
  const pairs: Pairs = new Map();
  const shown = new Set([...left, ...right].map(({ id }) => id));
  const lines = [...shown].flatMap((id) => {
    const [from, to] = [was.get(id), is.get(id)];
    if (from === undefined) return [];
    const path = line(middle(from), middle(to), directionOf(from, to));
    join(pairs, id, path);
    return [path];
  });
  const column = (title: string, hits: WireHit[], badge: (hit: WireHit) => HTMLElement): HTMLElement => {
    const rows = hits.map((hit) => row(hit, badge(hit), pairs, (is.get(hit.id) ?? ROWS + 1) <= ROWS && goTo));
    return html('section', {}, html('h3', {}, title), html('ol', {}, ...rows));
  };
  return html(
    'div',
    { class: 'comparison' },
    column('As retrieved', left, ({ id, rank }) => wentTo(rank, is.get(id))),
    html(
      'div',
      { class: 'lane', 'aria-hidden': 'true' },
      svg('svg', { viewBox: `0 0 ${LANE} ${height}`, preserveAspectRatio: 'none' }, ...lines),
    ),
    column('After ranking', right, ({ id, rank }) => cameFrom(was.get(id), rank)),
  );
}

function row(
  hit: WireHit,
  badge: HTMLElement,
  pairs: Pairs,
  goTo: ((id: string) => void) | false,
): HTMLElement {
  const text = nameOf(hit);
  const name = html('bdi', { dir: 'auto', class: 'name' }, text);
  const element = html(
    'li',
    { title: text },
    html('span', { class: 'rank', 'aria-hidden': 'true' }, String(hit.rank)),
    goTo === false ? name : button(name, () => goTo(hit.id), { class: 'go' }),
    badge,
  );
  join(pairs, hit.id, element);
  const light = (on: boolean): void => {
    for (const one of pairs.get(hit.id)!) one.classList.toggle('lit', on);
  };
  for (const type of ['pointerenter', 'focusin']) element.addEventListener(type, () => light(true));
  for (const type of ['pointerleave', 'focusout']) element.addEventListener(type, () => light(false));
  return element;
}

function join(pairs: Pairs, id: string, element: Element): void {
  pairs.set(id, [...(pairs.get(id) ?? []), element]);
}

/** `→ 14`: the rank after ranking. */
function wentTo(from: number, to: number | undefined): HTMLElement {
  if (to === undefined) return badge('gone', '→ –', 'no longer among those compared');
  return badge('', `→ ${to}`, from === to ? 'stays at this rank' : `goes to rank ${to}`);
}

/** `+3`: three ranks better than before. */
function cameFrom(from: number | undefined, to: number): HTMLElement {
  if (from === undefined) return badge('up', 'new', 'not among those compared before');
  const change = from - to;
  const told = change === 0 ? 'same rank' : `${change > 0 ? 'up' : 'down'} ${Math.abs(change)}, was ${from}`;
  return badge(directionOf(from, to), change === 0 ? '=' : change > 0 ? `+${change}` : `−${-change}`, told);
}

const badge = (kind: string, text: string, told: string): HTMLElement =>
  html('span', { class: `badge ${kind}`, role: 'img', 'aria-label': told }, text);

const directionOf = (from: number, to = Number.POSITIVE_INFINITY): string =>
  to < from ? 'up' : to > from ? 'down' : 'same';

function line(from: number, to: number, direction: string): SVGPathElement {
  const bend = LANE / 2;
  const path = `M0 ${from} C${bend} ${from} ${bend} ${to} ${LANE} ${to}`;
  return svg('path', { d: path, class: direction });
}
