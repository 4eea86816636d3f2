import { meanAndDeviation } from './meanAndDeviation.ts';

/** Deviation, as a share of the largest value, from which values count as different. */
const LEAST_SPREAD = 1e-9;

/**
 * Mean and population standard deviation of numbers that differ; undefined if there are none, if all are the same but for
 * what equal numbers seem to differ by once they are added up, or if they are too large to tell.
 */
export function spreadOf(values: readonly number[]): { mean: number; deviation: number } | undefined {
  const { mean, deviation } = meanAndDeviation(values);
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return deviation > LEAST_SPREAD * largest && Number.isFinite(deviation) ? { mean, deviation } : undefined;
}
