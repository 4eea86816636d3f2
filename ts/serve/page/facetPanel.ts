import type { AttributeType } from '../../core/types.ts';
import { button, html } from './dom.ts';
import { count } from './figures.ts';
import type { Choice, Filters } from './filters.ts';
import { head } from './head.ts';
import { rangeControls } from './rangeControls.ts';
import { valueText } from './texts.ts';
import type { FacetCounts } from './wire.ts';

/** Values of an attribute that are listed before the reader asks for more, and how many come then. */
const [FIRST, STEP] = [8, 40];
/** Attributes whose controls are unfolded from the start. */
const UNFOLDED = 6;

/** Controls for one attribute. */
export interface FacetGroup {
  name: string;
  element: HTMLDetailsElement;
  /** Whether its values can be counted. */
  countable: boolean;
  show(filters: Filters, counts: FacetCounts | undefined): void;
}

/** The controls that an index's attributes allow, in the order of their names. */
export function facetGroups(
  attributes: Record<string, AttributeType>,
  choose: (name: string, choice: Choice) => void,
): FacetGroup[] {
  const groups: FacetGroup[] = [];
  for (const [name, type] of Object.entries(attributes)) {
    const open = groups.length < UNFOLDED;
    if (type === 'number' || type === 'timestamp') groups.push(rangeGroup(name, type, open, choose));
    else if (type !== 'geo') groups.push(valueGroup(name, open, choose));
  }
  return groups;
}

function group(name: string, open: boolean, body: HTMLElement): HTMLDetailsElement {
  const label = html('bdi', { dir: 'auto' }, head(name, 60));
  return html('details', { class: 'facet', open }, html('summary', { title: head(name, 1000) }, label), body);
}

function valueGroup(name: string, open: boolean, choose: (name: string, choice: Choice) => void): FacetGroup {
  const body = html('fieldset', {}, html('legend', { class: 'hidden' }, head(name, 200)));
  const rows = html('div', { class: 'values' });
  body.append(rows);
  const element = group(name, open, body);
  let limit = FIRST;
  let [chosen, known]: [(string | boolean)[], FacetCounts] = [[], []];

  // Drawing anew leaves the focus on the value that had it.
  const drawn = new Map<HTMLInputElement, string | boolean>();
  const draw = (): void => {
    const focused = drawn.get(document.activeElement as HTMLInputElement);
    drawn.clear();
    const shown = shownValues();
    const boxes = shown.map(({ value, count: documents }) => {
      const box = html('input', { type: 'checkbox' });
      drawn.set(box, value);
      box.checked = chosen.includes(value);
      box.addEventListener('change', () => {
        const others = chosen.filter((one) => one !== value);
        choose(name, { kind: 'values', values: box.checked ? [...others, value] : others });
      });
      const label = html('bdi', { dir: 'auto', class: 'value' }, head(valueText(value), 200));
      return html('label', {}, box, label, html('span', { class: 'count' }, count(documents)));
    });
    const more =
      known.length > shown.length
        ? button(`${count(known.length - shown.length)} more`, showMore, { class: 'link' })
        : undefined;
    rows.replaceChildren(...boxes, ...(more ? [more] : []));
    if (focused !== undefined) [...drawn].find(([, value]) => value === focused)?.[0].focus();
  };
  const showMore = (): void => {
    const at = shownValues().length;
    limit += STEP;
    draw();
    rows.querySelectorAll('input')[at]?.focus();
  };
  // What is chosen is always listed, also when it is rare or has gone from the index.
  const shownValues = (): FacetCounts => {
    const head = known.slice(0, limit);
    const missing = chosen.filter((value) => !head.some((one) => one.value === value));
    return [
      ...head,
      ...missing.map((value) => known.find((one) => one.value === value) ?? { value, count: 0 }),
    ];
  };
  return {
    name,
    element,
    countable: true,
    show({ choices }, counts) {
      const choice = choices.get(name);
      chosen = choice?.kind === 'values' ? choice.values : [];
      known = counts ?? known;
      draw();
    },
  };
}

function rangeGroup(
  name: string,
  type: 'number' | 'timestamp',
  open: boolean,
  choose: (name: string, choice: Choice) => void,
): FacetGroup {
  const range = rangeControls(name, type, (choice) => choose(name, choice));
  return {
    name,
    element: group(name, open, range.element),
    countable: false,
    show: ({ choices }) => range.show(choices.get(name)),
  };
}
