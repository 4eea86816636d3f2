import type { RescoreTask, UploadOptions } from './device.ts';
import { chunkOf } from './reference/readRows.ts';
import { norm, weightedScore } from './reference/score.ts';
import { arraysOf, type StoredQueries } from './storedRows.ts';
import type { BufferPool } from './webgpuBuffers.ts';
import type { GpuContext } from './webgpuContext.ts';
import { PARTS } from './webgpuPipelines.ts';
import { runKernel } from './webgpuRun.ts';
import { chunksOf, type WebgpuShard } from './webgpuShard.ts';

const THREADS = 64;
/** Numbers of a submit, which take the device some hundred integer operations each. */
const MOST_NUMBERS = 2 ** 24;

/** Canonical scores of pairs: the host weighs and rounds what the device computes. */
export async function rescoreOnGpu(
  gpu: GpuContext,
  pool: BufferPool,
  pipeline: GPUComputePipeline,
  shards: readonly WebgpuShard[],
  options: UploadOptions,
  task: RescoreTask,
): Promise<Float32Array> {
  const exact = await similaritiesOnGpu(gpu, pool, pipeline, shards, options, task);
  const { weights, pairs } = task;
  if (weights === undefined) return Float32Array.from(exact, (one) => Math.fround(one) + 0);
  const features = options.features ?? 0;
  return Float32Array.from(exact, (one, pair) => {
    const shard = chunkOf(shards, pairs.rows[pair]!);
    const [query, row] = [pairs.queries[pair]!, pairs.rows[pair]! - shard.first];
    return weightedScore(
      one,
      weights,
      query * (1 + features),
      shard.stored.features,
      row * features,
      features,
    );
  });
}

/** kernels/rescore.wgsl shard by shard: similarities or distances of pairs in float64, from exact sums. */
export async function similaritiesOnGpu(
  gpu: GpuContext,
  pool: BufferPool,
  pipeline: GPUComputePipeline,
  shards: readonly WebgpuShard[],
  options: UploadOptions,
  task: Pick<RescoreTask, 'queries' | 'q' | 'pairs'>,
): Promise<Float64Array> {
  const { pairs, q } = task;
  const exact = new Float64Array(pairs.rows.length);
  const queries = padded(task.queries, q, options);
  const exactOf = similarities(options, task.queries, q);
  const step = Math.max(1, Math.min(Math.floor(MOST_NUMBERS / options.dim), Math.floor(gpu.maxBinding / 16)));
  for (const shard of shards) {
    const places: number[] = [];
    pairs.rows.forEach((row, place) => {
      if (row >= shard.first && row < shard.first + shard.capacity) places.push(place);
    });
    const { rows } = shard.stored;
    const scales = rows.dtype === 'int8' ? rows.scales : new Float32Array(1);
    const scaleBits = new Uint32Array(scales.buffer, scales.byteOffset, scales.length);
    for (let from = 0; from < places.length; from += step) {
      const part = places.slice(from, from + step);
      const asked = new Uint32Array(part.length * 4);
      part.forEach((place, i) => {
        const row = pairs.rows[place]! - shard.first;
        asked.set([pairs.queries[place]!, row, scaleBits[row] ?? 0], i * 4);
      });
      const sums = await sumsOf(gpu, pool, pipeline, shard, options, queries, asked);
      part.forEach((place, i) => {
        exact[place] = exactOf(pairs.queries[place]!, sums, i);
      });
    }
  }
  return exact;
}

/** Whether the device can hold `q` queries; if not, the host rescores. */
export function fitsQueries(gpu: GpuContext, q: number, options: UploadOptions): boolean {
  return q * queryBytes(options) <= gpu.maxBinding;
}

/** Bytes of a query on the device, padded to whole chunks. */
export const queryBytes = (options: UploadOptions): number => chunksOf(options) * numbersOf(options) * 4;

/** Numbers of a chunk, or for bits its words: of a query four bytes each. */
const numbersOf = ({ dtype }: UploadOptions): number => 4 * PARTS[dtype];

function padded(stored: StoredQueries, q: number, options: UploadOptions): Uint32Array<ArrayBuffer> {
  const { codes } = arraysOf(stored);
  const width = codes.length / q;
  const stride = chunksOf(options) * numbersOf(options);
  const words = new Uint32Array(codes.buffer, codes.byteOffset, codes.length);
  const result = new Uint32Array(q * stride);
  for (let query = 0; query < q; query++) {
    result.set(words.subarray(query * width, (query + 1) * width), query * stride);
  }
  return result;
}

/** From exact sums to similarities or distances in float64: what ts/device/reference/score.ts does last but rounding. */
function similarities(
  { dim, metric }: UploadOptions,
  queries: StoredQueries,
  q: number,
): (query: number, sums: Uint32Array<ArrayBuffer>, pair: number) => number {
  if (metric === 'hamming') return (_, sums, pair) => sums[pair * 4]!;
  const doubles = (sums: Uint32Array<ArrayBuffer>) => new Float64Array(sums.buffer);
  if (metric !== 'cosine') return (_, sums, pair) => doubles(sums)[pair * 2]!;
  const { values } = queries as Extract<StoredQueries, { dtype: 'f32' }>;
  const lengths = Float64Array.from({ length: q }, (_, query) => norm(values, query * dim, dim));
  return (query, sums, pair) => {
    const [dot, squares] = doubles(sums).subarray(pair * 2, pair * 2 + 2) as unknown as [number, number];
    const norms = lengths[query]! * Math.sqrt(squares);
    return norms === 0 ? 0 : dot / norms;
  };
}

/** The sums of kernels/rescore.wgsl, four words a pair. */
export function sumsOf(
  gpu: GpuContext,
  pool: BufferPool,
  pipeline: GPUComputePipeline,
  shard: WebgpuShard,
  options: UploadOptions,
  queries: Uint32Array<ArrayBuffer>,
  asked: Uint32Array<ArrayBuffer>,
): Promise<Uint32Array<ArrayBuffer>> {
  const count = asked.length / 4;
  return runKernel(gpu, pool, {
    pipeline,
    params: [chunksOf(options), numbersOf(options), count],
    inputs: [shard.rows, queries, asked],
    words: asked.length,
    threads: count,
    groupSize: THREADS,
  });
}
