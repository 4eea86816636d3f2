import { SeineError } from '../core/errors.ts';
import { freeMemory } from '../core/freeMemory.ts';
import type { DeviceName, Metric, TopK } from '../core/types.ts';
import type { Found } from './device.ts';

/** Marks a slot, or a removed row, that has no id. */
export const EMPTY_ID = 0xffffffff;
/** Results below this size are not worth asking the system for its free memory. */
const SMALL = 2 ** 26;

/** Whether lower scores are better. */
export function isDistance(metric: Metric): boolean {
  return metric === 'l2' || metric === 'hamming';
}

/** The worst score there is: what empty slots hold. */
export function worstScore(metric: Metric): number {
  return isDistance(metric) ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
}

/** A result of stride `k` with all slots empty, and `fill`, which puts `filled` results per query into it. */
export function allocateTopK(
  q: number,
  k: number,
  filled: number,
  metric: Metric,
  generation: number,
  device: DeviceName,
): { result: TopK; filled: number; fill: (found: Found) => TopK } {
  const bytes = q * k * 8;
  let ids: Uint32Array;
  let scores: Float32Array;
  try {
    if (bytes > SMALL && bytes > (freeMemory() ?? bytes)) throw new RangeError('larger than the free memory');
    ids = new Uint32Array(q * k);
    scores = new Float32Array(q * k);
  } catch (cause) {
    const free = freeMemory() ?? 'fewer';
    throw new SeineError(
      'ERR_OUT_OF_MEMORY',
      `A result of ${q} queries × k = ${k} takes ${bytes} bytes, ${free} are free: ask for fewer.`,
      { cause },
    );
  }
  const counts = new Uint32Array(q).fill(filled);
  const result: TopK = { ids, scores, counts, k, generation, device };
  if (filled < k) {
    ids.fill(EMPTY_ID);
    scores.fill(worstScore(metric));
  }
  const fill = (found: Found): TopK => {
    for (let query = 0; query < q; query++) {
      const from = query * filled;
      ids.set(found.ids.subarray(from, from + filled), query * k);
      scores.set(found.scores.subarray(from, from + filled), query * k);
    }
    return result;
  };
  return { result, filled, fill };
}
