import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Random, random } from '../../ts/core/random.ts';
import type { Dtype, Metric } from '../../ts/core/types.ts';
import type { Device, RowBatch } from '../../ts/device/device.ts';
import { chromiumDevices } from '../helpers/chromiumDevice.ts';
import { devices } from '../helpers/devices.ts';
import { DRAWN, EFFORT, SEED } from '../helpers/effort.ts';
import { expectRescored } from '../helpers/expectRescored.ts';
import { KINDS, numbers, queriesFor } from '../helpers/kinds.ts';
import { openedWithReference } from '../helpers/opened.ts';
import { expectSame } from '../helpers/searchCases.ts';

type Draw = (source: Random) => number;

const normal: Draw = (source) => source.normal();
const anyMagnitude: Draw = (source) => source.normal() * 2 ** (source.below(250) - 140);
/** Features and weights that strain bounds, ties and the range of float32. */
const WEIGHED: Record<string, { feature: Draw; weight: Draw }> = {
  normal: { feature: normal, weight: normal },
  'few values': { feature: (source) => source.below(3) - 1, weight: (source) => source.below(3) - 1 },
  'times of day': {
    feature: (source) => 1.7e9 + source.below(1e6),
    weight: (source) => source.normal() * 1e-9,
  },
  huge: { feature: (source) => source.normal() * 1e30, weight: (source) => source.normal() * 1e6 },
  'near overflow': { feature: (source) => source.normal() * 1e38, weight: (source) => source.below(7) - 3 },
  'beyond what WebGPU bounds': { feature: (source) => source.normal() * 2 ** 101, weight: normal },
  'denormal features': { feature: (source) => source.normal() * 1e-40, weight: normal },
  'denormal weights': { feature: normal, weight: (source) => source.normal() * 1e-40 },
  'all magnitudes': { feature: anyMagnitude, weight: anyMagnitude },
  'large beside small weights': {
    feature: (source) => source.normal() * 2 ** (source.below(90) + 1),
    weight: (source) => source.normal() * (source.next() < 0.3 ? 1e30 : 1e-12),
  },
};

interface Case {
  metric: Metric;
  dtype: Dtype;
  kind: string;
  weighed: string;
  dim: number;
  features: number;
  /** Rows of the upload and of each append. */
  parts: number[];
  q: number;
  k: (n: number) => number;
  share: number;
  removed: number;
  compact: boolean;
  seed: number;
}

const SIZES = [1, 31, 32, 33, 63, 64, 65, 255, 257, 600, 1030];
/** Multiplications of a case at most: `dim` gives way. */
const WORK = 4e5;
const drawnCases: fc.Arbitrary<Case> = fc.record({
  metric: fc.constantFrom('ip', 'cosine'),
  dtype: fc.constantFrom('f32', 'f32', 'f16', 'bf16', 'int8'),
  kind: fc.constantFrom(...Object.keys(KINDS)),
  weighed: fc.constantFrom(...Object.keys(WEIGHED)),
  dim: fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(127, 128, 129, 384)),
  features: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(31, 256)),
  parts: fc.array(fc.constantFrom(...SIZES), { minLength: 1, maxLength: 3 }),
  q: fc.constantFrom(1, 2, 7, 8, 9, 20, 33),
  k: fc.constantFrom<Case['k'][]>(
    ...[1, 10, 31, 32, 33, 257].map((k) => Object.assign(() => k, { toString: () => `${k}` })),
    ...[-1, 0, 1].map((more) =>
      Object.assign((n: number) => Math.max(1, n + more), { toString: () => `n + ${more}` }),
    ),
  ) as fc.Arbitrary<Case['k']>,
  share: fc.constantFrom(1, 0.6, 0.03),
  removed: fc.constantFrom(0, 0.1, 0.5),
  compact: fc.boolean(),
  seed: fc.nat(),
});

const cases = drawnCases.map((c) => {
  const rows = c.parts.reduce((sum, part) => sum + part);
  return { ...c, dim: Math.max(1, Math.min(c.dim, Math.floor(WORK / rows / c.q))) };
});

const fitting = (values: Float32Array, dtype: Dtype): Float32Array => {
  const most = dtype === 'f16' ? 6e4 : 3e38;
  return values.map((x) => Math.max(-most, Math.min(most, x)));
};
const drawn = (length: number, draw: Draw, source: Random): Float32Array =>
  Float32Array.from({ length }, () => draw(source)).map((x) => (Number.isFinite(x) ? x : 3e38));

/** What is uploaded, appended and asked. */
function inputOf(c: Case) {
  const source = random(c.seed);
  const { feature, weight } = WEIGHED[c.weighed]!;
  return {
    batches: c.parts.map(
      (n, i): RowBatch => ({
        data: fitting(numbers(n, c.dim, c.kind, c.seed + i + 2), c.dtype),
        features: drawn(n * c.features, feature, source),
      }),
    ),
    queries: numbers(c.q, c.dim, queriesFor(c.kind), c.seed + 1),
    weights: drawn(c.q * (1 + c.features), weight, source),
    source,
  };
}

async function play(device: Device, c: Case) {
  const { batches, queries, weights, source } = inputOf(c);
  const { dim, metric, dtype, features } = c;
  await using rows = await device.upload(batches[0]!, { dim, metric, dtype, features });
  for (const batch of batches.slice(1)) {
    const gone = Array.from({ length: rows.count }, (_, id) => id).filter(() => source.next() < c.removed);
    await rows.remove(gone);
    if (c.compact) await rows.compact();
    await rows.append(batch);
  }
  const passing = Array.from({ length: rows.count }, (_, id) => id).filter(() => source.next() < c.share);
  const filter = c.share === 1 ? undefined : { rows: Uint32Array.from(passing) };
  const top = await rows.search(queries, { k: c.k(rows.count), filter, weights });
  await expectRescored(rows, queries, top, { weights });
  return top;
}

describe.each([...devices, ...chromiumDevices])('$label', ({ label, open, pace }) => {
  const opened = openedWithReference(open);

  test(
    `ids and scores are bit for bit those of the reference (seed ${SEED})`,
    async () => {
      const property = fc.asyncProperty(cases, async (c) => {
        expectSame(await play(opened.device, c), await play(opened.reference, c));
      });
      await fc.assert(property, {
        numRuns: Math.ceil((label === 'reference' ? 3 : 16) * pace * EFFORT),
        ...DRAWN,
      });
    },
    120_000 * EFFORT,
  );

  test.each(Object.keys(WEIGHED))('features and weights of the kind %s', async (weighed) => {
    for (const metric of ['ip', 'cosine'] as const) {
      const c: Case = {
        ...{ metric, dtype: 'f32', kind: 'normal', weighed, dim: 21, features: 3, parts: [300, 33] },
        ...{ q: 9, k: () => 33, share: 1, removed: 0, compact: false, seed: 5 },
      };
      expectSame(await play(opened.device, c), await play(opened.reference, c));
    }
  });

  test('of many rows those are found whose features make them the best', async () => {
    const c: Case = {
      ...{ metric: 'ip', dtype: 'f32', kind: 'normal', weighed: 'normal', dim: 32, features: 3 },
      ...{ parts: [5000, 500], q: 3, k: () => 12, share: 1, removed: 0, compact: false, seed: 6 },
    };
    expectSame(await play(opened.device, c), await play(opened.reference, c));
  });

  test('near ties under negative weights are decided by canonical scores', async () => {
    const [dim, n, q, k] = [100, 600, 4, 25];
    const batch = { data: numbers(n, dim, 'one bit apart', 3), features: new Float32Array(n) };
    const queries = numbers(q, dim, 'around one', 4);
    const weights = Float32Array.from({ length: 2 * q }, (_, i) => (i % 2) - 1);
    const search = async (device: Device) => {
      await using rows = await device.upload(batch, { dim, metric: 'ip', dtype: 'f32', features: 1 });
      return rows.search(queries, { k, weights });
    };
    expectSame(await search(opened.device), await search(opened.reference));
  });

  test('a score is the float32 of the float64 sum, and equal ones go to the lower row', async () => {
    const [dim, features, n, q, k] = [6, 2, 500, 3, 40];
    const source = random(9);
    const batch = { data: drawn(n * dim, normal, source), features: drawn(n * features, normal, source) };
    batch.features.set(batch.features.subarray(0, 40), 400);
    batch.data.set(batch.data.subarray(0, 120), 1200);
    const queries = drawn(q * dim, normal, source);
    const weights = drawn(q * (1 + features), normal, source);
    await using rows = await opened.device.upload(batch, { dim, metric: 'ip', dtype: 'f32', features });
    const { ids, scores } = await rows.search(queries, { k, weights });
    for (let query = 0; query < q; query++) {
      const all = Array.from({ length: n }, (_, id) => {
        let dot = 0;
        for (let i = 0; i < dim; i++) dot += queries[query * dim + i]! * batch.data[id * dim + i]!;
        const [w0, w1, w2] = weights.subarray(query * 3, query * 3 + 3) as unknown as [
          number,
          number,
          number,
        ];
        const [a, b] = batch.features.subarray(id * 2, id * 2 + 2) as unknown as [number, number];
        return { id, score: Math.fround(w0 * dot + w1 * a + w2 * b) };
      });
      all.sort((x, y) => y.score - x.score || x.id - y.id);
      expect(Array.from(ids.subarray(query * k, (query + 1) * k))).toEqual(
        all.slice(0, k).map(({ id }) => id),
      );
      expect(scores.subarray(query * k, (query + 1) * k)).toEqual(
        Float32Array.from(all.slice(0, k), ({ score }) => score),
      );
    }
  });

  test('features count as bytes, and what is wrong is refused in one sentence', async () => {
    const options = { dim: 2, metric: 'ip', dtype: 'f16', features: 3 } as const;
    const batch = { data: new Float32Array(4), features: new Float32Array(6) };
    const refused = async (call: Promise<unknown>, code: string, message: RegExp) => {
      await expect(call).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    };
    const upload = (given: object, more: object = {}) =>
      opened.device.upload(given as RowBatch, { ...options, ...more });
    await refused(
      upload(batch, { features: 0 }),
      'ERR_ARGUMENT',
      /features must be a whole number from 1 to 256/,
    );
    await refused(
      upload(batch, { metric: 'l2' }),
      'ERR_ARGUMENT',
      /metric 'l2', of which lower scores are better/,
    );
    await refused(
      upload(batch, { features: undefined }),
      'ERR_ARGUMENT',
      /features must be declared by the upload/,
    );
    await refused(upload({ data: batch.data }), 'ERR_ARGUMENT', /features \[rows, 3\], .* got no features/);
    await refused(upload(batch.data), 'ERR_ARGUMENT', /features \[rows, 3\], .* got no features/);
    await refused(
      upload({ ...batch, features: new Float32Array(3) }),
      'ERR_DIMENSION',
      /features must hold 3 numbers for each of the 2 rows, got 3 numbers/,
    );
    await using plain = await opened.device.upload(batch.data, { dim: 2, metric: 'ip', dtype: 'f16' });
    const query = Float32Array.of(1, 2);
    const pairs = { queries: Uint32Array.of(0), rows: Uint32Array.of(1) };
    const ones = new Float32Array(4).fill(1);
    await refused(
      plain.search(query, { k: 1, weights: ones }),
      'ERR_ARGUMENT',
      /rows with features, and these have none/,
    );
    await using rows = await upload(batch);
    expect(rows.features).toBe(3);
    expect(plain.features).toBe(0);
    expect(rows.bytes - plain.bytes).toBeGreaterThanOrEqual(2 * 3 * 4);
    await refused(
      rows.search(query, { k: 1 }),
      'ERR_ARGUMENT',
      /weights must be a Float32Array \[queries, 4\]/,
    );
    await refused(
      rows.search(query, { k: 1, weights: new Float32Array(8) }),
      'ERR_DIMENSION',
      /weights must hold 4 numbers for each of the 1 queries, got 8/,
    );
    await refused(
      rows.search(query, { k: 1, weights: Float32Array.of(1, 0, Number.NaN, 0) }),
      'ERR_NOT_FINITE',
      /weights must hold finite numbers, got NaN at row 0, column 2/,
    );
    await refused(
      rows.rescore(query, pairs),
      'ERR_ARGUMENT',
      /weights must be a Float32Array \[queries, 4\]/,
    );
    await refused(
      rows.rescore(query, pairs, { weight: ones } as never),
      'ERR_ARGUMENT',
      /options has the unknown key/,
    );
    await refused(
      rows.append({ ...batch, features: Float32Array.of(0, 0, 0, 0, Number.POSITIVE_INFINITY, 0) }),
      'ERR_NOT_FINITE',
      /features must hold finite numbers, got Infinity at row 1, column 1/,
    );
    expect(rows.count).toBe(2);
    expect(await rows.rescore(query, pairs, { weights: ones })).toEqual(new Float32Array(1));
  });
});
