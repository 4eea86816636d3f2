import { hasBit } from '../../core/bitset.ts';
import { lowerBound } from '../../core/lowerBound.ts';
import type { Metric } from '../../core/types.ts';
import type { Found, SearchTask } from '../device.ts';
import { pacer } from '../pacer.ts';
import { countRows, type StoredBatch } from '../storedRows.ts';
import { isDistance } from '../topK.ts';
import { BestRows } from './bestRows.ts';
import { rowScorer } from './rowScorer.ts';

/** Rows that were appended together, the first of them with the id `first`. */
export interface Chunk extends StoredBatch {
  first: number;
}

/** Numbers scored between two looks at the clock. */
const NUMBERS_PER_BLOCK = 1 << 16;

/** Rows of `dim` numbers scored between two looks at the clock. */
export const rowsPerBlock = (dim: number): number => Math.ceil(NUMBERS_PER_BLOCK / dim);

/** The meaning of exact search: score every allowed row, keep the k best. */
export async function scan(
  chunks: readonly Chunk[],
  dim: number,
  metric: Metric,
  task: SearchTask,
): Promise<Found> {
  const { q, k, count, allowed, rows: listed, signal } = task;
  const found: Found = { ids: new Uint32Array(q * k), scores: new Float32Array(q * k) };
  const pause = pacer(signal);
  const score = rowScorer(metric, dim, task);
  const block = rowsPerBlock(dim);
  for (let query = 0; query < q; query++) {
    const best = new BestRows(k, isDistance(metric));
    for (const chunk of chunks) {
      const { first } = chunk;
      const end = Math.min(first + countRows(chunk.rows, dim), count);
      // Rows, or their places in the list.
      const [from, to] =
        listed === undefined ? [first, end] : [lowerBound(listed, first), lowerBound(listed, end)];
      for (let i = from; i < to; i++) {
        if ((i - from) % block === 0) await pause();
        const id = listed?.[i] ?? i;
        if (allowed !== undefined && !hasBit(allowed, id)) continue;
        best.offer(id, score(query, chunk, id - first));
      }
    }
    await drain(best, found, query * k, pause);
  }
  return found;
}

/** Empties `best` into the slots from `start` on, best first. */
export async function drain(
  best: BestRows,
  found: Found,
  start: number,
  pause: () => Promise<void> | undefined,
): Promise<void> {
  while (best.size > 0) {
    if (best.size % 1024 === 0) await pause();
    const { id, score } = best.takeWorst();
    found.ids[start + best.size] = id;
    found.scores[start + best.size] = score;
  }
}
