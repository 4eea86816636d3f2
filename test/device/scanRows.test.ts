import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Random, random } from '../../ts/core/random.ts';
import type { Dtype, Filter, Metric, TopK } from '../../ts/core/types.ts';
import type { Device } from '../../ts/device/device.ts';
import { chromiumDevices } from '../helpers/chromiumDevice.ts';
import { devices } from '../helpers/devices.ts';
import { DRAWN, EFFORT, SEED } from '../helpers/effort.ts';
import { KINDS, numbers, queriesFor } from '../helpers/kinds.ts';
import { openedWithReference } from '../helpers/opened.ts';
import { expectSame } from '../helpers/searchCases.ts';

interface Case {
  metric: Metric;
  dtype: Dtype;
  kind: string;
  dim: number;
  n: number;
  q: number;
  k: number;
  /** How many different rows the filter names. */
  named: number;
  /** Rows named more than once. */
  doubled: number;
  removed: number;
  seed: number;
}

const pick = (n: number, count: number, source: Random) =>
  source.shuffle(Array.from({ length: n }, (_, id) => id)).slice(0, count);

/**
 * The k best of the rows that pass, from a search of the reference that filters nothing: all rows in order, and those
 * that do not pass taken out.
 */
function without(all: TopK, k: number, passes: (id: number) => boolean, empty: number): TopK {
  const q = all.counts.length;
  const left = { ids: new Uint32Array(q * k).fill(0xffffffff), scores: new Float32Array(q * k).fill(empty) };
  const counts = new Uint32Array(q);
  for (let query = 0; query < q; query++) {
    for (let slot = query * all.k; slot < query * all.k + all.counts[query]!; slot++) {
      const place = counts[query]!;
      if (place === k || !passes(all.ids[slot]!)) continue;
      left.ids[query * k + place] = all.ids[slot]!;
      left.scores[query * k + place] = all.scores[slot]!;
      counts[query] = place + 1;
    }
  }
  return { ...all, ...left, counts, k };
}

/** What a device finds with the same rows given as a list (in any order, some twice) and as a mask; what is right. */
async function play(device: Device, reference: Device, c: Case) {
  const source = random(c.seed);
  const { dim, metric, dtype, n, k } = c;
  const data = numbers(n, dim, c.kind, c.seed).map((x) =>
    dtype === 'f16' ? Math.max(-6e4, Math.min(6e4, x)) : x,
  );
  const queries = numbers(c.q, dim, queriesFor(c.kind), c.seed + 1);
  const named = pick(n, c.named, source);
  const removed = new Set(pick(n, c.removed, source));
  const rows = Uint32Array.from(source.shuffle([...named, ...named.slice(0, c.doubled)]));
  const mask = new Uint32Array(Math.ceil(n / 32));
  for (const id of named) mask[id >> 5]! |= 1 << (id & 31);
  const search = async (on: Device, k: number, ...filters: (Filter | undefined)[]) => {
    const first = Math.ceil((2 * n) / 3) * dim;
    await using resident = await on.upload(data.subarray(0, first), { dim, metric, dtype });
    await resident.append(data.subarray(first));
    if (on !== reference) await resident.remove([...removed]);
    return Promise.all(filters.map((filter) => resident.search(queries, { k, filter })));
  };
  const [listed, masked] = await search(device, k, { rows }, { mask });
  const [all] = await search(reference, n, undefined);
  const wanted = new Set(named.filter((id) => !removed.has(id)));
  const empty = metric === 'l2' || metric === 'hamming' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  return { listed: listed!, masked: masked!, right: without(all!, k, (id) => wanted.has(id), empty) };
}

async function expectRight(device: Device, reference: Device, c: Case): Promise<void> {
  const { listed, masked, right } = await play(device, reference, c);
  expectSame(listed, right);
  expectSame(masked, right);
}

const FORMS: [Metric, Dtype][] = [
  ...(['ip', 'cosine', 'l2'] as const).flatMap((metric) =>
    (['f32', 'f16', 'bf16', 'int8'] as const).map((dtype): [Metric, Dtype] => [metric, dtype]),
  ),
  ['hamming', 'binary'],
];
/** Around what one block, tile or slab of a device holds, and where lists begin to be sorted. */
const ROWS = [1, 31, 33, 64, 65, 511, 513, 1023, 1024, 1025, 2048, 3100, 4097];
/** Of n rows: a few, and around the shares at which a list takes over from a bitset. */
const NAMED: ((n: number) => number)[] = [
  () => 0,
  () => 1,
  () => 2,
  () => 5,
  (n) => Math.floor(n / 1024),
  (n) => Math.floor(n / 1024) + 1,
  (n) => Math.floor(n / 17),
  (n) => Math.floor(n / 16),
  (n) => Math.floor(n / 16) + 1,
  (n) => Math.floor(n / 3),
  (n) => n,
];

const cases: fc.Arbitrary<Case> = fc
  .record({
    form: fc.constantFrom(...FORMS),
    kind: fc.constantFrom(...Object.keys(KINDS)),
    dim: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(64, 65, 129, 300)),
    n: fc.constantFrom(...ROWS),
    q: fc.constantFrom(1, 2, 7, 8, 9),
    k: fc.constantFrom(1, 2, 31, 33, 100),
    named: fc.constantFrom(...NAMED),
    doubled: fc.constantFrom(0, 1, 7),
    removed: fc.constantFrom(0, 0.02, 0.5, 0.97),
    seed: fc.nat(),
  })
  .map(({ form: [metric, dtype], ...c }) => {
    const dim = Math.max(1, Math.min(c.dim, Math.floor(4e5 / c.n / c.q)));
    const named = Math.min(c.n, c.named(c.n));
    return { ...c, metric, dtype, dim, named, removed: Math.round(c.removed * c.n) };
  });

describe.each([...devices, ...chromiumDevices])('$label', ({ open, pace }) => {
  const opened = openedWithReference(open);

  test(
    `listed rows are searched as a mask of them, exactly (seed ${SEED})`,
    async () => {
      const property = fc.asyncProperty(cases, (c) => expectRight(opened.device, opened.reference, c));
      await fc.assert(property, { numRuns: Math.ceil(25 * pace * EFFORT), ...DRAWN });
    },
    120_000 * EFFORT,
  );

  test.each(FORMS)('%s over %s, few of many rows', async (metric, dtype) => {
    const c = { metric, dtype, kind: 'normal', dim: 19, n: 1100, q: 9, k: 12, doubled: 3, seed: 5 };
    await expectRight(opened.device, opened.reference, { ...c, named: 2, removed: 0 });
    await expectRight(opened.device, opened.reference, { ...c, named: 66, removed: 400 });
    await expectRight(opened.device, opened.reference, { ...c, q: 1, k: 2, named: 66, removed: 0 });
    if (dtype !== 'f32' || metric === 'l2') return;
    // Bounds differ from row to row, and decide.
    const long = { ...c, kind: 'lengths from 1 to 1e30', k: 1, removed: 0 };
    await expectRight(opened.device, opened.reference, { ...long, named: 30 });
  });

  test('a short list of many rows may name rows twice, and removed ones', async () => {
    const data = Float32Array.from({ length: 6000 }, (_, row) => row);
    await using rows = await opened.device.upload(data, { dim: 1, metric: 'ip', dtype: 'f32' });
    await rows.remove([17]);
    const filter = { rows: Uint32Array.of(17, 5999, 3, 3, 17) };
    const found = await rows.search(Float32Array.of(1), { k: 4, filter });
    expect([...found.ids]).toEqual([5999, 3, 0xffffffff, 0xffffffff]);
    expect([...found.counts]).toEqual([2]);
  });

  test('of the rows listed, more tie than there is room for', async () => {
    const c = { metric: 'ip', dtype: 'f32', kind: 'all rows equal', dim: 3, n: 30_000, q: 1, k: 2 } as const;
    await expectRight(opened.device, opened.reference, {
      ...c,
      named: 1800,
      doubled: 5,
      removed: 0,
      seed: 6,
    });
  });

  test('rows that are listed but not there are refused', async () => {
    await using rows = await opened.device.upload(new Float32Array(5000), {
      dim: 2,
      metric: 'ip',
      dtype: 'f32',
    });
    await expect(
      rows.search(Float32Array.of(1, 2), { k: 1, filter: { rows: Uint32Array.of(3, 2500) } }),
    ).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: 'filter.rows[1] is 2500, but there are 2500 rows: ids must be below 2500.',
    });
  });
});
