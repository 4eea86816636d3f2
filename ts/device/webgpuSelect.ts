import type { Found, SelectTask, UploadOptions } from './device.ts';
import { pacer } from './pacer.ts';
import { BestRows } from './reference/bestRows.ts';
import { drain } from './reference/scan.ts';
import { select } from './reference/select.ts';
import type { BufferPool } from './webgpuBuffers.ts';
import {
  type Candidates,
  candidateBytes,
  findCandidates,
  type GpuContext,
  queriesPerSubmit,
  type ScannedShard,
} from './webgpuSearch.ts';

/** Scores that need no bound, as those of bits: the kernels then name those that reach the k-th, and no other. */
const EXACT: UploadOptions = { dim: 1, metric: 'hamming', dtype: 'binary' };
/** Room for scores that tie with the k-th, per query. */
const SPARE = 1024;
/** Scores of a submit. */
const MOST = 1 << 22;

/**
 * The selection of the scan over costs that are given: `histogram`, `pick` and `compact` of kernels/scan.wgsl. The
 * host orders what they name; it does the whole where that would be most scores. `unread` stands where rows would.
 */
export async function selectOnGpu(
  gpu: GpuContext,
  pool: BufferPool,
  unread: GPUBuffer,
  task: SelectTask,
): Promise<Found> {
  const { scores, q, n, k, lowest } = task;
  const capacity = Math.min(2 * k + SPARE, n);
  const fits = 4 * n <= gpu.maxBinding && candidateBytes(1, capacity) <= gpu.maxBinding;
  if (2 * k > n || !fits) return select(task);
  const found: Found = { ids: new Uint32Array(q * k), scores: new Float32Array(q * k) };
  const shard: ScannedShard = { first: 0, capacity: n, rows: unread, facts: unread };
  const rows = { shards: [shard], options: EXACT, kernels: await gpu.pipelines.kernelsFor(EXACT) };
  const most = queriesPerSubmit(gpu, n, capacity, rows.shards);
  const step = Math.max(1, Math.min(most, Math.floor(MOST / n)));
  for (let first = 0; first < q; first += step) {
    const part = scores.subarray(first * n, (first + step) * n);
    const costs = Float32Array.from(part, (score) => (lowest ? score : -score));
    const queries = { dtype: 'binary' as const, words: new Uint32Array(costs.length / n) };
    const passing = { allowed: undefined, rows: undefined, passing: n };
    const unasked = { weights: undefined, signal: undefined };
    const asked = { queries, q: queries.words.length, k, count: n, ...passing, ...unasked };
    const candidates = await findCandidates(gpu, pool, rows, asked, capacity, costs);
    for (let query = 0; query < asked.q; query++) {
      const own = part.subarray(query * n, (query + 1) * n);
      await order(own, candidates, query, task, found, (first + query) * k);
    }
  }
  return found;
}

/** Puts the k best of a query's candidates into the slots from `slot` on. */
async function order(
  scores: Float32Array,
  { ids, counts, capacity }: Candidates,
  query: number,
  { n, k, lowest }: SelectTask,
  found: Found,
  slot: number,
): Promise<void> {
  const total = counts[query]!;
  if (total > capacity) {
    const whole = await select({ scores, q: 1, n, k, lowest });
    found.ids.set(whole.ids, slot);
    found.scores.set(whole.scores, slot);
    return;
  }
  const best = new BestRows(k, lowest);
  for (let i = 0; i < total; i++) {
    const id = ids[i * counts.length + query]!;
    best.offer(id, scores[id]!);
  }
  await drain(best, found, slot, pacer());
}
