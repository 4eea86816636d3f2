import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { random } from '../../ts/core/random.ts';
import type { Metric } from '../../ts/core/types.ts';
import type { Device } from '../../ts/device/device.ts';
import { chromiumDevices } from '../helpers/chromiumDevice.ts';
import { devices } from '../helpers/devices.ts';
import { naiveSearch } from '../helpers/naiveSearch.ts';

/** Rows `[n, dim]` by a rule for each number. */
const matrix = (n: number, dim: number, rule: (row: number, column: number) => number) =>
  Float32Array.from({ length: n * dim }, (_, i) => rule(Math.floor(i / dim), i % dim));

const METRICS: Metric[] = ['ip', 'cosine', 'l2'];

/**
 * Rows whose float32 sums in lanes go wrong by nearly all that the error bound allows: each small term is a little
 * less, or a little more, than half of the last place of the sum, so that it is lost or counts twice. One row is the
 * best; the others seem better than it.
 */
function misrounded(metric: Metric): [string, Float32Array, Float32Array, number, number] {
  const dim = 4096;
  const small = 2 ** -12;
  // Of length 1, so that cosine takes the query as it is.
  const first = Math.sqrt(1 - (dim - 1) * small * small);
  const start = metric === 'cosine' ? first : 1;
  const query = matrix(1, dim, (_, column) => (metric === 'l2' ? 0 : column === 0 ? start : small));
  const ulps = (count: number) => (1 + count * 2 ** -23) / start;
  const lost = small * (1 - 2 ** (metric === 'l2' ? -11 : -10));
  const doubled = small * (1 + 2 ** (metric === 'l2' ? -11 : -10));
  const [best, other] =
    metric === 'l2'
      ? [
          (column: number) => (column === 0 ? 1 : doubled),
          (column: number) => (column === 0 ? ulps(4) : lost),
        ]
      : [
          (column: number) => (column === 0 ? ulps(8) : lost),
          (column: number) => (column === 0 ? ulps(2) : doubled),
        ];
  // Late, so that the others have set a threshold; but cosines near 1 tie, and the first row wins.
  const winner = metric === 'cosine' ? 0 : 50;
  const far = metric === 'l2' ? 2 : 0;
  const data = matrix(130, dim, (row, column) =>
    row === winner ? best(column) : row < 80 ? other(column) : far,
  );
  return [`sums that round as badly as they can, ${metric}`, data, query, dim, 1];
}

/** Inputs made to break a selection or an error bound: `[name, data, queries, dim, k]`. */
function inputs(): [string, Float32Array, Float32Array, number, number][] {
  const source = random(2024);
  const noise = () => source.normal();
  const many = 1100;
  const good = (row: number) => (_: number, column: number) => (column === 0 ? row : noise() / 8);
  const pick = (rule: (row: number) => boolean) =>
    matrix(many, 6, (row, column) => (rule(row) ? good(1 + row / 1e4)(row, column) : noise() / 100));
  const query = Float32Array.of(1, 0, 0, 0, 0, 0);
  const tail = (column: number, value: number) => (column === 3 ? value : 0);
  return [
    ['winners in one lane of 32', pick((row) => row % 32 === 5), query, 6, 30],
    ['winners in one lane of 64', pick((row) => row % 64 === 63), query, 6, 15],
    ['winners in one lane of 256', pick((row) => row % 256 === 17), query, 6, 4],
    ['winners in one block', pick((row) => row >= 640 && row < 704), query, 6, 33],
    ['winners at the end', pick((row) => row >= many - 20), query, 6, 20],
    [
      'rising scores',
      matrix(many, 4, (row, column) => tail(column, row)),
      Float32Array.of(0, 0, 0, 1),
      4,
      31,
    ],
    [
      'falling scores',
      matrix(many, 4, (row, column) => tail(column, -row)),
      Float32Array.of(0, 0, 0, 1),
      4,
      31,
    ],
    ['all rows equal', matrix(many, 7, (_, column) => column / 3), matrix(2, 7, noise), 7, 40],
    ['pairs of duplicates', matrix(many, 1, (row) => (row >> 1) % 97), Float32Array.of(3, -1, 0), 1, 50],
    [
      'more ties than room for them',
      matrix(5000, 2, (row) => (row % 3 === 0 ? 1 : 0)),
      Float32Array.of(1, 1),
      2,
      7,
    ],
    [
      'far more ties than room',
      matrix(5000, 2, (row) => (row % 3 === 0 ? 0 : 1)),
      Float32Array.of(1, 1),
      2,
      7,
    ],
    ['all zero', new Float32Array(many * 3), matrix(3, 3, (row, column) => row * column), 3, 9],
    ['negative zero', matrix(many, 3, (row) => (row % 2 === 0 ? -0 : 0)), Float32Array.of(-0, 0, -1), 3, 5],
    ['some rows zero', matrix(many, 3, (row) => (row % 3 === 0 ? 0 : noise())), matrix(3, 3, noise), 3, 500],
    ['scores overflow', matrix(many, 4, () => noise() * 1e30), matrix(3, 4, () => noise() * 1e30), 4, 8],
    ['largest numbers', matrix(many, 4, () => Math.sign(noise()) * 3.4e38), matrix(2, 4, () => 3.4e38), 4, 8],
    [
      'a few rows overflow',
      matrix(many, 4, (row) => noise() * (row % 50 === 0 ? 1e38 : 1)),
      matrix(2, 4, () => noise() * 1e5),
      4,
      30,
    ],
    ['denormals', matrix(many, 4, () => noise() * 1e-40), matrix(2, 4, () => noise() * 1e-3), 4, 10],
    ['scores underflow', matrix(many, 4, () => noise() * 1e-25), matrix(2, 4, () => noise() * 1e-20), 4, 10],
    [
      'denormal query, long rows',
      matrix(many, 4, () => noise() * 1e37),
      matrix(2, 4, () => noise() * 1e-40),
      4,
      10,
    ],
    [
      'mixed magnitudes',
      matrix(many, 4, () => noise() * 10 ** (source.below(70) - 35)),
      matrix(2, 4, noise),
      4,
      20,
    ],
    [
      'scores one float apart',
      matrix(many, 2, (row, column) => (column === 0 ? 1 + (row % 5) * 2 ** -23 : 0)),
      Float32Array.of(1, 1),
      2,
      300,
    ],
    [
      'large sums that cancel',
      matrix(many, 5, (row, column) => [1e7, -1e7, (row * 37) % 1100, 1e7, -1e7][column]! / 3),
      Float32Array.of(1, 1, 1e-3, 1, 1),
      5,
      25,
    ],
    [
      'neighbours far from the origin',
      matrix(many, 3, () => 1e6 + noise()),
      matrix(2, 3, () => 1e6 + noise()),
      3,
      12,
    ],
    [
      'queries of very different lengths',
      matrix(many, 4, noise),
      matrix(70, 4, (row) => noise() * 2 ** -row),
      4,
      3,
    ],
    [
      'negative scores underflow to 0',
      matrix(many, 4, () => -Math.abs(noise()) * 1e-25),
      matrix(2, 4, () => Math.abs(noise()) * 1e-21),
      4,
      40,
    ],
    ...METRICS.map(misrounded),
  ];
}

describe.each([...devices, ...chromiumDevices])('$label', ({ open }) => {
  let device: Device;
  beforeAll(async () => {
    device = await open();
  });
  afterAll(() => device.close());

  test.each(inputs())('%s', async (_, data, queries, dim, k) => {
    for (const metric of METRICS) {
      await using rows = await device.upload(data, { dim, metric, dtype: 'f32' });
      const top = await rows.search(queries, { k });
      const naive = naiveSearch(data, queries, dim, metric, k);
      expect([metric, ...top.ids]).toEqual([metric, ...naive.ids]);
      expect([metric, ...top.scores]).toEqual([metric, ...naive.scores]);
      expect(Array.from(top.scores).some((score) => Object.is(score, -0))).toBe(false);
    }
  });

  test('a row is at distance 0 from itself and at no other distance below 0', async () => {
    const data = matrix(300, 33, () => 1e4 + random(5).normal());
    await using rows = await device.upload(data, { dim: 33, metric: 'l2', dtype: 'f32' });
    const top = await rows.search(data.subarray(33 * 7, 33 * 8), { k: 1 });
    expect(top.scores[0]).toBe(0);
  });
});
