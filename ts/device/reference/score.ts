import type { Metric } from '../../core/types.ts';

/**
 * What a score means on every device: a float64 sum in index order over float32 values, rounded to float32, with
 * -0 as 0. `values` hold rows of `dim` numbers; the row begins at `row`, the query at `query`. An overflow gives
 * ±infinity; NaN never comes out of finite input.
 */
export function score(
  metric: Metric,
  queries: Float32Array,
  query: number,
  values: Float32Array,
  row: number,
  dim: number,
): number {
  return Math.fround(exactScore(metric, queries, query, values, row, dim)) + 0;
}

/**
 * The score of a row with features: `w0 * similarity + w1 * f1 + w2 * f2 + …`, each product and each sum rounded to
 * float64 in this order, the whole to float32, -0 as 0. The weights begin at `weight`, the features at `feature`.
 */
export function weightedScore(
  similarity: number,
  weights: Float32Array,
  weight: number,
  features: Float32Array,
  feature: number,
  count: number,
): number {
  let sum = weights[weight]! * similarity;
  for (let i = 0; i < count; i++) sum += weights[weight + 1 + i]! * features[feature + i]!;
  return Math.fround(sum) + 0;
}

/** The similarity or distance before it is rounded. */
export function exactScore(
  metric: Metric,
  queries: Float32Array,
  query: number,
  values: Float32Array,
  row: number,
  dim: number,
): number {
  if (metric === 'l2') {
    let sum = 0;
    for (let i = 0; i < dim; i++) {
      const difference = queries[query + i]! - values[row + i]!;
      sum += difference * difference;
    }
    return sum;
  }
  let dot = 0;
  for (let i = 0; i < dim; i++) dot += queries[query + i]! * values[row + i]!;
  if (metric === 'ip') return dot;
  const norms = norm(queries, query, dim) * norm(values, row, dim);
  return norms === 0 ? 0 : dot / norms;
}

/** Euclidean length of the `dim` numbers from `start` on. */
export function norm(values: Float32Array, start: number, dim: number): number {
  let sum = 0;
  for (let i = 0; i < dim; i++) sum += values[start + i]! * values[start + i]!;
  return Math.sqrt(sum);
}
