import type { Interval } from './bootstrap.ts';

/** A mean as people compare it: four decimals, as trec_eval prints. */
export function digits(value: number): string {
  return value.toFixed(4);
}

export function interval({ low, high }: Interval): string {
  return `[${digits(low)}, ${digits(high)}]`;
}

/** With its sign; a difference that rounds to nothing has none. */
export function difference(value: number): string {
  const text = digits(Math.abs(value));
  return Number(text) === 0 ? text : `${value > 0 ? '+' : '-'}${text}`;
}

export function pValue(p: number): string {
  return p < 0.0001 ? 'p < 0.0001' : `p = ${p.toFixed(4)}`;
}
