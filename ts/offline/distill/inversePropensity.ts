export interface WeightedReward {
  /** How often, or how much. */
  reward: number;
  /** Times that it was observed. */
  count: number;
  /** Probability that it could be observed, above 0. */
  propensity: number;
  /** Probability that it would be observed in what is estimated: 1 where that is everything. */
  target: number;
}

export interface Estimate {
  /** Inverse propensity scoring: unbiased, of large variance where propensities are small. */
  ips: number;
  /** Self-normalised (A. Swaminathan, T. Joachims, 2015): slightly biased, of less variance, never beyond the rewards. */
  snips: number;
  /** Standard error of `ips`, from the variance of the weighted rewards of single observations. */
  error: number;
}

/**
 * Mean reward of what was not logged, from what was: each observation counts `target / propensity` times, at most `most`
 * times (clipping trades variance for bias).
 */
export function inversePropensity(
  observed: readonly WeightedReward[],
  most = Number.POSITIVE_INFINITY,
): Estimate {
  let [count, sum, squares, weights] = [0, 0, 0, 0];
  for (const { reward, count: times, propensity, target } of observed) {
    const weight = Math.min(most, target / propensity);
    count += times;
    sum += weight * reward;
    squares += weight * weight * reward;
    weights += weight * times;
  }
  const ips = count > 0 ? sum / count : 0;
  const variance = count > 1 ? Math.max(0, squares / count - ips * ips) / (count - 1) : 0;
  return { ips, snips: weights > 0 ? sum / weights : 0, error: Math.sqrt(variance) };
}
