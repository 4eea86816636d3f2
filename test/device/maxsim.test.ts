import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Random, random } from '../../ts/core/random.ts';
import type { Dtype, TopK } from '../../ts/core/types.ts';
import type { Device, RowBatch } from '../../ts/device/device.ts';
import { chromiumDevices } from '../helpers/chromiumDevice.ts';
import { devices } from '../helpers/devices.ts';
import { DRAWN, EFFORT, SEED } from '../helpers/effort.ts';
import { expectRescored } from '../helpers/expectRescored.ts';
import { KINDS, numbers, queriesFor } from '../helpers/kinds.ts';
import { openedWithReference } from '../helpers/opened.ts';
import { expectSame } from '../helpers/searchCases.ts';

/** How many tokens a document or query has. */
const LENGTHS: Record<string, (source: Random) => number> = {
  'a few': (source) => 1 + source.below(9),
  one: () => 1,
  'none or some': (source) => source.below(4),
  none: () => 0,
  'around 64': (source) => 62 + source.below(5),
  'around 150': (source) => 140 + source.below(20),
  'one long one': (source) => (source.next() < 0.02 ? 512 + source.below(130) : source.below(3)),
};

interface Case {
  dtype: Dtype;
  kind: string;
  dim: number;
  lengths: string;
  queryLengths: string;
  /** Documents of the upload and of each append. */
  parts: number[];
  q: number;
  k: (n: number) => number;
  share: number;
  removed: number;
  compact: boolean;
  seed: number;
}

/** Multiplications of a case at most: `dim` gives way. */
const WORK = 1e5;
const cases = fc
  .record<Case>({
    dtype: fc.constantFrom<Dtype>('f32', 'f32', 'f16', 'bf16', 'int8'),
    kind: fc.constantFrom(...Object.keys(KINDS)),
    dim: fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(127, 128, 129, 1025, 4096)),
    lengths: fc.constantFrom(...Object.keys(LENGTHS)),
    queryLengths: fc.constantFrom(...Object.keys(LENGTHS)),
    parts: fc.array(fc.constantFrom(0, 1, 2, 31, 32, 33, 64, 120), { minLength: 1, maxLength: 3 }),
    q: fc.constantFrom(1, 2, 5),
    k: fc.constantFrom(
      ...[1, 5, 31, 32, 33].map((k) => Object.assign(() => k, { toString: () => `${k}` })),
      ...[-1, 0, 1].map((more) =>
        Object.assign((n: number) => Math.max(1, n + more), { toString: () => `n + ${more}` }),
      ),
    ),
    share: fc.constantFrom(1, 0.6, 0.03),
    removed: fc.constantFrom(0, 0.1, 0.5),
    compact: fc.boolean(),
    seed: fc.nat(),
  })
  .map((c) => {
    const n = c.parts.reduce((sum, part) => sum + part);
    const perPair = tokensOf(n, c.lengths, c.seed).at(-1)! * tokensOf(c.q, c.queryLengths, c.seed).at(-1)!;
    return { ...c, dim: Math.max(1, Math.min(c.dim, Math.floor(WORK / (perPair + 1)))) };
  });

function tokensOf(items: number, lengths: string, seed: number): Uint32Array {
  const source = random(seed ^ 0x5a5a);
  const offsets = new Uint32Array(items + 1);
  for (let i = 0; i < items; i++) offsets[i + 1] = offsets[i]! + LENGTHS[lengths]!(source);
  return offsets;
}

function batchOf(n: number, c: Case, seed: number): RowBatch & { offsets: Uint32Array } {
  const offsets = tokensOf(n, c.lengths, seed);
  const most = c.dtype === 'f16' ? 6e4 : 3e38;
  const data = numbers(offsets.at(-1)!, c.dim, c.kind, seed);
  return { data: data.map((x) => Math.max(-most, Math.min(most, x))), offsets };
}

async function play(device: Device, c: Case): Promise<TopK> {
  const source = random(c.seed);
  const { dim, dtype } = c;
  const options = { dim, dtype, metric: 'ip', maxsim: true } as const;
  await using rows = await device.upload(batchOf(c.parts[0]!, c, c.seed), options);
  for (const [i, part] of c.parts.slice(1).entries()) {
    await rows.remove(
      Array.from({ length: rows.count }, (_, id) => id).filter(() => source.next() < c.removed),
    );
    if (c.compact) await rows.compact();
    expect((await rows.append(batchOf(part, c, c.seed + i + 2))).count).toBe(part);
  }
  const offsets = tokensOf(c.q, c.queryLengths, c.seed);
  const queries = numbers(offsets.at(-1)!, dim, queriesFor(c.kind), c.seed + 1);
  const passing = Array.from({ length: rows.count }, (_, id) => id).filter(() => source.next() < c.share);
  const filter = c.share === 1 ? undefined : { rows: Uint32Array.from(passing) };
  const top = await rows.search(queries, { k: c.k(rows.count), filter, offsets });
  await expectRescored(rows, queries, top, { offsets });
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

  test.each(Object.keys(KINDS))('tokens of the kind %s', async (kind) => {
    const c: Case = {
      ...{ dtype: 'f32', kind, dim: 19, lengths: 'a few', queryLengths: 'a few', parts: [150, 33], q: 4 },
      ...{ k: () => 33, share: 1, removed: 0, compact: false, seed: 6 },
    };
    expectSame(await play(opened.device, c), await play(opened.reference, c));
  });

  test('long queries', async () => {
    const c: Case = {
      ...{ dtype: 'f32', kind: 'normal', dim: 9, lengths: 'a few', queryLengths: 'around 150', parts: [150] },
      ...{ q: 2, k: () => 5, share: 1, removed: 0, compact: false, seed: 7 },
    };
    expectSame(await play(opened.device, c), await play(opened.reference, c));
  });

  test('a score is the sum of the best products, and documents without tokens come last', async () => {
    const dim = 3;
    const source = random(3);
    const draw = (tokens: number) => Float32Array.from({ length: tokens * dim }, () => source.normal());
    const offsets = tokensOf(60, 'none or some', 8);
    const data = draw(offsets.at(-1)!);
    const asked = Uint32Array.of(0, 4, 4, 5);
    const queries = draw(5);
    const options = { dim, metric: 'ip', dtype: 'f32', maxsim: true } as const;
    await using rows = await opened.device.upload({ data, offsets }, options);
    expect(rows).toMatchObject({ maxsim: true, count: 60, live: 60 });
    const top = await rows.search(queries, { k: 60, offsets: asked });
    const dot = (a: number, b: number) => {
      let sum = 0;
      for (let i = 0; i < dim; i++) sum += queries[a * dim + i]! * data[b * dim + i]!;
      return sum;
    };
    for (let query = 0; query < 3; query++) {
      const all = Array.from({ length: 60 }, (_, id) => {
        let score = 0;
        for (let token = asked[query]!; token < asked[query + 1]!; token++) {
          const products = [];
          for (let row = offsets[id]!; row < offsets[id + 1]!; row++) products.push(dot(token, row));
          score += Math.max(...products);
        }
        return { id, score: Math.fround(score) };
      });
      all.sort((x, y) => (x.score === y.score ? x.id - y.id : y.score - x.score));
      expect(Array.from(top.ids.subarray(query * 60, (query + 1) * 60))).toEqual(all.map(({ id }) => id));
      expect(Array.from(top.scores.subarray(query * 60, (query + 1) * 60))).toEqual(
        all.map(({ score }) => score),
      );
    }
    expect(top.counts).toEqual(Uint32Array.of(60, 60, 60));
  });

  test.each([1, -1])(
    'a product that is not finite in float32 does not hide behind others: %i',
    async (sign) => {
      // 1e38 * 4 - 1e38 * 4 + 1 is 1, but its float32 sum may overflow; the next document has 0.5.
      const data = Float32Array.of(sign * 1e38, sign * -1e38, 1, -1, 0, 0, 0, 0, 0.5, 0, 0, 0, 0.25, 0, 0, 0);
      const options = { dim: 4, metric: 'ip', dtype: 'f32', maxsim: true } as const;
      await using rows = await opened.device.upload({ data, offsets: Uint32Array.of(0, 2, 3, 4) }, options);
      const top = await rows.search(Float32Array.of(4, 4, 1, 0), { k: 2, offsets: Uint32Array.of(0, 1) });
      expect([...top.ids]).toEqual([1, 0]);
      expect([...top.scores]).toEqual([2, 1]);
    },
  );

  test('attributes are of documents, and what is wrong is refused in one sentence', async () => {
    const options = { dim: 2, metric: 'ip', dtype: 'f32', maxsim: true } as const;
    const batch = { data: Float32Array.of(1, 0, 0, 1, 1, 1), offsets: Uint32Array.of(0, 2, 3) };
    const refused = async (call: Promise<unknown>, code: string, message: RegExp) => {
      await expect(call).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    };
    const upload = (given: object, more: object = {}) =>
      opened.device.upload(given as RowBatch, { ...options, ...more });
    await refused(upload(batch, { metric: 'cosine' }), 'ERR_ARGUMENT', /maxsim goes with metric 'ip'/);
    await refused(upload(batch, { features: 2 }), 'ERR_ARGUMENT', /maxsim goes with .* without features/);
    await refused(upload(batch, { maxsim: 1 }), 'ERR_ARGUMENT', /maxsim must be true or false/);
    await refused(
      upload(batch, { maxsim: false }),
      'ERR_ARGUMENT',
      /offsets are for rows uploaded with maxsim/,
    );
    await refused(upload(batch.data), 'ERR_ARGUMENT', /offsets must be a Uint32Array .* documents begin/);
    for (const offsets of [[0, 2], [1, 3], [0, 4, 3], [], [0, 2, 4]]) {
      await refused(
        upload({ ...batch, offsets: Uint32Array.from(offsets) }),
        'ERR_DIMENSION',
        /offsets must rise, or stay, from 0 to the 3 tokens of the documents/,
      );
    }
    const attributes = { city: ['Bern', 'Rom'] };
    await using rows = await upload({ ...batch, attributes }, { attributes: { city: 'keyword' } });
    const where = { eq: ['city', 'Rom'] as [string, string] };
    const query = Float32Array.of(1, 2, 3, 4);
    const found = await rows.search(query, { k: 2, offsets: Uint32Array.of(0, 2), filter: { where } });
    expect([found.ids[0], found.scores[0], found.counts[0]]).toEqual([1, 10, 1]);
    await refused(
      rows.search(query, { k: 1 }),
      'ERR_ARGUMENT',
      /offsets must be a Uint32Array .* queries begin/,
    );
    await refused(
      rows.search(query, { k: 1, offsets: Uint32Array.of(0, 1) }),
      'ERR_DIMENSION',
      /to the 2 tokens of the queries, got 1 at the end/,
    );
    await refused(
      rows.append({
        data: Float32Array.of(1, Number.NaN),
        offsets: Uint32Array.of(0, 1),
        attributes: { city: ['a'] },
      }),
      'ERR_NOT_FINITE',
      /data must hold finite numbers, got NaN at row 0, column 1/,
    );
    expect(rows.count).toBe(2);
  });
});
