import { expect, test } from '@jest/globals';
import { random } from '../../ts/core/random.ts';
import type { Metric } from '../../ts/core/types.ts';
import type { UploadOptions } from '../../ts/device/device.ts';
import { BufferPool } from '../../ts/device/webgpuBuffers.ts';
import { findCandidates } from '../../ts/device/webgpuSearch.ts';
import { WebgpuShard } from '../../ts/device/webgpuShard.ts';
import { describeOnGpu } from '../helpers/gpuContext.ts';
import { naiveSearch } from '../helpers/naiveSearch.ts';

const N = 6000;
const DIM = 16;
const K = 40;

/** Rows that the kernel names: all of the k best, or the answer is wrong; hardly any other, or the host does the work. */
describeOnGpu('candidates', (context) => {
  test.each<[Metric, number]>([
    ['ip', 1],
    ['ip', 9],
    ['cosine', 3],
    ['l2', 8],
  ])('%s, %s queries', async (metric, q) => {
    const { device, pipelines } = context();
    const source = random(7);
    const data = Float32Array.from({ length: N * DIM }, () => source.normal());
    const queries = Float32Array.from({ length: q * DIM }, () => source.normal());
    const options: UploadOptions = { dim: DIM, metric, dtype: 'f32' };
    const shard = await WebgpuShard.create(device, options, 0, 94 * 64);
    await shard.write({ rows: { dtype: 'f32', values: data }, features: new Float32Array() }, 0);
    const kernels = await pipelines.kernelsFor(options);
    const pool = new BufferPool(device);
    const rows = { shards: [shard], options, kernels };
    const asked = { dtype: 'f32' as const, values: queries };
    const passing = { allowed: undefined, rows: undefined, passing: N };
    const task = { queries: asked, weights: undefined, q, k: K, count: N, ...passing, signal: undefined };
    const { ids, counts } = await findCandidates(context(), pool, rows, task, 1000);
    const naive = naiveSearch(data, queries, DIM, metric, K);
    expect(counts.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(q * K + 1);
    for (let query = 0; query < q; query++) {
      const named = new Set(Array.from({ length: counts[query]! }, (_, slot) => ids[slot * q + query]!));
      for (const id of naive.ids.slice(query * K, (query + 1) * K)) expect(named).toContain(id);
    }
    pool.destroy();
    shard.destroy();
  });
});
