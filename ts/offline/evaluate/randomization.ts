import { random } from '../../core/random.ts';
import { RESAMPLES } from './bootstrap.ts';

export interface Randomization {
  /** Two-sided. */
  p: number;
  /** Whether all assignments of signs were counted, not a sample of them. */
  exact: boolean;
}

/** Up to so many differences that are not 0, all assignments of signs are counted: half a million at most. */
const EXACT_UP_TO = 20;

/**
 * Paired randomisation test: the share of assignments of signs to `differences` `[queries]` whose mean is at least
 * as far from 0 as the one seen. Beyond 20 differences that are not 0, 10,000 assignments are drawn, and the one
 * seen is counted among them, so that p is never 0.
 */
export function randomization(differences: Float64Array, seed = 0): Randomization {
  const changed = differences.filter((difference) => difference !== 0);
  let [seen, scale] = [0, 0];
  for (const difference of changed) {
    seen += difference;
    scale += Math.abs(difference);
  }
  // Sums of the same numbers in another order differ by rounding; they are equal all the same.
  const threshold = Math.abs(seen) - 1e-12 * scale;
  if (changed.length <= EXACT_UP_TO) return { p: exactShare(changed, threshold), exact: true };

  const { below } = random(seed);
  let reached = 1;
  for (let draw = 0; draw < RESAMPLES; draw++) {
    let sum = 0;
    let signs = 0;
    for (let i = 0; i < changed.length; i++) {
      if (i % 32 === 0) signs = below(2 ** 32) | 0;
      sum += signs & 1 ? changed[i]! : -changed[i]!;
      signs >>>= 1;
    }
    if (sum >= threshold || sum <= -threshold) reached++;
  }
  return { p: reached / (RESAMPLES + 1), exact: false };
}

/** The first sign is held: turning all signs round changes nothing in a two-sided test. */
function exactShare(values: Float64Array, threshold: number): number {
  let sums = Float64Array.of(values[0] ?? 0);
  for (const value of values.subarray(1)) {
    const next = new Float64Array(2 * sums.length);
    next.set(sums.map((sum) => sum + value));
    next.set(
      sums.map((sum) => sum - value),
      sums.length,
    );
    sums = next;
  }
  return sums.filter((sum) => sum >= threshold || sum <= -threshold).length / sums.length;
}
