import type { Found, SelectTask } from '../device.ts';
import { pacer } from '../pacer.ts';
import { BestRows } from './bestRows.ts';
import { drain } from './scan.ts';

/** Scores looked at between two looks at the clock. */
const BLOCK = 1 << 14;

/** The meaning of select: every column is offered, the k best stay. */
export async function select({ scores, q, n, k, lowest }: SelectTask): Promise<Found> {
  const found: Found = { ids: new Uint32Array(q * k), scores: new Float32Array(q * k) };
  const pause = pacer();
  for (let query = 0; query < q; query++) {
    const best = new BestRows(k, lowest);
    for (let column = 0; column < n; column++) {
      if (column % BLOCK === 0) await pause();
      best.offer(column, scores[query * n + column]!);
    }
    await drain(best, found, query * k, pause);
  }
  return found;
}
