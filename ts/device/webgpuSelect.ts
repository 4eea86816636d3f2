import type { Found, SearchTask, SelectTask } from './device.ts';
import { pacer } from './pacer.ts';
import { BestRows } from './reference/bestRows.ts';
import { drain } from './reference/scan.ts';
import { select } from './reference/select.ts';
import type { BufferPool } from './webgpuBuffers.ts';
import type { GpuContext } from './webgpuContext.ts';
import { candidateBytes, usualCandidates } from './webgpuPlan.ts';
import { type Candidates, findCandidates, type Scan } from './webgpuSearch.ts';

/** Room for scores that tie with the k-th, per query. */
const SPARE = 1024;
/** Scores of a submit. */
const MOST_SCORES = 1 << 22;

/**
 * The selection of the scan over keys that are given: `histogram`, `pick` and `compact` of kernels/select.wgsl. The
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
  const most = Math.min(MOST_SCORES, gpu.maxBinding / 4) / n;
  const fit = Math.min(most, gpu.maxBinding / candidateBytes(1, capacity));
  const step = Math.max(1, Math.floor(fit));
  for (let first = 0; first < q; first += step) {
    const part = scores.subarray(first * n, (first + step) * n);
    const asked = part.length / n;
    const scan = scanOf(unread, n, k, keysOf(part, lowest));
    const candidates = await findCandidates(gpu, pool, scan, taskOf(asked, n, k), capacity);
    for (let query = 0; query < asked; query++) {
      const own = part.subarray(query * n, (query + 1) * n);
      await order(own, candidates, query, task, found, (first + query) * k);
    }
  }
  return found;
}

/** Unsigned integers in the order of the scores, the best one least. */
function keysOf(scores: Float32Array, lowest: boolean): Uint32Array<ArrayBuffer> {
  const keys = Uint32Array.from(new Uint32Array(scores.buffer, scores.byteOffset, scores.length));
  const turned = lowest ? 0 : 0xffffffff;
  for (let i = 0; i < keys.length; i++) {
    const bits = keys[i]!;
    keys[i] = (bits >>> 31 === 1 ? ~bits : bits | 0x80000000) ^ turned;
  }
  return keys;
}

function scanOf(unread: GPUBuffer, n: number, k: number, keys: Uint32Array<ArrayBuffer>): Scan {
  return {
    shards: [{ first: 0, capacity: n, rows: unread, facts: unread }],
    chunks: 0,
    exact: true,
    prepared: { queries: new Uint32Array(), bounds: new Float32Array() },
    score: keys,
    step: 0,
    usual: usualCandidates(k, true),
  };
}

function taskOf(q: number, n: number, k: number): SearchTask {
  const queries = { dtype: 'binary' as const, words: new Uint32Array() };
  const passing = { allowed: undefined, rows: undefined, passing: n };
  return { queries, q, k, count: n, weights: undefined, signal: undefined, ...passing };
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
