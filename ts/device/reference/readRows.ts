import type { UploadOptions } from '../device.ts';
import { makeRows, type StoredBatch, sliceRows, writeRows } from '../storedRows.ts';
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
export function readRows(
  chunks: readonly Chunk[],
  { dtype, dim, features: width = 0 }: UploadOptions,
  ids: Uint32Array,
): StoredBatch {
  const read = { rows: makeRows(dtype, dim, ids.length), features: new Float32Array(ids.length * width) };
  ids.forEach((id, i) => {
    const { first, rows, features } = chunkOf(chunks, id);
    const row = id - first;
    writeRows(read.rows, i, sliceRows(rows, dim, row, row + 1), dim);
    read.features.set(features.subarray(row * width, (row + 1) * width), i * width);
  });
  return read;
}
