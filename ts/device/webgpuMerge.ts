import type { Found, MergeTask } from './device.ts';
import { merge } from './reference/merge.ts';
import { type BufferPool, USAGE } from './webgpuBuffers.ts';
import { type GpuContext, submit } from './webgpuSearch.ts';

const THREADS = 256;
const MAX_GROUPS = 65535;
/** Bytes of `Params` in kernels/merge.wgsl, rounded up to whole vectors. */
const PARAMS = 32;

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

function mergePart(
  gpu: GpuContext,
  pool: BufferPool,
  pipeline: GPUComputePipeline,
  { ids, scores, starts, q, lists, k, lowest }: MergeTask,
): Promise<Found> {
  const { device } = gpu;
  const bytes = q * k * 8;
  return pool.lend(async (take) => {
    const params = await take(PARAMS, USAGE.uniform | USAGE.copyTarget);
    const best = await take(bytes, USAGE.storage | USAGE.copySource);
    const readback = await take(bytes, USAGE.mapRead | USAGE.copyTarget);
    const given = [starts, ids, new Uint32Array(scores.buffer, scores.byteOffset, scores.length)];
    const buffers: GPUBuffer[] = [];
    for (const { byteLength } of given) {
      buffers.push(await take(byteLength, USAGE.storage | USAGE.copyTarget));
    }
    gpu.checkAlive();
    device.pushErrorScope('validation');
    device.queue.writeBuffer(params, 0, Uint32Array.of(ids.length, q * lists, lists, k, lowest ? 1 : 0));
    given.forEach((values, i) => {
      device.queue.writeBuffer(buffers[i]!, 0, values as Uint32Array<ArrayBuffer>);
    });
    const entries = [params, ...buffers, best].map((buffer, binding) => ({
      binding,
      resource: { buffer, size: Math.min(buffer.size, gpu.maxBinding) },
    }));
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(Math.min(Math.ceil(ids.length / THREADS), MAX_GROUPS));
    pass.end();
    encoder.copyBufferToBuffer(best, 0, readback, 0, bytes);
    const words = await submit(device, encoder, readback, bytes);
    const found = { ids: new Uint32Array(q * k), scores: new Float32Array(q * k) };
    const scoreBits = new Uint32Array(found.scores.buffer);
    for (let i = 0; i < q * k; i++) {
      found.ids[i] = words[2 * i]!;
      scoreBits[i] = words[2 * i + 1]!;
    }
    return found;
  });
}
