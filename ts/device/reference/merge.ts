import type { Found, MergeTask } from '../device.ts';
import { pacer } from '../pacer.ts';
import { BestRows } from './bestRows.ts';
import { drain } from './scan.ts';

/** Entries looked at between two looks at the clock. */
const BLOCK = 1 << 14;

/** The meaning of merge: every entry of a query is offered, whatever list it is from, the k best stay. */
export async function merge({ ids, scores, starts, q, lists, k, lowest }: MergeTask): Promise<Found> {
  const found: Found = { ids: new Uint32Array(q * k), scores: new Float32Array(q * k) };
  const pause = pacer();
  for (let query = 0; query < q; query++) {
    const best = new BestRows(k, lowest);
    for (let entry = starts[query * lists]!; entry < starts[(query + 1) * lists]!; entry++) {
      if (entry % BLOCK === 0) await pause();
      best.offer(ids[entry]!, scores[entry]!);
    }
    await drain(best, found, query * k, pause);
  }
  return found;
}
