import { parseTimestamp } from '../../core/timestamp.ts';

/** A field of metadata as a number: dates in milliseconds, true and false as 1 and 0; NaN for what is none of these. */
export function numberOf(value: unknown): number {
  if (typeof value === 'string') return parseTimestamp(value)?.getTime() ?? Number.NaN;
  return typeof value === 'number' || typeof value === 'boolean' ? Number(value) : Number.NaN;
}
