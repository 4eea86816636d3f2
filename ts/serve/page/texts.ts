import type { Highlight } from '../../core/types.ts';
import { button, html } from './dom.ts';
import { head } from './head.ts';
import type { WireValue } from './wire.ts';

/** A text of which at most `limit` characters show until the reader asks for the rest. */
export function clipped(text: string, limit: number): HTMLElement {
  const whole = html('bdi', { dir: 'auto' });
  if (text.length <= limit) {
    whole.append(text);
    return whole;
  }
  const shown = document.createTextNode(head(text, limit));
  const more = button(
    'more',
    () => {
      shown.data = text;
      whole.tabIndex = -1;
      whole.focus();
      more.remove();
    },
    { class: 'link', 'aria-label': `Show more: all ${text.length} characters` },
  );
  whole.append(shown);
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

/** A value as text: degrees for points, commas between members. */
export function valueText(value: WireValue): string {
  if (value === null) return '–';
  if (Array.isArray(value)) return value.join(', ');
  if (typeof value === 'object') return `${value.lat}°, ${value.lon}°`;
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);
}

/** A timestamp as JSON carries it, by what is left out where it is zero: milliseconds, seconds, time of day. */
const TIMESTAMP = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::00(?:\.0+)?|(:\d\d(?:\.\d+)?))Z$/;

/** A value as it is shown: `2026-03-15 05:30` for a timestamp, only the day at midnight; long texts are cut. */
export function valueView(value: WireValue, limit: number): HTMLElement {
  const [whole, day, time, seconds = ''] = TIMESTAMP.exec(String(value)) ?? [];
  if (whole === undefined) return clipped(valueText(value), limit);
  const shown = time === '00:00' && seconds === '' ? day : `${day} ${time}${seconds}`;
  return html('time', { datetime: whole, title: `${whole}, which is UTC` }, shown);
}
