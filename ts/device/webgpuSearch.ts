import { wordsFor } from '../core/bitset.ts';
import { SeineError } from '../core/errors.ts';
import { lowerBound } from '../core/lowerBound.ts';
import type { SearchTask, UploadOptions } from './device.ts';
import { type Quantized, sliceRows } from './storedRows.ts';
import { linesOf, queryBounds, weightedBounds } from './webgpuBounds.ts';
import { type BufferPool, MAP_READ, USAGE } from './webgpuBuffers.ts';
import { type FilterPipelines, type Kernels, PARTS, type Pipelines } from './webgpuPipelines.ts';
import { BLOCK, chunksOf, type WebgpuShard } from './webgpuShard.ts';

export interface GpuContext {
  device: GPUDevice;
  pipelines: Pipelines;
  /** Bytes that one binding may span. */
  maxBinding: number;
  maxShardBytes: number;
  /** Like `quantizeRows`, off the event loop, where there is something that does it. */
  quantize?: ((values: Float32Array, options: UploadOptions) => Promise<Quantized>) | undefined;
  /** kernels/rescore.wgsl for rows of this form, compiled when first needed. */
  rescoring: (options: UploadOptions) => Promise<GPUComputePipeline>;
  /** kernels/filter.wgsl, compiled when first needed. */
  filtering: () => Promise<FilterPipelines>;
  /** Throws `ERR_DEVICE` if the device was lost or has failed. */
  checkAlive(): void;
}

/** Ids of rows that may be among the k best of each query; a count above `capacity` says that some are missing. */
export interface Candidates {
  /** `[slots, q]`, where `slots` is the largest count up to `capacity`, or more. */
  ids: Uint32Array;
  /** `[q]` */
  counts: Uint32Array;
  capacity: number;
}

/** What the kernels read of a shard. */
export type ScannedShard = Pick<WebgpuShard, 'first' | 'capacity' | 'rows' | 'facts'>;

interface SearchedRows {
  shards: readonly ScannedShard[];
  options: UploadOptions;
  kernels: Kernels;
}

/** Queries that `score8` takes at a time. */
const TILE = 8;
const THREADS = 256;
/** Words of a `Selection` in kernels/scan.wgsl. */
const SELECTION = 259;
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
  shards: readonly ScannedShard[],
): number {
  const largest = shards.reduce((most, shard) => Math.max(most, shard.capacity), 0);
  const most = Math.min(
    MAX_QUERIES,
    COST_BYTES / (4 * count),
    gpu.maxBinding / (4 * largest),
    gpu.maxBinding / candidateBytes(1, capacity),
  );
  return most >= TILE ? Math.floor(most / TILE) * TILE : Math.max(1, Math.floor(most));
}

/** Bytes of the counts and of `slots` candidates each of `q` queries. */
export const candidateBytes = (q: number, slots: number): number => 4 * q * (1 + slots);

/** Candidates of a query that are read back at once: the k best and those that are usually undecided beside them. */
const usualSlots = (k: number, capacity: number): number => Math.min(capacity, k + Math.ceil(k / 8) + 32);

/**
 * Scores and selects on the device: one submit. How many candidates a query has is known only when they are read,
 * so the usual number comes with that submit and the rest, where there is one, with a second that only copies. With
 * `given` costs `[q, count]`, those of one shard, nothing is scored.
 */
export function findCandidates(
  gpu: GpuContext,
  pool: BufferPool,
  { shards, options, kernels }: SearchedRows,
  task: SearchTask,
  capacity: number,
  given?: Float32Array<ArrayBuffer>,
): Promise<Candidates> {
  const { device } = gpu;
  const { q, k } = task;
  const seen = shards.map((shard) => partOf(shard, task)).filter(({ slots }) => slots > 0);
  const prepared = prepareQueries(options, task);
  const storage = USAGE.storage | USAGE.copyTarget;
  return pool.lend(async (take) => {
    const slots = usualSlots(k, capacity);
    const bytes = { selections: q * SELECTION * 4, candidates: candidateBytes(q, capacity) };
    const params = await take(seen.length * ALIGNMENT, USAGE.uniform | USAGE.copyTarget);
    const queries = await take(prepared.queries.byteLength, storage);
    const bounds = await take(prepared.bounds.byteLength, storage);
    const selections = await take(bytes.selections, storage);
    const candidates = await take(bytes.candidates, storage | USAGE.copySource);
    const readback = await take(candidateBytes(q, slots), USAGE.mapRead | USAGE.copyTarget);
    const masks: GPUBuffer[] = [];
    const costs: GPUBuffer[] = [];
    for (const { slots, passing } of seen) {
      masks.push(await take(Math.max(4, passing.byteLength), storage));
      costs.push(await take(q * slots * 4, storage));
    }

    gpu.checkAlive();
    device.pushErrorScope('validation');
    device.queue.writeBuffer(queries, 0, prepared.queries);
    device.queue.writeBuffer(bounds, 0, prepared.bounds);
    if (given !== undefined) device.queue.writeBuffer(costs[0]!, 0, given);
    const spanOf = (buffer: GPUBuffer) => Math.min(buffer.size, gpu.maxBinding);
    const groups = seen.map(({ shard, slots, mode, passing }, index) => {
      const fields = [slots, shard.first, chunksOf(options), q, slots, capacity, mode, k];
      device.queue.writeBuffer(params, index * ALIGNMENT, Uint32Array.from(fields));
      if (passing.length > 0) device.queue.writeBuffer(masks[index]!, 0, passing);
      const buffers = [
        shard.rows,
        shard.facts,
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
    encoder.clearBuffer(selections, 0, bytes.selections);
    encoder.clearBuffer(candidates, 0, candidateBytes(q, 0));
    encode(kernels, encoder, q, seen, groups, given === undefined);
    encoder.copyBufferToBuffer(candidates, 0, readback, 0, candidateBytes(q, slots));
    const words = await submit(device, encoder, readback, candidateBytes(q, slots));
    const counts = words.subarray(0, q);
    const read = words.subarray(q);
    const most = counts.reduce((max, count) => (count > capacity ? max : Math.max(max, count)), 0);
    if (most <= slots) return { ids: read, counts, capacity };

    const from = candidateBytes(q, slots);
    const rest = await take(candidateBytes(q, most) - from, USAGE.mapRead | USAGE.copyTarget);
    gpu.checkAlive();
    const copying = device.createCommandEncoder();
    copying.copyBufferToBuffer(candidates, from, rest, 0, candidateBytes(q, most) - from);
    device.queue.submit([copying.finish()]);
    const ids = new Uint32Array(q * most);
    ids.set(read);
    ids.set(await readWords(rest, candidateBytes(q, most) - from), read.length);
    return { ids, counts, capacity };
  });
}

/** What a search looks at in a shard; `mode` as in kernels/scan.wgsl. */
interface ShardPart {
  shard: ScannedShard;
  /** Rows, or the listed ones. */
  slots: number;
  mode: 0 | 1 | 2;
  /** Copied, since others may share them and they may lie in any kind of buffer: none, bits, or rows from the shard's first. */
  passing: Uint32Array<ArrayBuffer>;
}

function partOf(shard: ScannedShard, { count, allowed, rows }: SearchTask): ShardPart {
  const { first } = shard;
  const end = Math.min(first + shard.capacity, count);
  if (rows !== undefined) {
    const listed = rows.slice(lowerBound(rows, first), lowerBound(rows, end));
    return { shard, slots: listed.length, mode: 2, passing: Uint32Array.from(listed, (row) => row - first) };
  }
  const slots = Math.max(0, end - first);
  if (allowed === undefined) return { shard, slots, mode: 0, passing: new Uint32Array() };
  const words = allowed.subarray(first / 32, first / 32 + wordsFor(slots));
  return { shard, slots, mode: 1, passing: Uint32Array.from(words) };
}

/** Submits what has been encoded since an error scope was pushed, and reads `buffer`, which it fills. */
export async function submit(
  device: GPUDevice,
  encoder: GPUCommandEncoder,
  buffer: GPUBuffer,
  bytes: number,
): Promise<Uint32Array<ArrayBuffer>> {
  device.queue.submit([encoder.finish()]);
  const [error, words] = await Promise.all([device.popErrorScope(), readWords(buffer, bytes)]);
  if (error === null) return words;
  throw new SeineError('ERR_DEVICE', `The webgpu device refused its work: ${error.message}`);
}

async function readWords(buffer: GPUBuffer, bytes: number): Promise<Uint32Array<ArrayBuffer>> {
  await buffer.mapAsync(MAP_READ, 0, bytes);
  try {
    return new Uint32Array(buffer.getMappedRange(0, bytes)).slice();
  } finally {
    buffer.unmap();
  }
}

function encode(
  kernels: Kernels,
  encoder: GPUCommandEncoder,
  q: number,
  seen: readonly { slots: number }[],
  groups: readonly GPUBindGroup[],
  scores: boolean,
): void {
  const pass = encoder.beginComputePass();
  const dispatch = (pipeline: GPUComputePipeline, rowsPerGroup: number, y: number) => {
    pass.setPipeline(pipeline);
    seen.forEach(({ slots }, index) => {
      pass.setBindGroup(0, groups[index]!);
      pass.dispatchWorkgroups(Math.min(Math.ceil(slots / rowsPerGroup), MAX_GROUPS), y);
    });
  };
  if (scores && q === 1) dispatch(kernels.score1, BLOCK, 1);
  else if (scores) dispatch(kernels.score8, BLOCK, Math.ceil(q / TILE));
  for (let level = 0; level < 4; level++) {
    dispatch(kernels.histogram, ROWS_PER_GROUP, q);
    pass.setPipeline(kernels.pick);
    pass.setBindGroup(0, groups[0]!);
    pass.dispatchWorkgroups(q);
  }
  dispatch(kernels.compact, THREADS, q);
  pass.end();
}

/** Scaled queries, or their bits, padded to whole chunks and tiles with zeros, and their error bounds. */
function prepareQueries(
  options: UploadOptions,
  task: SearchTask,
): { queries: Uint32Array<ArrayBuffer>; bounds: Float32Array<ArrayBuffer> } {
  const { dim, dtype, features = 0 } = options;
  const width = linesOf(features) * 4;
  const padded = chunksOf(options) * PARTS[dtype] * 4;
  const queries = new Uint32Array(Math.ceil(task.q / TILE) * TILE * padded);
  const bounds = new Float32Array(task.q * width);
  const numbers = new Float32Array(queries.buffer);
  for (let query = 0; query < task.q; query++) {
    if (task.queries.dtype === 'binary') {
      const { words } = sliceRows(task.queries, dim, query, query + 1);
      queries.set(words, query * padded);
    } else {
      const { values } = task.queries;
      const weights = task.weights?.subarray(query * (1 + features), (query + 1) * (1 + features));
      const prepared =
        weights === undefined
          ? queryBounds(options, values, query * dim)
          : weightedBounds(options, values, query * dim, weights);
      bounds.set(prepared.bounds, query * width);
      for (let i = 0; i < dim; i++) numbers[query * padded + i] = values[query * dim + i]! * prepared.scale;
    }
  }
  return { queries, bounds };
}
