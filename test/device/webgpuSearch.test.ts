import { expect, test } from '@jest/globals';
import { random } from '../../ts/core/random.ts';
import type { Dtype, Metric } from '../../ts/core/types.ts';
import type { SearchTask, UploadOptions } from '../../ts/device/device.ts';
import { quantizeRows } from '../../ts/device/reference/quantizeRows.ts';
import { BufferPool } from '../../ts/device/webgpuBuffers.ts';
import { codeChunks } from '../../ts/device/webgpuCodes.ts';
import type { GpuContext } from '../../ts/device/webgpuContext.ts';
import { queriesByCodes, queriesByRows } from '../../ts/device/webgpuQueries.ts';
import { findCandidates, OPEN, type Scan } from '../../ts/device/webgpuSearch.ts';
import { chunksOf, WebgpuShard } from '../../ts/device/webgpuShard.ts';
import { describeOnGpu, FEATURE_SETS } from '../helpers/gpuContext.ts';
import { naiveSearch } from '../helpers/naiveSearch.ts';

const N = 6000;
const DIM = 32;
const K = 20;

/** Rows that the kernels name: all of the k best, or the answer is wrong; few others, or the host does the work. */
const candidateTests = (context: () => GpuContext) => {
  async function candidatesOf(
    data: Float32Array,
    options: UploadOptions,
    queries: Float32Array,
    { codes, step, capacity }: { codes: boolean; step: number; capacity: number },
  ) {
    const count = data.length / DIM;
    const shard = await WebgpuShard.create(context(), options, 0, Math.ceil(count / 64) * 64);
    const { rows } = await quantizeRows(data, options);
    await shard.write({ rows, features: new Float32Array() }, 0);
    const pool = new BufferPool(context().device);
    const passing = { allowed: undefined, rows: undefined, passing: count };
    const asked = { queries: { dtype: 'f32' as const, values: queries }, q: queries.length / DIM };
    const task: SearchTask = { ...asked, k: K, count, ...passing, weights: undefined, signal: undefined };
    const { byCodes, byRows } = context().scanning;
    const scan: Scan = {
      shards: [codes ? { first: 0, capacity: shard.capacity, ...shard.codes! } : shard],
      chunks: codes ? codeChunks(options) : chunksOf(options),
      exact: false,
      prepared: codes ? await queriesByCodes(context(), options, task) : queriesByRows(options, task),
      score: codes ? byCodes(options) : byRows(options),
      step,
      usual: 10,
    };
    const found = await findCandidates(context(), pool, scan, task, capacity);
    pool.destroy();
    shard.destroy();
    return found;
  }

  test.each<[Metric, Dtype, number, boolean, number]>([
    ['ip', 'f32', 1, false, 0],
    ['ip', 'f32', 9, false, 16],
    ['cosine', 'f16', 3, false, 0],
    ['cosine', 'bf16', 1, false, 18],
    ['l2', 'int8', 8, false, 18],
    ['l2', 'f32', 8, false, 0],
    ['ip', 'f32', 1, true, 18],
    ['cosine', 'f32', 9, true, 16],
    ['l2', 'f32', 8, true, 0],
    ['l2', 'f32', 1, true, 18],
    ['ip', 'f32', 33, true, 16],
  ])('%s over %s, %i queries, codes %s, a sample of one in %i', async (metric, dtype, q, codes, step) => {
    const source = random(7);
    const data = Float32Array.from({ length: N * DIM }, () => source.normal());
    const queries = Float32Array.from({ length: q * DIM }, () => source.normal());
    const { ids, counts } = await candidatesOf(data, { dim: DIM, metric, dtype }, queries, {
      codes,
      step,
      capacity: 1000,
    });
    const { rows } = await quantizeRows(data.slice(), { dim: DIM, dtype });
    const stored =
      rows.dtype === 'int8'
        ? Float32Array.from(rows.codes, (code, i) => code * rows.scales[Math.floor(i / DIM)]!)
        : data;
    const naive = naiveSearch(stored, queries, DIM, metric, K);
    const most = codes ? 4 * K * q : q * K + 2;
    expect(counts.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(most);
    if (dtype === 'f16' || dtype === 'bf16') return; // their numbers differ from the given ones
    for (let query = 0; query < q; query++) {
      const named = new Set(Array.from({ length: counts[query]! }, (_, slot) => ids[slot * q + query]!));
      for (const id of naive.ids.slice(query * K, (query + 1) * K)) expect(named).toContain(id);
    }
  });

  test('more survivors than there is room for leave a query open, and no other', async () => {
    const sampled = 64 * 18;
    // The first query's best rows, more than there is room for, lie between those of the sample.
    const data = Float32Array.from({ length: N * DIM }, (_, i) => {
      const row = Math.floor(i / DIM);
      if (i % DIM === 0) return row % sampled < 64 ? -1 : 1;
      return i % DIM === 1 ? row / N : 0;
    });
    const queries = new Float32Array(2 * DIM);
    queries[0] = 1;
    queries[DIM + 1] = 1;
    const options: UploadOptions = { dim: DIM, metric: 'ip', dtype: 'f32' };
    const { counts } = await candidatesOf(data, options, queries, { codes: false, step: 18, capacity: 1000 });
    expect([counts[0], counts[1]! >= K && counts[1]! < 100]).toEqual([OPEN, true]);
  });

  test('of more survivors than threads hold those are named that may be among the best, and no other', async () => {
    const count = 3700;
    const sampled = 64 * 18;
    // All rows that are not in the sample survive it; the best ones lie all over them.
    const survivors = Array.from({ length: count }, (_, row) => row).filter((row) => row % sampled >= 64);
    const best = Array.from({ length: K }, (_, i) => survivors[i * 170 + 90]!);
    const data = new Float32Array(count * DIM);
    for (const row of survivors) data[row * DIM] = 1 + row / count;
    for (const row of best) data[row * DIM]! += 2;
    const query = new Float32Array(DIM).fill(1);
    const options: UploadOptions = { dim: DIM, metric: 'ip', dtype: 'f32' };
    const { ids, counts } = await candidatesOf(data, options, query, {
      codes: false,
      step: 18,
      capacity: 1000,
    });
    expect([counts[0], Array.from(ids.subarray(0, K)).toSorted((x, y) => x - y)]).toEqual([K, best]);
  });
};

for (const features of FEATURE_SETS) describeOnGpu(`candidates (${features})`, candidateTests, features);
