import { button, html } from './dom.ts';
import { type Choice, choose, type Filters, noFilters } from './filters.ts';
import { head } from './head.ts';
import { valueText } from './texts.ts';

const LONGEST = 60;

/** What is filtered by, each with a button that takes it away. */
export function chips(filters: Filters, change: (filters: Filters) => void): HTMLElement[] {
  const chosen = [...filters.choices].flatMap(([name, choice]) =>
    partsOf(choice).map(({ text, without }) =>
      chip(`${name}: ${text}`, () => change(choose(filters, name, without))),
    ),
  );
  const rest = filters.rest.map((clause) =>
    chip(JSON.stringify(clause), () =>
      change({ ...filters, rest: filters.rest.filter((one) => one !== clause) }),
    ),
  );
  const all = [...chosen, ...rest];
  if (all.length > 1) all.push(button('Clear all', () => change(noFilters()), { class: 'link' }));
  return all;
}

function partsOf(choice: Choice): { text: string; without: Choice }[] {
  if (choice.kind === 'values') {
    return choice.values.map((value) => ({
      text: valueText(value),
      without: { kind: 'values', values: choice.values.filter((one) => one !== value) },
    }));
  }
  const { least, most, kind } = choice;
  const text =
    most === undefined ? `from ${least}` : least === undefined ? `up to ${most}` : `${least} to ${most}`;
  return [{ text, without: { kind } }];
}

function chip(text: string, remove: () => void): HTMLButtonElement {
  const name = html('bdi', { dir: 'auto' }, head(text, LONGEST));
  const cross = html('span', { 'aria-hidden': 'true', class: 'cross' }, '×');
  return button(html('span', {}, name, cross), remove, {
    class: 'chip',
    'aria-label': `Remove filter ${head(text, 200)}`,
  });
}
