import { html } from './dom.ts';
import type { Choice } from './filters.ts';
import { head } from './head.ts';

/** A day changes with every digit of it: it counts after this pause, on Enter, or when the box is left. */
const DAY_PAUSE_MS = 700;

/** Two boxes for the ends of a range of numbers or of days. */
export interface RangeControls {
  element: HTMLElement;
  /** Shows what is chosen, except in a box that is being written in. */
  show(choice: Choice | undefined): void;
}

export function rangeControls(
  name: string,
  type: 'number' | 'timestamp',
  choose: (choice: Choice) => void,
): RangeControls {
  const days = type === 'timestamp';
  const box = (end: string): HTMLInputElement =>
    html('input', {
      'aria-label': `${head(name, 200)}, ${end}`,
      ...(days
        ? { type: 'date', min: '1000-01-01', max: '9999-12-30' }
        : { type: 'number', step: 'any', placeholder: end }),
    });
  const [least, most] = days ? [box('from, UTC'), box('to, UTC')] : [box('min'), box('max')];
  const hint = html('p', { class: 'trouble', role: 'status' });
  let pause: ReturnType<typeof setTimeout> | undefined;
  let told = '';

  const check = (): boolean => {
    const crossed = days
      ? most.value !== '' && least.value > most.value
      : least.valueAsNumber > most.valueAsNumber;
    most.setCustomValidity(crossed ? 'Nothing lies in this range: its end comes before its beginning.' : '');
    // Or what the browser says of values that are out of bounds, or none at all.
    hint.textContent = least.validationMessage || most.validationMessage;
    return least.validity.valid && most.validity.valid;
  };
  const read = (): void => {
    clearTimeout(pause);
    if (!check() || told === `${least.value} ${most.value}`) return;
    told = `${least.value} ${most.value}`;
    if (days) choose({ kind: 'dates', least: least.value || undefined, most: most.value || undefined });
    else choose({ kind: 'numbers', least: numberOf(least), most: numberOf(most) });
  };
  const readSoon = (): void => {
    clearTimeout(pause);
    pause = setTimeout(read, DAY_PAUSE_MS);
  };
  for (const one of [least, most]) {
    one.addEventListener('change', days ? readSoon : read);
    one.addEventListener('blur', read);
    one.addEventListener('keydown', ({ key }) => {
      if (key === 'Enter') read();
    });
  }

  const element = days
    ? html(
        'div',
        { class: 'range days' },
        html('label', {}, html('span', {}, 'From'), least),
        html('label', {}, html('span', {}, 'To'), most),
        html('p', { class: 'quiet' }, 'Days in UTC, both included'),
        hint,
      )
    : html('div', { class: 'range' }, least, html('span', {}, 'to'), most, hint);
  return {
    element,
    show(choice) {
      const { least: from = '', most: to = '' } =
        choice === undefined || choice.kind === 'values' ? {} : choice;
      if (document.activeElement !== least) least.value = String(from);
      if (document.activeElement !== most) most.value = String(to);
      told = `${from} ${to}`;
      check();
    },
  };
}

const numberOf = ({ value }: HTMLInputElement): number | undefined =>
  value === '' ? undefined : Number(value);
