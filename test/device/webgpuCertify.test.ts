import { describe, expect, test } from '@jest/globals';
import { random } from '../../ts/core/random.ts';
import type { Metric } from '../../ts/core/types.ts';
import type { SearchTask, UploadOptions } from '../../ts/device/device.ts';
import { OpenedDevice } from '../../ts/device/openedDevice.ts';
import { quantizeRows } from '../../ts/device/reference/quantizeRows.ts';
import { norm, score } from '../../ts/device/reference/score.ts';
import { openWebgpu, provider } from '../../ts/device/webgpu.ts';
import { U } from '../../ts/device/webgpuBounds.ts';
import { MAP_READ, USAGE } from '../../ts/device/webgpuBuffers.ts';
import { codeBounds, codeChunks, codeFacts, hasCodes } from '../../ts/device/webgpuCodes.ts';
import type { GpuContext } from '../../ts/device/webgpuContext.ts';
import { queriesByCodes } from '../../ts/device/webgpuQueries.ts';
import { WebgpuShard } from '../../ts/device/webgpuShard.ts';
import { BATCH, climb, draw, STARTS } from '../helpers/climb.ts';
import { EFFORT } from '../helpers/effort.ts';
import { describeOnGpu } from '../helpers/gpuContext.ts';
import { naiveSearch } from '../helpers/naiveSearch.ts';
import { METRICS } from '../helpers/searchCases.ts';

const optionsOf = (metric: Metric, dim: number): UploadOptions => ({ dim, metric, dtype: 'f32' });

/** What the kernel bounds: the canonical score as a cost, of the query as it is scaled. */
function truths(metric: Metric, query: Float32Array, rows: Float32Array): Float64Array {
  const dim = query.length;
  const length = norm(query, 0, dim);
  const unit = metric === 'ip' && length > 0 ? 2 ** -Math.ceil(Math.log2(length)) : 1;
  return Float64Array.from({ length: rows.length / dim }, (_, i) => {
    const canonical = score(metric, query, 0, rows, i * dim, dim);
    return metric === 'l2' ? canonical : -canonical * unit;
  });
}

/** Strains of the bounds where each operation rounds as far as WGSL lets it, to either side. */
async function worstStrains(metric: Metric, query: Float32Array, rows: Float32Array): Promise<number[]> {
  const dim = query.length;
  const [q, x] = await Promise.all(
    [query, rows].map((values) => quantizeRows(values, { dim, dtype: 'int8' })),
  );
  if (q!.rows.dtype !== 'int8' || x!.rows.dtype !== 'int8') throw new Error('int8 was asked for');
  const bounds = Float32Array.from(
    codeBounds(optionsOf(metric, dim), query, 0, q!.rows.scales[0]!, q!.errors[0]!),
  );
  const [perLength, perRest, least, longest, factor, square, share] = bounds as unknown as number[];
  const { codes, scales } = x!.rows;
  const asked = q!.rows.codes;
  const exact = truths(metric, query, rows);
  return Array.from(exact, (truth, i) => {
    const given = codeFacts(metric, norm(rows, i * dim, dim), scales[i]!, x!.errors[i]!);
    const [scale, length, rest] = Float32Array.from(given) as unknown as [number, number, number];
    if (length >= longest!) return 0;
    const dot = asked.reduce((sum, code, j) => sum + code * codes[i * dim + j]!, 0);
    let error = perLength! * length + perRest! * rest + least!;
    const strains = [-1, 1].map((side) => {
      // Three roundings of the product; of the squares and their sum two, and that of all.
      let cost = -dot * scale * factor! * (1 + side * U) ** 3;
      if (metric === 'l2') {
        const squares = (square! + length * length * (1 - side * U)) * (1 - side * U);
        cost = (cost + squares) * (1 - side * U * Math.sign(cost + squares));
        error = perLength! * length + perRest! * rest + least! + share! * squares;
      }
      // The cost's sum with the error.
      const rounding = U * (Math.abs(cost) + error);
      return (Math.abs(truth - cost) + rounding) / (error * (1 - 5 * U));
    });
    return Math.max(...strains);
  });
}

describe('the bound by codes', () => {
  test.each(Object.keys(STARTS))('holds for all roundings that WGSL allows: %s', async (kind) => {
    for (const metric of METRICS) {
      for (const dim of [1, 3, 17]) {
        const worst = await climb(dim, kind, 20 * EFFORT, dim * 31, (query, rows) =>
          worstStrains(metric, query, rows),
        );
        expect([metric, dim, worst]).toEqual([metric, dim, Math.min(worst, 1)]);
      }
    }
  });

  test('is nearly reached: one that is a tenth smaller would be found out', async () => {
    for (const metric of METRICS) {
      const climbs = [2, 3, 17].map((dim) =>
        climb(dim, 'between codes', 400, dim, (query, rows) => worstStrains(metric, query, rows)),
      );
      expect(Math.max(...(await Promise.all(climbs)))).toBeGreaterThan(0.9);
    }
  });
});

const numbers = new DataView(new ArrayBuffer(4));
/** From a key to its cost. */
function costOf(key: number): number {
  numbers.setUint32(0, key >>> 31 === 1 ? key ^ 0x80000000 : ~key);
  return numbers.getFloat32(0);
}

/** Smallest and largest key of each of BATCH rows, from the kernel. */
async function endsOf(gpu: GpuContext, metric: Metric, query: Float32Array, rows: Float32Array) {
  const dim = query.length;
  const options = optionsOf(metric, dim);
  const { device, scanning } = gpu;
  const shard = await WebgpuShard.create(gpu, options, 0, BATCH);
  await shard.write({ rows: { dtype: 'f32', values: rows }, features: new Float32Array() }, 0);
  const task = { queries: { dtype: 'f32', values: query }, q: 1 } as SearchTask;
  const { queries, bounds } = await queriesByCodes(gpu, options, task);
  const usage = USAGE.storage | USAGE.copyTarget;
  const filled = (values: Uint32Array | Float32Array, more = 0) => {
    const buffer = device.createBuffer({ size: Math.max(256, values.byteLength), usage: usage | more });
    device.queue.writeBuffer(buffer, 0, values as Uint32Array<ArrayBuffer>);
    return buffer;
  };
  const params = Uint32Array.of(BATCH, 0, codeChunks(options), 1, BATCH, 0, 1, 0, 1, 1, 0, 0);
  const keys = filled(new Uint32Array(2 * BATCH), USAGE.copySource);
  const spare = () => filled(new Uint32Array(512));
  const { rows: codes, facts } = shard.codes!;
  const inputs = [filled(params, USAGE.uniform), codes, facts, spare(), filled(queries), filled(bounds)];
  const entries = [...inputs, keys, spare(), spare()].map((buffer, binding) => ({
    binding,
    resource: { buffer },
  }));
  const encoder = device.createCommandEncoder();
  const pipeline = await scanning.byCodes(options)(1, 'all');
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout: scanning.layout, entries }));
  pass.dispatchWorkgroups(1);
  pass.end();
  const read = device.createBuffer({ size: 8 * BATCH, usage: USAGE.mapRead | USAGE.copyTarget });
  encoder.copyBufferToBuffer(keys, 0, read, 0, 8 * BATCH);
  device.queue.submit([encoder.finish()]);
  await read.mapAsync(MAP_READ);
  const words = new Uint32Array(read.getMappedRange()).slice();
  for (const { resource } of entries) resource.buffer.destroy();
  read.destroy();
  shard.destroy();
  return { largest: words.subarray(0, BATCH), smallest: words.subarray(BATCH) };
}

describeOnGpu('bounds from the kernel', (context) => {
  test.each(Object.keys(STARTS))('no search for a violation finds one: %s', async (kind) => {
    for (const metric of METRICS) {
      for (const dim of [16, 35]) {
        expect(hasCodes(optionsOf(metric, dim))).toBe(true);
        const worst = await climb(dim, kind, 3 * EFFORT, dim * 31, async (query, rows) => {
          const { smallest, largest } = await endsOf(context(), metric, query, rows);
          return Array.from(truths(metric, query, rows), (truth, i) => {
            if (smallest[i] === 0 && largest[i] === 0xfffffffe) return 0;
            const [low, high] = [costOf(smallest[i]!), costOf(largest[i]!)];
            const half = (high - low) / 2;
            return truth < low || truth > high ? 2 : half === 0 ? 0 : Math.abs(truth - low - half) / half;
          });
        });
        expect([metric, dim, worst]).toEqual([metric, dim, Math.min(worst, 1)]);
      }
    }
  });
});

const probe = await provider.probe();

(probe.available ? describe : describe.skip)('the certified scan', () => {
  const dim = 48;
  const n = 5000;
  const first = 3000 * dim; // of the upload; the rest is appended, in the middle of a block
  const source = random(12);
  const ordinary = draw(n * dim, dim, 'normal', source);
  // Far from the origin: under l2 codes exclude nothing.
  const far = ordinary.map((value) => value + 1000);
  const tied = ordinary.map((value, i) => (Math.floor(i / dim) % 3 === 0 ? 1 : value / 100));
  const queries = draw(9 * dim, dim, 'normal', source).fill(0, 0, dim);
  const cases = METRICS.flatMap((metric) => [
    { metric, language: [], subgroups: false },
    { metric, language: ['packed_4x8_integer_dot_product'], subgroups: true },
  ]);

  test.each(cases)(
    '$metric: answers are exact wherever codes lead, with $language, subgroups: $subgroups',
    async ({ metric, language, subgroups }) => {
      await using device = new OpenedDevice(await openWebgpu({ language: new Set(language), subgroups }));
      for (const data of [ordinary, far, tied]) {
        await using rows = await device.upload(data.subarray(0, first), { dim, metric, dtype: 'f32' });
        await rows.append(data.subarray(first));
        for (const [q, k] of [
          [9, 10],
          [1, 300],
        ] as const) {
          const asked = queries.subarray(0, q * dim);
          const { ids, scores } = await rows.search(asked, { k });
          const right = naiveSearch(data, asked, dim, metric, k);
          expect([q, k, [...ids], [...scores]]).toEqual([q, k, right.ids, right.scores]);
        }
      }
    },
  );
});
