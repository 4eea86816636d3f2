const WHOLE = new Intl.NumberFormat('en');

/** `117,791`. */
export const count = (value: number): string => WHOLE.format(value);

/** `1 document`, `2 documents`. */
export const plural = (value: number, noun: string): string =>
  `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

/** Milliseconds, without their unit: `0.04`, `3.1`, `128`. */
export const milliseconds = (value: number): string =>
  value >= 100 ? String(Math.round(value)) : value >= 1 ? value.toFixed(1) : value.toFixed(2);

/** A score in three significant digits, with a true minus. */
export const score = (value: number): string => value.toPrecision(3).replace('-', '−');
