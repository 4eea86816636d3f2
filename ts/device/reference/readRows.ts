import type { Dtype } from '../../core/types.ts';
import { makeRows, type StoredRows, sliceRows, writeRows } from '../storedRows.ts';
import type { Chunk } from './scan.ts';

/** The chunk that holds row `id`; chunks lie in the order of their first rows. */
export function chunkOf<T extends { first: number }>(chunks: readonly T[], id: number): T {
  let low = 0;
  let high = chunks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (chunks[middle]!.first <= id) low = middle;
    else high = middle - 1;
  }
  return chunks[low]!;
}

/** A copy of rows `ids`. */
export function readRows(chunks: readonly Chunk[], dtype: Dtype, dim: number, ids: Uint32Array): StoredRows {
  const read = makeRows(dtype, dim, ids.length);
  ids.forEach((id, i) => {
    const { first, rows } = chunkOf(chunks, id);
    writeRows(read, i, sliceRows(rows, dim, id - first, id - first + 1), dim);
  });
  return read;
}
