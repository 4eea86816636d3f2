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
const worstScore = (lowest: boolean): number =>
  lowest ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;

/** A result of `q` queries with all slots empty. */
export function emptyTopK(
  q: number,
  k: number,
  lowest: boolean,
  generation: number,
  device: DeviceName,
): TopK {
  const bytes = q * k * 8;
  try {
    if (bytes > SMALL && bytes > (freeMemory() ?? bytes)) throw new RangeError('larger than the free memory');
    const ids = new Uint32Array(q * k).fill(EMPTY_ID);
    const scores = new Float32Array(q * k).fill(worstScore(lowest));
    return { ids, scores, counts: new Uint32Array(q), k, generation, device };
  } catch (cause) {
    const free = freeMemory() ?? 'fewer';
    throw new SeineError(
      'ERR_OUT_OF_MEMORY',
      `A result of ${q} queries × k = ${k} takes ${bytes} bytes, ${free} are free: ask for fewer.`,
      { cause },
    );
  }
}

/** Puts the first `counts[query]` of `stride` results of each query into `topK`. */
export function fillTopK(topK: TopK, found: Found, stride: number, counts: Uint32Array): TopK {
  topK.counts.set(counts);
  counts.forEach((count, query) => {
    const from = query * stride;
    topK.ids.set(found.ids.subarray(from, from + count), query * topK.k);
    topK.scores.set(found.scores.subarray(from, from + count), query * topK.k);
  });
  return topK;
}
