import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { TopK } from '../../ts/core/types.ts';
import { provider } from '../../ts/device/cpu.ts';
import type { Device } from '../../ts/device/device.ts';
import { native } from '../../ts/device/native.ts';
import { OpenedDevice } from '../../ts/device/openedDevice.ts';
import { DRAWN, EFFORT } from '../helpers/effort.ts';
import { KINDS, numbers } from '../helpers/kinds.ts';
import { openedWithReference } from '../helpers/opened.ts';
import { expectSame, METRICS, play, type SearchCase, searchCases } from '../helpers/searchCases.ts';

const isas = native()?.supportedIsas() ?? [];
if (isas.length === 0) console.warn('The cpu device is not tested: the addon is not built.');
/** Opens the cpu device at one instruction-set level. */
async function openIsa(isa: string): Promise<Device> {
  process.env.SEINE_ISA = isa;
  try {
    return new OpenedDevice(await provider.open());
  } finally {
    delete process.env.SEINE_ISA;
  }
}

(isas.length === 0 ? describe.skip : describe).each(isas.length === 0 ? ['no addon'] : isas)('%s', (isa) => {
  const opened = openedWithReference(() => openIsa(isa));

  test('says which level it runs', () => {
    expect(opened.device.description).toMatch(new RegExp(`^${isa}, \\d+ thread`));
  });

  test(
    'ids and scores are bit for bit those of the reference',
    async () => {
      const property = fc.asyncProperty(searchCases(6e5), async (c) => {
        expectSame(await play(opened.device, c), await play(opened.reference, c));
      });
      await fc.assert(property, { numRuns: 30 * EFFORT, ...DRAWN });
    },
    60_000 * EFFORT,
  );

  test.each(Object.keys(KINDS))('every metric on data of the kind %s', async (kind) => {
    for (const metric of METRICS) {
      const c = { metric, kind, dim: 19, parts: [1500], q: 5, k: () => 40, removed: 0, seed: 5 };
      const whole: SearchCase = { ...c, filter: 'none', passing: (n) => n };
      expectSame(await play(opened.device, whole), await play(opened.reference, whole));
    }
  });

  test.each(METRICS)('%s over several chunks and stripes', async (metric) => {
    for (const [dim, parts] of [
      [1, [66_000, 1, 70_000]],
      [40, [12_000, 13_001]], // a stripe's share of the cache is no whole number of the bitset's words
    ] as const) {
      const c = { metric, kind: 'normal', dim, parts: [...parts], q: 2, seed: 9, removed: 0.02 };
      for (const [filter, share, k] of [
        ['none', 1, () => 500],
        ['mask', 0.3, () => 500],
        ['rows', 0.01, () => 500],
        ['none', 1, (n: number) => n], // every row, the last of a stripe as well
      ] as const) {
        const whole: SearchCase = { ...c, k, filter, passing: (n) => Math.round(share * n) };
        expectSame(await play(opened.device, whole), await play(opened.reference, whole));
      }
    }
  });

  test('searches keep their snapshot while rows are appended and removed', async () => {
    const dim = 33;
    const data = numbers(3000, dim, 'normal', 1);
    const more = numbers(3000, dim, 'normal', 2);
    const queries = numbers(9, dim, 'normal', 3);
    const run = async (on: Device): Promise<TopK[]> => {
      await using rows = await on.upload(data, { dim, metric: 'l2', dtype: 'f32' });
      const results: Promise<TopK>[] = [];
      for (let i = 0; i < 10; i++) {
        results.push(rows.search(queries, { k: 20 }));
        void rows.append(more.subarray(i * 300 * dim, (i + 1) * 300 * dim));
        results.push(rows.search(queries, { k: 20 }));
        void rows.remove(Uint32Array.from({ length: 50 }, (_, j) => (i * 61 + j * 13) % 3000));
      }
      return Promise.all(results);
    };
    const [found, wanted] = await Promise.all([run(opened.device), run(opened.reference)]);
    for (const [i, one] of found.entries()) {
      expect(one.generation).toBe(i);
      expectSame(one, wanted[i]!);
    }
  });

  test('many searches at once', async () => {
    const dim = 64;
    await using rows = await opened.device.upload(numbers(4000, dim, 'normal', 4), {
      dim,
      metric: 'ip',
      dtype: 'f32',
    });
    const queries = Array.from({ length: 40 }, (_, i) => numbers(1 + (i % 5), dim, 'normal', 100 + i));
    const together = await Promise.all(queries.map((one, i) => rows.search(one, { k: 1 + i * 7 })));
    for (const [i, one] of queries.entries())
      expectSame(together[i]!, await rows.search(one, { k: 1 + i * 7 }));
  });

  test('abort rejects with the reason, and the device goes on', async () => {
    const dim = 128;
    await using rows = await opened.device.upload(numbers(20_000, dim, 'rising', 6), {
      dim,
      metric: 'cosine',
      dtype: 'f32',
    });
    const queries = numbers(200, dim, 'rising', 7);
    const reason = new Error('enough');
    const controller = new AbortController();
    const search = rows.search(queries, { k: 100, signal: controller.signal });
    setImmediate(() => controller.abort(reason));
    await expect(search).rejects.toBe(reason);
    const top = await rows.search(queries.subarray(0, dim), { k: 3 });
    expect(Array.from(top.counts)).toEqual([3]);
  });
});

describe('SEINE_ISA', () => {
  afterEach(() => {
    delete process.env.SEINE_ISA;
  });

  (isas.length === 0 ? test.skip : test)('an unknown level is refused with those there are', async () => {
    process.env.SEINE_ISA = 'mmx';
    await expect(provider.open()).rejects.toMatchObject({
      code: 'ERR_DEVICE_UNAVAILABLE',
      message: expect.stringMatching(/scalar.*got 'mmx'/),
    });
    await expect(provider.probe()).resolves.toMatchObject({ available: false });
  });
});
