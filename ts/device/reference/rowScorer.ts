import { onesIn, wordsFor } from '../../core/bitset.ts';
import type { Metric } from '../../core/types.ts';
import type { StoredQueries, StoredRows } from '../storedRows.ts';
import { decodeRow, type FloatRows } from './decodeRow.ts';
import { score } from './score.ts';

/** The canonical score of row `row` of `rows` for query `query`. */
export type RowScorer = (query: number, rows: StoredRows, row: number) => number;

/** What a score means on every device, whatever form the rows have. */
export function rowScorer(metric: Metric, dim: number, queries: StoredQueries): RowScorer {
  if (queries.dtype === 'binary') {
    const width = wordsFor(dim);
    return (query, rows, row) =>
      differingBits(queries.words, query * width, (rows as typeof queries).words, row * width, width);
  }
  const decoded = new Float32Array(dim);
  return (query, rows, row) => {
    if (rows.dtype === 'f32') return score(metric, queries.values, query * dim, rows.values, row * dim, dim);
    decodeRow(rows as FloatRows, row, dim, decoded);
    return score(metric, queries.values, query * dim, decoded, 0, dim);
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
