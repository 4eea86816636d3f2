import type { Found, MergeTask } from './device.ts';
import { merge } from './reference/merge.ts';
import type { BufferPool } from './webgpuBuffers.ts';
import type { GpuContext } from './webgpuContext.ts';
import { runKernel } from './webgpuRun.ts';

const THREADS = 256;

/** kernels/merge.wgsl over as many queries at a time as the device's buffers hold. */
export async function mergeOnGpu(
  gpu: GpuContext,
  pool: BufferPool,
  pipeline: GPUComputePipeline,
  task: MergeTask,
): Promise<Found> {
  const { q, k } = task;
  const found: Found = { ids: new Uint32Array(q * k), scores: new Float32Array(q * k) };
  for (let first = 0; first < q; ) {
    const end = endOfPart(gpu, task, first);
    // One query that no buffer holds is merged by the host.
    const part = partOf(task, first, Math.max(end, first + 1));
    const merged = end > first ? await mergePart(gpu, pool, pipeline, part) : await merge(part);
    found.ids.set(merged.ids, first * k);
    found.scores.set(merged.scores, first * k);
    first += part.q;
  }
  return found;
}

/** The query after the last one that fits with those from `first` on. */
function endOfPart(gpu: GpuContext, { starts, q, lists, k }: MergeTask, first: number): number {
  const fits = (end: number) => {
    const entries = starts[end * lists]! - starts[first * lists]!;
    const words = Math.max(entries, (end - first) * lists + 1, (end - first) * k * 2);
    return 4 * words <= gpu.maxBinding;
  };
  let end = first;
  while (end < q && fits(end + 1)) end++;
  return end;
}

function partOf({ ids, scores, starts, lists, k, lowest }: MergeTask, first: number, end: number): MergeTask {
  const from = starts[first * lists]!;
  const to = starts[end * lists]!;
  return {
    ids: ids.subarray(from, to),
    scores: scores.subarray(from, to),
    starts: starts.slice(first * lists, end * lists + 1).map((start) => start - from),
    ...{ q: end - first, lists, k, lowest },
  };
}

async function mergePart(
  gpu: GpuContext,
  pool: BufferPool,
  pipeline: GPUComputePipeline,
  { ids, scores, starts, q, lists, k, lowest }: MergeTask,
): Promise<Found> {
  const words = await runKernel(gpu, pool, {
    pipeline,
    params: [ids.length, q * lists, lists, k, lowest ? 1 : 0],
    inputs: [starts, ids, new Uint32Array(scores.buffer, scores.byteOffset, scores.length)],
    words: q * k * 2,
    threads: ids.length,
    groupSize: THREADS,
  });
  const found = { ids: new Uint32Array(q * k), scores: new Float32Array(q * k) };
  const scoreBits = new Uint32Array(found.scores.buffer);
  for (let i = 0; i < q * k; i++) {
    found.ids[i] = words[2 * i]!;
    scoreBits[i] = words[2 * i + 1]!;
  }
  return found;
}
