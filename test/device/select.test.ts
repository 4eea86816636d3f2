import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { random } from '../../ts/core/random.ts';
import type { Order } from '../../ts/core/types.ts';
import type { Device } from '../../ts/device/device.ts';
import { chromiumDevices } from '../helpers/chromiumDevice.ts';
import { devices } from '../helpers/devices.ts';
import { DRAWN, EFFORT, SEED } from '../helpers/effort.ts';
import { expectSame } from '../helpers/searchCases.ts';

const source = random(9);
/** Scores that strain a selection: a number from its column. */
const KINDS: Record<string, (column: number) => number> = {
  normal: () => source.normal(),
  rising: (column) => column / 3,
  falling: (column) => -column / 3,
  'all equal': () => -2.5,
  'all zeros': (column) => (column % 2 === 0 ? 0 : -0),
  'few values': () => source.below(4) - 2,
  'of all magnitudes': () => source.normal() * 2 ** (source.below(270) - 148),
  denormal: () => source.normal() * 1e-41,
  'one float apart': () => 1 + source.below(5) * 2 ** -23,
  'winners in one lane': (column) => (column % 32 === 5 ? 9 : 1) + source.next(),
  'winners in one warp': (column) => ((column >> 5) % 8 === 3 ? 9 : 1) + source.next(),
  'winners in one tile': (column) => (column >> 8 === 2 ? 9 : 1) + source.next(),
  'with infinities': () =>
    [1, -1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3.4e38][source.below(5)]!,
  infinite: () => Number.NEGATIVE_INFINITY,
};

/** The definition: sort all columns, by score and then by column. */
function sorted(scores: Float32Array, n: number, k: number, order: Order) {
  const q = scores.length / n;
  const sign = order === 'lowest' ? 1 : -1;
  const ids = new Uint32Array(q * k).fill(0xffffffff);
  const best = new Float32Array(q * k).fill(sign * Number.POSITIVE_INFINITY);
  for (let query = 0; query < q; query++) {
    const own = scores.subarray(query * n, (query + 1) * n);
    const columns = Array.from(own.keys()).sort((a, b) =>
      own[a] === own[b] ? a - b : sign * (own[a]! < own[b]! ? -1 : 1),
    );
    columns.slice(0, k).forEach((column, slot) => {
      ids[query * k + slot] = column;
      best[query * k + slot] = own[column]! + 0;
    });
  }
  return { ids, scores: best, counts: new Uint32Array(q).fill(Math.min(k, n)) };
}

const cases = fc.record({
  kind: fc.constantFrom(...Object.keys(KINDS)),
  n: fc.oneof(
    fc.constantFrom(1, 2, 31, 32, 33, 255, 256, 257, 1023, 1024, 1025, 4095, 4096, 4097, 9000),
    fc.integer({ min: 1, max: 6000 }),
  ),
  q: fc.constantFrom(1, 2, 7, 8, 9, 17),
  k: fc.constantFrom<(n: number) => number>(
    ...[1, 2, 31, 32, 33, 255, 256, 257, 1023, 1024, 1025].map((k) => () => k),
    (n) => Math.max(1, n - 1),
    (n) => n,
    (n) => n + 1,
  ),
  order: fc.constantFrom('highest' as const, 'lowest' as const),
});

describe.each([...devices, ...chromiumDevices])('$label', ({ open, pace }) => {
  let device: Device;
  beforeAll(async () => {
    device = await open();
  });
  afterAll(() => device.close());

  async function expectRight(scores: Float32Array, n: number, k: number, order: Order) {
    const found = await device.select(scores, { n, k, order });
    expectSame(found, { ...found, ...sorted(scores, n, k, order) });
    expect(found).toMatchObject({ k, generation: 0, device: device.name });
  }

  test(
    `the k best columns in final order (seed ${SEED})`,
    async () => {
      const property = fc.asyncProperty(cases, async ({ kind, n, q, k, order }) => {
        const scores = Float32Array.from({ length: q * n }, (_, i) => KINDS[kind]!(i % n));
        await expectRight(scores, n, k(n), order);
      });
      await fc.assert(property, { numRuns: Math.ceil(40 * pace * EFFORT), ...DRAWN });
    },
    120_000 * EFFORT,
  );

  test.each(Object.keys(KINDS))('%s', async (kind) => {
    const n = 3000;
    const scores = Float32Array.from({ length: 3 * n }, (_, i) => KINDS[kind]!(i % n));
    for (const k of [1, 40, 1300]) {
      await expectRight(scores, n, k, 'highest');
      await expectRight(scores, n, k, 'lowest');
    }
  });

  test('no queries have no results', async () => {
    const none = await device.select(new Float32Array(), { n: 5, k: 2, order: 'lowest' });
    expect(none).toMatchObject({ ids: new Uint32Array(), counts: new Uint32Array(), k: 2 });
  });

  test('what is wrong is refused in one sentence', async () => {
    const scores = Float32Array.of(1, 2, 3, Number.NaN, 5, 6);
    const refused = async (given: unknown, options: object, code: string, message: RegExp) => {
      const call = device.select(given as Float32Array, { n: 3, k: 1, order: 'lowest', ...options });
      await expect(call).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    };
    await refused(scores, {}, 'ERR_NOT_FINITE', /got NaN for query 1, column 0 \(index 3\)/);
    await refused(scores, { n: 4 }, 'ERR_DIMENSION', /whole rows of 4 numbers, got 6/);
    await refused(scores, { k: 0 }, 'ERR_ARGUMENT', /k must be a whole number from 1/);
    await refused(scores, { n: 0 }, 'ERR_ARGUMENT', /n must be a whole number from 1/);
    await refused(scores, { order: 'best' }, 'ERR_ARGUMENT', /order must be one of 'highest', 'lowest'/);
    await refused(scores, { extra: 1 }, 'ERR_ARGUMENT', /unknown key "extra"/);
    await expectRight(Float32Array.of(3, 1, 2), 3, 2, 'lowest');
  });
});
