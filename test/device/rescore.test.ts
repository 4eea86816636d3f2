import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { random } from '../../ts/core/random.ts';
import type { Dtype, Metric, Pairs } from '../../ts/core/types.ts';
import type { Device } from '../../ts/device/device.ts';
import { chromiumDevices } from '../helpers/chromiumDevice.ts';
import { devices } from '../helpers/devices.ts';
import { DRAWN, EFFORT, SEED } from '../helpers/effort.ts';
import { KINDS, numbers, queriesFor } from '../helpers/kinds.ts';
import { naiveSearch } from '../helpers/naiveSearch.ts';
import { openedWithReference } from '../helpers/opened.ts';

const FORMS: [Metric, Dtype][] = [
  ...(['ip', 'cosine', 'l2'] as const).flatMap((metric) =>
    (['f32', 'f16', 'bf16', 'int8'] as const).map((dtype): [Metric, Dtype] => [metric, dtype]),
  ),
  ['hamming', 'binary'],
];
const bits = (scores: Float32Array) => [...new Uint32Array(scores.buffer)].map((word) => word.toString(16));

/** Kinds of numbers that strain float64 sums by integers, beside those of searches. */
const ANY_BITS = 'any bits of a float32';
const CANCELS = 'sums that cancel';
const values = (rows: number, dim: number, kind: string, seed: number): Float32Array => {
  const source = random(seed);
  if (kind === ANY_BITS) {
    const words = Uint32Array.from({ length: rows * dim }, () => source.below(2 ** 32));
    return new Float32Array(words.buffer).map((x) => (Number.isFinite(x) ? x : -0));
  }
  if (kind === CANCELS) {
    return Float32Array.from(
      { length: rows * dim },
      (_, i) => (i % 2 === 0 ? 1 : -1) * (1 + source.below(4) * 2 ** -23) * 2 ** ((i >> 1) % 30),
    );
  }
  return numbers(rows, dim, kind, seed);
};

const cases = fc.record({
  form: fc.constantFrom(...FORMS),
  kind: fc.constantFrom(ANY_BITS, ANY_BITS, CANCELS, ...Object.keys(KINDS)),
  dim: fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(127, 128, 129, 384)),
  n: fc.constantFrom<number>(1, 2, 63, 64, 65, 300),
  q: fc.constantFrom<number>(1, 2, 9),
  count: fc.constantFrom<number>(1, 2, 63, 64, 65, 257),
  seed: fc.nat(),
});

describe.each([...devices, ...chromiumDevices])('$label', ({ open, pace }) => {
  const opened = openedWithReference(open);

  async function expectRight(c: typeof cases extends fc.Arbitrary<infer T> ? T : never) {
    const [metric, dtype] = c.form;
    const data = values(c.n, c.dim, c.kind, c.seed).map((x) =>
      dtype === 'f16' ? Math.max(-6e4, Math.min(6e4, x)) : dtype === 'bf16' && Math.abs(x) > 3e38 ? 3e38 : x,
    );
    const queries = values(c.q, c.dim, queriesFor(c.kind), c.seed + 1);
    const source = random(c.seed);
    const pairs: Pairs = {
      queries: Uint32Array.from({ length: c.count }, () => source.below(c.q)),
      rows: Uint32Array.from({ length: c.count }, () => source.below(c.n)),
    };
    const rescore = async (on: Device) => {
      await using rows = await on.upload(data.subarray(0, Math.ceil(c.n / 2) * c.dim), {
        dim: c.dim,
        metric,
        dtype,
      });
      await rows.append(data.subarray(Math.ceil(c.n / 2) * c.dim));
      return rows.rescore(queries, pairs);
    };
    expect(bits(await rescore(opened.device))).toEqual(bits(await rescore(opened.reference)));
  }

  test('numbers are added in index order, each sum rounded to float64', async () => {
    const [n, dim] = [300, 8];
    const source = random(4);
    // Small numbers next to 2^53 are rounded away, or up together, as their order is.
    const data = Float32Array.from(
      Array.from({ length: n }, () => {
        const small = Array.from({ length: dim - 2 }, () => source.next() * 2);
        return source.shuffle([2 ** 53, -(2 ** 53), ...small]);
      }).flat(),
    );
    const pairs = { queries: new Uint32Array(n), rows: Uint32Array.from({ length: n }, (_, row) => row) };
    const rescore = async (on: Device) => {
      await using rows = await on.upload(data, { dim, metric: 'ip', dtype: 'f32' });
      return rows.rescore(new Float32Array(dim).fill(1), pairs);
    };
    expect(await rescore(opened.device)).toEqual(await rescore(opened.reference));
  });

  test(
    `scores are to the bit those of the reference (seed ${SEED})`,
    async () => {
      const property = fc.asyncProperty(cases, expectRight);
      await fc.assert(property, { numRuns: Math.ceil(40 * pace * EFFORT), ...DRAWN });
    },
    120_000 * EFFORT,
  );

  test.each(FORMS)('%s over %s, any bits and sums that cancel', async (metric, dtype) => {
    for (const kind of [ANY_BITS, CANCELS]) {
      await expectRight({ form: [metric, dtype], kind, dim: 37, n: 100, q: 3, count: 300, seed: 11 });
    }
  });

  test.each(['ip', 'cosine', 'l2'] as const)('%s scores are those of the definition', async (metric) => {
    const [dim, n, q] = [50, 70, 3];
    const [data, queries] = [values(n, dim, 'normal', 1), values(q, dim, 'normal', 2)];
    await using rows = await opened.device.upload(data, { dim, metric, dtype: 'f32' });
    const naive = naiveSearch(data, queries, dim, metric, n);
    const pairs = {
      queries: Uint32Array.from({ length: q * n }, (_, i) => Math.floor(i / n)),
      rows: Uint32Array.from(naive.ids),
    };
    expect(bits(await rows.rescore(queries, pairs))).toEqual(bits(Float32Array.from(naive.scores)));
  });

  test('what is wrong is refused in one sentence', async () => {
    await using rows = await opened.device.upload(new Float32Array(10), {
      dim: 2,
      metric: 'ip',
      dtype: 'f32',
    });
    await rows.remove([3]);
    const refused = async (pairs: unknown, code: string, message: RegExp, queries = new Float32Array(4)) => {
      const call = rows.rescore(queries, pairs as Pairs);
      await expect(call).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    };
    const pair = (query: number, row: number) => ({
      queries: Uint32Array.of(0, query),
      rows: Uint32Array.of(1, row),
    });
    await refused(pair(2, 0), 'ERR_ARGUMENT', /pairs\.queries\[1\] is 2, but there are 2 queries/);
    await refused(pair(1, 5), 'ERR_ARGUMENT', /pairs\.rows\[1\] is 5, but there are 5 rows/);
    await refused(pair(1, 3), 'ERR_ARGUMENT', /pairs\.rows\[1\] is 3, a row that was removed/);
    await refused({ ...pair(1, 1), rows: Uint32Array.of(1) }, 'ERR_DIMENSION', /of one length, got 2 and 1/);
    await refused({ queries: [0], rows: [0] }, 'ERR_ARGUMENT', /pairs\.queries must be a Uint32Array/);
    await refused(
      pair(0, 0),
      'ERR_NOT_FINITE',
      /queries must hold finite numbers/,
      Float32Array.of(1, Number.NaN),
    );
    await refused(pair(0, 0), 'ERR_DIMENSION', /whole rows of 2 numbers/, Float32Array.of(1));
    expect(await rows.rescore(new Float32Array(4), pair(1, 4))).toEqual(new Float32Array(2));
    expect(
      await rows.rescore(new Float32Array(4), { queries: new Uint32Array(), rows: new Uint32Array() }),
    ).toEqual(new Float32Array());
  });
});
