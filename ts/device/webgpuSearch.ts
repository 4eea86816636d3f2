import { SeineError } from '../core/errors.ts';
import type { SearchTask, UploadOptions } from './device.ts';
import { queryBounds } from './webgpuBounds.ts';
import { type BufferPool, MAP_READ, USAGE } from './webgpuBuffers.ts';
import type { Kernels, Pipelines } from './webgpuPipelines.ts';
import { BLOCK, rowBytes, type WebgpuShard } from './webgpuShard.ts';

export interface GpuContext {
  device: GPUDevice;
  pipelines: Pipelines;
  /** Bytes that one binding may span. */
  maxBinding: number;
  maxShardBytes: number;
  /** Throws `ERR_DEVICE` if the device was lost or has failed. */
  checkAlive(): void;
}

/** Ids of rows that may be among the k best of each query; a count above `capacity` says that some are missing. */
export interface Candidates {
  /** `[q, capacity]` */
  ids: Uint32Array;
  /** `[q]` */
  counts: Uint32Array;
  capacity: number;
}

interface SearchedRows {
  shards: readonly WebgpuShard[];
  options: UploadOptions;
  kernels: Kernels;
}

/** Queries that `score8` takes at a time. */
const TILE = 8;
const THREADS = 256;
/** Words of a `Selection` in kernels/scan.wgsl and where its fields lie. */
const SELECTION = { words: 260, wanted: 258, candidates: 259 } as const;
const MAX_GROUPS = 65535;
/** Rows that a workgroup counts before it adds to the histogram of all. */
const ROWS_PER_GROUP = 4096;
const COST_BYTES = 2 ** 28;
const MAX_QUERIES = 1024;
/** What WebGPU asks of offsets of uniform bindings. */
const ALIGNMENT = 256;

/** Queries of one submit, so that costs and candidates stay within the device's limits. */
export function queriesPerSubmit(
  gpu: GpuContext,
  count: number,
  capacity: number,
  shards: readonly WebgpuShard[],
): number {
  const largest = shards.reduce((most, shard) => Math.max(most, shard.capacity), 0);
  const most = Math.min(
    MAX_QUERIES,
    COST_BYTES / (4 * count),
    gpu.maxBinding / (4 * largest),
    gpu.maxBinding / (4 * capacity),
  );
  return most >= TILE ? Math.floor(most / TILE) * TILE : Math.max(1, Math.floor(most));
}

/** Scores and selects on the device: one submit. */
export function findCandidates(
  gpu: GpuContext,
  pool: BufferPool,
  { shards, options, kernels }: SearchedRows,
  task: SearchTask,
  capacity: number,
): Promise<Candidates> {
  const { device } = gpu;
  const { q, k, count, allowed } = task;
  const seen = shards
    .filter(({ first }) => first < count)
    .map((shard) => ({ shard, rows: Math.min(shard.capacity, count - shard.first) }));
  const prepared = prepareQueries(options, task);
  const storage = USAGE.storage | USAGE.copyTarget;
  return pool.lend(async (take) => {
    const bytes = { candidates: q * capacity * 4, selections: q * SELECTION.words * 4 };
    const params = await take(seen.length * ALIGNMENT, USAGE.uniform | USAGE.copyTarget);
    const queries = await take(prepared.queries.byteLength, storage);
    const bounds = await take(prepared.bounds.byteLength, storage);
    const selections = await take(bytes.selections, storage | USAGE.copySource);
    const candidates = await take(bytes.candidates, storage | USAGE.copySource);
    const readback = await take(bytes.candidates + bytes.selections, USAGE.mapRead | USAGE.copyTarget);
    const masks: GPUBuffer[] = [];
    const costs: GPUBuffer[] = [];
    for (const { rows } of seen) {
      masks.push(await take(allowed === undefined ? 4 : Math.ceil(rows / 32) * 4, storage));
      costs.push(await take(q * rows * 4, storage));
    }

    gpu.checkAlive();
    device.pushErrorScope('validation');
    device.queue.writeBuffer(queries, 0, prepared.queries);
    device.queue.writeBuffer(bounds, 0, prepared.bounds);
    device.queue.writeBuffer(selections, 0, freshSelections(q, k));
    const spanOf = (buffer: GPUBuffer) => Math.min(buffer.size, gpu.maxBinding);
    const groups = seen.map(({ shard, rows }, index) => {
      const fields = [rows, shard.first, rowBytes(options.dim) / 16, q, rows, capacity, allowed ? 1 : 0];
      device.queue.writeBuffer(params, index * ALIGNMENT, Uint32Array.from(fields));
      if (allowed !== undefined) {
        // Copied, since the bitset may be shared with other searches and lie in any kind of buffer.
        const words = Uint32Array.from(
          allowed.subarray(shard.first / 32, shard.first / 32 + Math.ceil(rows / 32)),
        );
        device.queue.writeBuffer(masks[index]!, 0, words);
      }
      const buffers = [
        shard.rows,
        shard.norms,
        masks[index]!,
        queries,
        bounds,
        costs[index]!,
        selections,
        candidates,
      ];
      const uniform = { binding: 0, resource: { buffer: params, offset: index * ALIGNMENT, size: 32 } };
      const entries = buffers.map((buffer, i) => ({
        binding: i + 1,
        resource: { buffer, size: spanOf(buffer) },
      }));
      return device.createBindGroup({ layout: gpu.pipelines.layout, entries: [uniform, ...entries] });
    });
    const encoder = device.createCommandEncoder();
    encode(kernels, encoder, q, seen, groups);
    encoder.copyBufferToBuffer(candidates, 0, readback, 0, bytes.candidates);
    encoder.copyBufferToBuffer(selections, 0, readback, bytes.candidates, bytes.selections);
    device.queue.submit([encoder.finish()]);
    const mapped = readback.mapAsync(MAP_READ, 0, bytes.candidates + bytes.selections);
    const [error] = await Promise.all([device.popErrorScope(), mapped]);
    try {
      if (error !== null)
        throw new SeineError('ERR_DEVICE', `The webgpu device refused a search: ${error.message}`);
      const words = new Uint32Array(readback.getMappedRange(0, bytes.candidates + bytes.selections)).slice();
      const counts = new Uint32Array(q);
      for (let query = 0; query < q; query++) {
        counts[query] = words[q * capacity + query * SELECTION.words + SELECTION.candidates]!;
      }
      return { ids: words.subarray(0, q * capacity), counts, capacity };
    } finally {
      readback.unmap();
    }
  });
}

function encode(
  kernels: Kernels,
  encoder: GPUCommandEncoder,
  q: number,
  seen: readonly { rows: number }[],
  groups: readonly GPUBindGroup[],
): void {
  const pass = encoder.beginComputePass();
  const dispatch = (pipeline: GPUComputePipeline, rowsPerGroup: number, y: number) => {
    pass.setPipeline(pipeline);
    seen.forEach(({ rows }, index) => {
      pass.setBindGroup(0, groups[index]!);
      pass.dispatchWorkgroups(Math.min(Math.ceil(rows / rowsPerGroup), MAX_GROUPS), y);
    });
  };
  if (q === 1) dispatch(kernels.score1, BLOCK, 1);
  else dispatch(kernels.score8, BLOCK, Math.ceil(q / TILE));
  for (let level = 0; level < 4; level++) {
    dispatch(kernels.histogram, ROWS_PER_GROUP, q);
    pass.setPipeline(kernels.pick);
    pass.setBindGroup(0, groups[0]!);
    pass.dispatchWorkgroups(q);
  }
  dispatch(kernels.compact, THREADS, q);
  pass.end();
}

/** Scaled queries, padded to whole chunks and tiles with zeros, and their error bounds. */
function prepareQueries(
  { dim, metric }: UploadOptions,
  task: SearchTask,
): { queries: Float32Array<ArrayBuffer>; bounds: Float32Array<ArrayBuffer> } {
  const padded = rowBytes(dim) / 4;
  const queries = new Float32Array(Math.ceil(task.q / TILE) * TILE * padded);
  const bounds = new Float32Array(task.q * 4);
  for (let query = 0; query < task.q; query++) {
    const prepared = queryBounds(metric, task.queries, query * dim, dim);
    bounds.set(prepared.bounds, query * 4);
    for (let i = 0; i < dim; i++)
      queries[query * padded + i] = task.queries[query * dim + i]! * prepared.scale;
  }
  return { queries, bounds };
}

function freshSelections(q: number, k: number): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(q * SELECTION.words);
  for (let query = 0; query < q; query++) words[query * SELECTION.words + SELECTION.wanted] = k;
  return words;
}
