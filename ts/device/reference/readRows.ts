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

/** A copy of rows `[ids.length, dim]`. */
export function readRows(chunks: readonly Chunk[], dim: number, ids: Uint32Array): Float32Array {
  const rows = new Float32Array(ids.length * dim);
  ids.forEach((id, i) => {
    const { first, values } = chunkOf(chunks, id);
    rows.set(values.subarray((id - first) * dim, (id - first + 1) * dim), i * dim);
  });
  return rows;
}
