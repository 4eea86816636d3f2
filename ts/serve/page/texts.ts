import type { Highlight } from '../../core/types.ts';
import { button, html } from './dom.ts';
import type { WireValue } from './wire.ts';

/** A text of which at most `limit` characters show until the reader asks for the rest. */
export function clipped(text: string, limit: number): HTMLElement {
  const whole = html('bdi', { dir: 'auto' });
  if (text.length <= limit) {
    whole.append(text);
    return whole;
  }
  const end = /[\ud800-\udbff]/.test(text[limit - 1]!) ? limit - 1 : limit;
  const head = document.createTextNode(`${text.slice(0, end)}…`);
  const more = button(
    'more',
    () => {
      head.data = text;
      more.remove();
    },
    { class: 'link', 'aria-label': `Show all ${text.length} characters` },
  );
  whole.append(head);
  return html('span', {}, whole, ' ', more);
}

/** A text with ranges of it marked. */
export function highlighted(text: string, ranges: Highlight[]): HTMLElement {
  const whole = html('bdi', { dir: 'auto' });
  let at = 0;
  for (const { start, end } of ranges) {
    whole.append(text.slice(at, start), html('mark', {}, text.slice(start, end)));
    at = end;
  }
  whole.append(text.slice(at));
  return whole;
}

/** A value as text: days for timestamps at midnight, degrees for points. */
export function valueText(value: WireValue): string {
  if (value === null) return '–';
  if (Array.isArray(value)) return value.join(', ');
  if (typeof value === 'object') return `${value.lat}°, ${value.lon}°`;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'number' ? String(value) : value.replace(/T00:00(:00(\.0+)?)?Z$/, '');
}
