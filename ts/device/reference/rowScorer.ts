import { onesIn, wordsFor } from '../../core/bitset.ts';
import type { Metric } from '../../core/types.ts';
import type { AskedQueries } from '../device.ts';
import type { StoredBatch, StoredQueries } from '../storedRows.ts';
import { decodeRow, type FloatRows } from './decodeRow.ts';
import { exactScore, score, weightedScore } from './score.ts';

/** The canonical score of row `row` of `batch` for query `query`. */
export type RowScorer = (query: number, batch: StoredBatch, row: number) => number;

/** What a score means on every device, whatever form the rows have. */
export function rowScorer(metric: Metric, dim: number, { queries, q, weights }: AskedQueries): RowScorer {
  if (queries.dtype === 'binary') {
    const width = wordsFor(dim);
    return (query, { rows }, row) =>
      differingBits(queries.words, query * width, (rows as typeof queries).words, row * width, width);
  }
  if (weights === undefined) return numberScorer(score, metric, dim, queries);
  const similarity = numberScorer(exactScore, metric, dim, queries);
  const width = weights.length / q;
  return (query, batch, row) => {
    const exact = similarity(query, batch, row);
    return weightedScore(exact, weights, query * width, batch.features, row * (width - 1), width - 1);
  };
}

/** `of` the numbers of a query and a row that are not bits. */
export function numberScorer(
  of: typeof score,
  metric: Metric,
  dim: number,
  queries: StoredQueries,
): RowScorer {
  const { values } = queries as Extract<StoredQueries, { dtype: 'f32' }>;
  const decoded = new Float32Array(dim);
  return (query, { rows }, row) => {
    if (rows.dtype === 'f32') return of(metric, values, query * dim, rows.values, row * dim, dim);
    decodeRow(rows as FloatRows, row, dim, decoded);
    return of(metric, values, query * dim, decoded, 0, dim);
  };
}

function differingBits(
  a: Uint32Array,
  startA: number,
  b: Uint32Array,
  startB: number,
  width: number,
): number {
  let total = 0;
  for (let i = 0; i < width; i++) total += onesIn(a[startA + i]! ^ b[startB + i]!);
  return total;
}
