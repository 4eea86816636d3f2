import { html } from './dom.ts';
import { score } from './figures.ts';
import { clipped } from './texts.ts';

const LONGEST = 400;

/** Any JSON as nested lists of names and values: what the server explains, with the names that it gives. */
export function explanationView(value: unknown): HTMLElement {
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item !== 'object' || item === null)) {
      return clipped(value.length === 0 ? 'none' : value.map(plain).join(', '), LONGEST);
    }
    return html('ol', {}, ...value.map((item) => html('li', {}, explanationView(item))));
  }
  if (typeof value !== 'object' || value === null) return clipped(plain(value), LONGEST);
  const range = rangeText(value);
  if (range !== undefined) return html('span', {}, range);
  const rows = Object.entries(value).map(([name, field]) => {
    const nested = typeof field === 'object' && field !== null && rangeText(field) === undefined;
    return html(
      'div',
      { class: nested && !isFlat(field) ? 'nested' : undefined },
      html('dt', {}, words(name)),
      html('dd', {}, explanationView(field)),
    );
  });
  return html('dl', { class: 'explanation' }, ...rows);
}

const isFlat = (value: object): boolean =>
  Array.isArray(value) && value.every((item) => typeof item !== 'object' || item === null);

/** `{ start, end }` alone is a range of characters. */
function rangeText(value: object): string | undefined {
  const { start, end } = value as { start?: unknown; end?: unknown };
  const isRange = Object.keys(value).length === 2 && typeof start === 'number' && typeof end === 'number';
  return isRange ? `${start} to ${end}` : undefined;
}

function plain(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : score(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return value === null ? '–' : String(value);
}

/** `queryTruncated` → `query truncated`. */
const words = (name: string): string => name.replace(/([a-z\d])([A-Z])/g, '$1 $2').toLowerCase();
