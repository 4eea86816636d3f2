import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { countGpuWork, type GpuCounter } from '../../bench/measure/gpuWork.ts';
import { random } from '../../ts/core/random.ts';
import type { Dtype, Filter, Metric } from '../../ts/core/types.ts';
import type { Device } from '../../ts/device/device.ts';
import { openDevice } from '../../ts/device/openDevice.ts';
import { provider } from '../../ts/device/webgpu.ts';

const probe = await provider.probe();
if (!probe.available) console.warn(`Work on WebGPU is not counted here: ${probe.reason}.`);

const suite = probe.available ? describe : describe.skip;

suite('the work of a search', () => {
  const n = 3000;
  const PARAMS = 40;
  let device: Device;
  let counter: GpuCounter;
  beforeAll(async () => {
    counter = countGpuWork((await import('webgpu')).globals);
    device = await openDevice('webgpu');
  });
  afterAll(async () => {
    await device?.close();
    counter.restore();
  });

  interface Asked {
    dim?: number;
    dtype?: Dtype;
    metric?: Metric;
    filter?: Filter;
  }

  async function workOf(data: Float32Array, q: number, k: number, asked: Asked = {}) {
    const { dim = 20, dtype = 'f32', metric = 'ip', filter } = asked;
    const source = random(q);
    const queries = Float32Array.from({ length: q * dim }, () => source.normal());
    await using rows = await device.upload(data, { dim, metric, dtype });
    counter.reset();
    await rows.search(queries, { k, filter });
    return { ...counter.work, bytesMoved: await counter.bytesMoved() };
  }

  const drawn = (length: number) => {
    const source = random(1);
    return Float32Array.from({ length }, () => source.next() - 0.5);
  };
  const ordinary = drawn(n * 20);
  const readBack = (q: number, k: number) => 4 * q * (1 + k + Math.ceil(k / 16) + 8);

  test.each([
    { share: 'many', q: 1, padded: 1, k: 200, dispatches: 1 + 4 * 2 + 1, params: PARAMS },
    { share: 'many', q: 7, padded: 8, k: 190, dispatches: 1 + 4 * 2 + 1, params: PARAMS },
    { share: 'many', q: 8, padded: 8, k: 1000, dispatches: 1 + 4 * 2 + 1, params: PARAMS },
    { share: 'many', q: 33, padded: 48, k: 300, dispatches: 1 + 4 * 2 + 1, params: PARAMS },
    { share: 'few', q: 1, padded: 1, k: 10, dispatches: 4, params: 2 * PARAMS },
    { share: 'few', q: 33, padded: 48, k: 180, dispatches: 4, params: 2 * PARAMS },
  ])(
    'for $share of the rows is one submit of $dispatches dispatches, and reads k and few more, for $q queries, which are padded to $padded, and k = $k',
    async ({ q, padded, k, dispatches, params }) => {
      expect(await workOf(ordinary, q, k)).toMatchObject({
        submits: 1,
        dispatches,
        bytesWritten: padded * 20 * 4 + q * 16 + params,
        bytesRead: readBack(q, k),
      });
    },
  );

  test.each<[Dtype, number, number, number, number]>([
    ['f32', 20, 20_000, 1, 10],
    ['f16', 96, 20_000, 8, 10],
    ['int8', 96, 20_000, 33, 3],
  ])(
    'over many rows is one submit of four dispatches that reads each row once for 32 queries: %s of %i, %i rows, %i queries, k = %i',
    async (dtype, dim, count, q, k) => {
      const work = await workOf(drawn(count * dim), q, k, { dim, dtype });
      expect(work).toMatchObject({ submits: 1, dispatches: 4, bytesRead: readBack(q, k) });
      const width = { f32: 4, f16: 2, bf16: 2, int8: 1, binary: 1 / 8 }[dtype] * dim + 8;
      const ratio = work.bytesMoved / (Math.ceil(q / 32) * count * width);

      expect(ratio).toBeGreaterThan(1);
      expect(ratio).toBeLessThan(1.1);
    },
    180_000,
  );

  test.each<[Metric, number, number, number, number]>([
    ['l2', 384, 20_000, 1, 3],
    ['cosine', 96, 20_000, 8, 10],
    ['ip', 384, 24_000, 64, 5],
  ])(
    'over codes is one submit of four dispatches that reads each code once for 32 queries: %s of %i, %i rows, %i queries, k = %i',
    async (metric, dim, count, q, k) => {
      const work = await workOf(drawn(count * dim), q, k, { dim, metric });
      expect(work).toMatchObject({ submits: 1, dispatches: 4, bytesRead: 4 * q * (1 + 6 * k + 32) });
      const ratio = work.bytesMoved / (Math.ceil(q / 32) * count * (dim + 12));

      expect(ratio).toBeGreaterThan(1);
      expect(ratio).toBeLessThan(1.1);
    },
    180_000,
  );

  test('writes a filter as one bit a row', async () => {
    const plain = await workOf(ordinary, 1, 10);
    const mask = new Uint32Array(Math.ceil(n / 32)).fill(0x77777777);
    const { bytesWritten } = await workOf(ordinary, 1, 10, { filter: { mask } });
    expect(bytesWritten).toBe(plain.bytesWritten + mask.byteLength);
  });

  test('writes few rows as four bytes each', async () => {
    const plain = await workOf(ordinary, 1, 10);
    const rows = Uint32Array.from({ length: 50 }, (_, i) => 59 * i);
    const { bytesWritten } = await workOf(ordinary, 1, 10, { filter: { rows } });
    // Of so few no sample is taken.
    expect(bytesWritten).toBe(plain.bytesWritten + rows.byteLength - PARAMS);
  });

  test('a second submit copies the other candidates where many are undecided', async () => {
    const tied = 500;
    const dim = 20;
    const sign = Math.sign(random(1).normal()); // of the query's first number, which alone decides
    const source = random(2);
    const data = Float32Array.from({ length: n * dim }, (_, i) => {
      if (i % dim > 0) return 0;
      return sign * (i < tied * dim ? 9 : 8 * source.next());
    });
    expect(await workOf(data, 1, 10)).toMatchObject({
      submits: 2,
      dispatches: 4,
      bytesWritten: dim * 4 + 16 + 2 * PARAMS,
      bytesRead: 4 * (1 + tied),
    });
  });
});
