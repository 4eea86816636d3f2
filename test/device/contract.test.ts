import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { random } from '../../ts/core/random.ts';
import type { Filter, Metric, TopK } from '../../ts/core/types.ts';
import type { Device } from '../../ts/device/device.ts';
import { chromiumDevices } from '../helpers/chromiumDevice.ts';
import { devices } from '../helpers/devices.ts';
import { DRAWN, EFFORT } from '../helpers/effort.ts';
import { naiveSearch } from '../helpers/naiveSearch.ts';

interface Case {
  metric: Metric;
  dim: number;
  n: number;
  q: number;
  k: number;
  share: number | undefined;
  filterKind: 'mask' | 'rows';
  spread: 'normal' | 'few values' | 'wild';
  seed: number;
}

const sizes = fc.oneof(
  fc.constantFrom(0, 1, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 700),
  fc.nat(1500),
);
const cases: fc.Arbitrary<Case> = fc
  .record({
    metric: fc.constantFrom<Metric>('ip', 'cosine', 'l2'),
    dim: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 100 }) }, fc.constantFrom(384, 1025)),
    n: sizes,
    q: fc.constantFrom(0, 1, 1, 2, 7, 8, 9, 33),
    k: fc.constantFrom<(n: number) => number>(
      () => 1,
      () => 5,
      () => 31,
      () => 32,
      () => 33,
      () => 255,
      () => 256,
      () => 257,
      (n) => n - 1,
      (n) => n,
      (n) => n + 1,
    ),
    share: fc.option(fc.constantFrom(0, 0.01, 0.3, 0.5, 0.99, 1), { nil: undefined, freq: 2 }),
    filterKind: fc.constantFrom('mask' as const, 'rows' as const),
    spread: fc.constantFrom('normal' as const, 'few values' as const, 'wild' as const),
    seed: fc.nat(),
  })
  .map(({ k, ...rest }) => ({ ...rest, k: Math.max(1, k(rest.n)) }));

function numbers(count: number, spread: Case['spread'], seed: number): Float32Array {
  const source = random(seed);
  const draw = {
    normal: () => source.normal(),
    'few values': () => source.below(3) - 1,
    wild: () => source.normal() * 2 ** (source.below(40) - 20),
  }[spread];
  return Float32Array.from({ length: count }, draw);
}

function filterOf({
  n,
  share,
  filterKind,
  seed,
}: Case): { filter: Filter; allowed: Set<number> } | undefined {
  if (share === undefined) return undefined;
  const source = random(seed ^ 0x5eed);
  const allowed = new Set(Array.from({ length: n }, (_, id) => id).filter(() => source.next() < share));
  if (filterKind === 'rows')
    return { filter: { rows: Uint32Array.from(source.shuffle([...allowed])) }, allowed };
  // Bits past the last row are set: they must not matter.
  const mask = new Uint32Array(Math.ceil(n / 32) + 1).fill(0xffffffff);
  for (let id = 0; id < n; id++) if (!allowed.has(id)) mask[id >> 5]! &= ~(1 << (id & 31));
  return { filter: { mask }, allowed };
}

/** Bit patterns, so that -0 and 0 differ. */
const bits = (scores: ArrayLike<number>) => Array.from(new Uint32Array(Float32Array.from(scores).buffer));

function expectSame(
  top: TopK,
  data: ArrayLike<number>,
  queries: Float32Array,
  c: Case,
  allowed?: Set<number>,
): void {
  const naive = naiveSearch(data, queries, c.dim, c.metric, c.k, (id) => allowed?.has(id) ?? true);
  expect(Array.from(top.ids)).toEqual(naive.ids);
  expect(bits(top.scores)).toEqual(bits(naive.scores));
  expect(Array.from(top.counts)).toEqual(naive.counts);
  expect(top.k).toBe(c.k);
}

describe.each([...devices, ...chromiumDevices])('$label', ({ open, pace }) => {
  let device: Device;
  beforeAll(async () => {
    device = await open();
  });
  afterAll(() => device.close());

  test(
    'agrees with the definition on random input',
    async () => {
      const property = fc.asyncProperty(cases, async (c) => {
        const data = numbers(c.n * c.dim, c.spread, c.seed);
        const queries = numbers(c.q * c.dim, c.spread, c.seed + 1);
        const filtered = filterOf(c);
        await using rows = await device.upload(data, { dim: c.dim, metric: c.metric, dtype: 'f32' });
        const top = await rows.search(queries, { k: c.k, filter: filtered?.filter });
        expectSame(top, data, queries, c, filtered?.allowed);
        expect(top.device).toBe(device.name);
      });
      await fc.assert(property, { numRuns: Math.ceil(60 * pace * EFFORT), ...DRAWN });
    },
    180_000 * EFFORT,
  );

  test('a result does not depend on the other queries of the batch', async () => {
    const dim = 24;
    const data = numbers(900 * dim, 'normal', 3);
    const queries = numbers(17 * dim, 'normal', 4);
    await using rows = await device.upload(data, { dim, metric: 'cosine', dtype: 'f32' });
    const together = await rows.search(queries, { k: 6 });
    for (let query = 0; query < 17; query++) {
      const alone = await rows.search(queries.subarray(query * dim, (query + 1) * dim), { k: 6 });
      expect(alone.ids).toEqual(together.ids.slice(query * 6, query * 6 + 6));
      expect(bits(alone.scores)).toEqual(bits(together.scores.slice(query * 6, query * 6 + 6)));
    }
  });

  test('filters of 0, 1, k - 1 and k rows fill as many slots', async () => {
    const dim = 5;
    const k = 10;
    const data = numbers(500 * dim, 'normal', 7);
    const queries = numbers(3 * dim, 'normal', 8);
    await using rows = await device.upload(data, { dim, metric: 'ip', dtype: 'f32' });
    for (const size of [0, 1, k - 1, k]) {
      const ids = Uint32Array.from({ length: size }, (_, i) => 499 - 7 * i);
      const top = await rows.search(queries, { k, filter: { rows: ids } });
      expect(Array.from(top.counts)).toEqual([size, size, size]);
      const c = { metric: 'ip', dim, k } as Case;
      expectSame(top, data, queries, c, new Set(ids));
    }
  });

  test('rows come in as chunks of any size', async () => {
    const dim = 9;
    const data = numbers(777 * dim, 'normal', 11);
    const queries = numbers(2 * dim, 'normal', 12);
    async function* chunks() {
      const buffer = new Float32Array(200 * dim); // one buffer, filled again and again
      for (let at = 0; at < data.length; ) {
        const part = data.subarray(at, at + (1 + (at % 199)) * dim);
        buffer.set(part);
        yield buffer.subarray(0, part.length);
        at += part.length;
      }
    }
    await using rows = await device.upload(chunks(), { dim, metric: 'l2', dtype: 'f32' });
    expect(rows).toMatchObject({ count: 777, live: 777, generation: 0, dim, metric: 'l2', dtype: 'f32' });
    expect(rows.bytes).toBeGreaterThanOrEqual(data.byteLength);
    const top = await rows.search(queries, { k: 12 });
    expectSame(top, data, queries, { metric: 'l2', dim, k: 12 } as Case);
  });
});
