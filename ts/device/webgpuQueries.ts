import type { SearchTask, UploadOptions } from './device.ts';
import { arraysOf, type StoredQueries, sliceRows } from './storedRows.ts';
import { linesOf, queryBounds, weightedBounds } from './webgpuBounds.ts';
import { CODE_BOUNDS, codeBounds, codeChunks, encode } from './webgpuCodes.ts';
import type { GpuContext } from './webgpuContext.ts';
import { CHUNK_BYTES } from './webgpuInterleave.ts';
import { PARTS, tileOf } from './webgpuPipelines.ts';
import { chunksOf } from './webgpuShard.ts';

/** Queries as the kernels read them, padded to whole chunks and tiles with zeros, and their error bounds. */
export interface PreparedQueries {
  queries: Uint32Array<ArrayBuffer>;
  bounds: Float32Array<ArrayBuffer>;
}

const paddedTo = (q: number): number => Math.ceil(q / tileOf(q)) * tileOf(q);

/** For kernels/scan.wgsl: scaled queries, or their bits. */
export function queriesByRows(options: UploadOptions, task: SearchTask): PreparedQueries {
  const { dim, dtype, features = 0 } = options;
  const width = linesOf(features) * 4;
  const padded = chunksOf(options) * PARTS[dtype] * 4;
  const queries = new Uint32Array(paddedTo(task.q) * padded);
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

/** For kernels/certify.wgsl: codes. */
export async function queriesByCodes(
  gpu: GpuContext,
  options: UploadOptions,
  task: SearchTask,
): Promise<PreparedQueries> {
  const { dim } = options;
  const { values } = task.queries as Extract<StoredQueries, { dtype: 'f32' }>;
  const { rows, errors } = await encode(gpu, values, dim);
  const { codes, scales } = arraysOf(rows);
  const padded = codeChunks(options) * CHUNK_BYTES;
  const bytes = new Int8Array(paddedTo(task.q) * padded);
  const bounds = new Float32Array(task.q * CODE_BOUNDS);
  for (let query = 0; query < task.q; query++) {
    bytes.set((codes as Int8Array).subarray(query * dim, (query + 1) * dim), query * padded);
    const own = codeBounds(options, values, query * dim, scales[query]!, errors[query]!);
    bounds.set(own, query * CODE_BOUNDS);
  }
  return { queries: new Uint32Array(bytes.buffer), bounds };
}
