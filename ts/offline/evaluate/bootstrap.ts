import { random } from '../../core/random.ts';

export interface Interval {
  low: number;
  high: number;
}

export const RESAMPLES = 10_000;
export const LEVEL = 0.95;

/**
 * Percentile bootstrap intervals (95 %) of the means of `columns`, each `[queries]`: 10,000 times as many queries
 * are drawn with replacement, the same ones for every column. The same seed gives the same intervals.
 */
export function bootstrap(columns: Float64Array[], seed = 0): Interval[] {
  const queries = columns[0]?.length ?? 0;
  const { below } = random(seed);
  const means = columns.map(() => new Float64Array(RESAMPLES));
  const drawn = new Uint32Array(queries);
  for (let resample = 0; resample < RESAMPLES; resample++) {
    for (let i = 0; i < queries; i++) drawn[i] = below(queries);
    for (const [c, column] of columns.entries()) {
      let sum = 0;
      for (let i = 0; i < queries; i++) sum += column[drawn[i]!]!;
      means[c]![resample] = sum / queries;
    }
  }
  return means.map((sample) => {
    sample.sort();
    return { low: quantile(sample, (1 - LEVEL) / 2), high: quantile(sample, (1 + LEVEL) / 2) };
  });
}

/** Of sorted values, with linear interpolation. */
function quantile(sorted: Float64Array, q: number): number {
  const place = q * (sorted.length - 1);
  const below = Math.floor(place);
  const [low, high] = [sorted[below]!, sorted[Math.min(below + 1, sorted.length - 1)]!];
  return low + (place - below) * (high - low);
}
