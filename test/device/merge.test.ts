import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { random } from '../../ts/core/random.ts';
import type { MergeOptions, Order, TopKList } from '../../ts/core/types.ts';
import type { Device } from '../../ts/device/device.ts';
import { chromiumDevices } from '../helpers/chromiumDevice.ts';
import { devices } from '../helpers/devices.ts';
import { DRAWN, EFFORT, SEED } from '../helpers/effort.ts';
import { expectSame } from '../helpers/searchCases.ts';

interface Entry {
  id: number;
  score: number;
}

const inOrder = (order: Order) => (a: Entry, b: Entry) =>
  a.score === b.score ? a.id - b.id : (order === 'lowest') === a.score < b.score ? -1 : 1;

/** Lists of stride `k` from the entries of each query. */
function listOf(entries: Entry[][], k: number, order: Order): TopKList {
  const ids = new Uint32Array(entries.length * k).fill(0xffffffff);
  const scores = new Float32Array(entries.length * k).fill(Number.NaN); // slots past the counts are not looked at
  entries.forEach((own, query) => {
    own.sort(inOrder(order)).forEach(({ id, score }, slot) => {
      ids[query * k + slot] = id;
      scores[query * k + slot] = score;
    });
  });
  return { ids, scores, counts: Uint32Array.from(entries, ({ length }) => length), k };
}

/** The definition: all entries of a query, sorted. */
function sorted(lists: readonly TopKList[], { k, order, firsts }: MergeOptions) {
  const q = lists[0]!.counts.length;
  const found = {
    ids: new Uint32Array(q * k).fill(0xffffffff),
    scores: new Float32Array(q * k).fill(order === 'lowest' ? Infinity : -Infinity),
    counts: new Uint32Array(q),
  };
  for (let query = 0; query < q; query++) {
    const all = lists.flatMap((list, i) =>
      Array.from({ length: list.counts[query]! }, (_, slot) => ({
        id: list.ids[query * list.k + slot]! + (firsts?.[i] ?? 0),
        score: list.scores[query * list.k + slot]! + 0,
      })),
    );
    const best = all.sort(inOrder(order)).slice(0, k);
    found.counts[query] = best.length;
    best.forEach(({ id, score }, slot) => {
      found.ids[query * k + slot] = id;
      found.scores[query * k + slot] = score;
    });
  }
  return found;
}

const cases = fc.record({
  q: fc.constantFrom(1, 2, 7, 8, 9, 33),
  lists: fc.constantFrom(1, 2, 3, 8, 17),
  k: fc.constantFrom(1, 2, 31, 32, 33, 255, 257),
  wanted: fc.constantFrom(1, 2, 10, 32, 256, 257, 4096),
  values: fc.constantFrom('normal', 'few', 'one', 'rising', 'denormal', 'infinite'),
  order: fc.constantFrom<Order>('highest', 'lowest'),
  shifted: fc.boolean(),
  seed: fc.nat(),
});

function drawLists(c: typeof cases extends fc.Arbitrary<infer T> ? T : never): TopKList[] {
  const source = random(c.seed);
  const draw: Record<string, (list: number) => number> = {
    normal: () => Math.fround(source.normal()),
    few: () => source.below(3) - 1,
    one: () => (source.next() < 0.5 ? -0 : 0),
    rising: (list) => list + source.next() / 2, // one list holds all winners
    denormal: () => Math.fround(source.normal() * 1e-41),
    infinite: () => [Infinity, -Infinity, 2][source.below(3)]!,
  };
  return Array.from({ length: c.lists }, (_, list) => {
    const entries = Array.from({ length: c.q }, () => {
      const filled = source.next() < 0.3 ? source.below(c.k + 1) : c.k;
      return Array.from({ length: filled }, () => ({
        id: source.below(300), // the same ids in many lists
        score: Math.fround(draw[c.values]!(list)),
      }));
    });
    return listOf(entries, c.k, c.order);
  });
}

describe.each([...devices, ...chromiumDevices])('$label', ({ open, pace }) => {
  let device: Device;
  beforeAll(async () => {
    device = await open();
  });
  afterAll(() => device.close());

  test(
    `the k best entries of all lists in final order (seed ${SEED})`,
    async () => {
      const property = fc.asyncProperty(cases, async (c) => {
        const lists = drawLists(c);
        const firsts = c.shifted ? lists.map((_, i) => 1000 * i) : undefined;
        const options = { k: c.wanted, order: c.order, firsts };
        const found = await device.merge(lists, options);
        expectSame(found, { ...found, ...sorted(lists, options) });
        expect(found).toMatchObject({ k: c.wanted, generation: 0, device: device.name });
      });
      await fc.assert(property, { numRuns: Math.ceil(60 * pace * EFFORT), ...DRAWN });
    },
    120_000 * EFFORT,
  );

  test.each(['ip', 'l2'] as const)('shards of a collection are searched as one, %s', async (metric) => {
    const [dim, n, k] = [7, 900, 25];
    const source = random(3);
    const data = Float32Array.from({ length: n * dim }, () => source.below(5) - 2); // many ties
    const queries = Float32Array.from({ length: 4 * dim }, () => source.below(5) - 2);
    const options = { dim, metric, dtype: 'f32' } as const;
    await using whole = await device.upload(data, options);
    const firsts = [0, 310, 311, 640];
    const lists = [];
    for (const [i, first] of firsts.entries()) {
      await using shard = await device.upload(
        data.subarray(first * dim, (firsts[i + 1] ?? n) * dim),
        options,
      );
      lists.push(await shard.search(queries, { k }));
    }
    const order = metric === 'l2' ? 'lowest' : 'highest';
    expectSame(await device.merge(lists, { k, order, firsts }), await whole.search(queries, { k }));
  });

  test('lists without entries have none to give', async () => {
    const empty = listOf([[], []], 3, 'lowest');
    const some = listOf([[], [{ id: 7, score: -0 }]], 2, 'lowest');
    expect(await device.merge([empty], { k: 2, order: 'lowest' })).toMatchObject({
      counts: new Uint32Array(2),
    });
    const found = await device.merge([empty, some, empty], { k: 2, order: 'lowest' });
    expect([...found.ids]).toEqual([0xffffffff, 0xffffffff, 7, 0xffffffff]);
    expect([...found.scores]).toEqual([Infinity, Infinity, 0, Infinity]);
    const none = { ids: new Uint32Array(), scores: new Float32Array(), counts: new Uint32Array(), k: 4 };
    expect((await device.merge([none, none], { k: 2, order: 'highest' })).counts.length).toBe(0);
  });

  test('what is wrong is refused in one sentence', async () => {
    const list = (scores: number[], ids = scores.map((_, i) => i)) => ({
      ids: Uint32Array.from(ids),
      scores: Float32Array.from(scores),
      counts: Uint32Array.of(scores.length),
      k: scores.length,
    });
    const refused = async (lists: unknown, options: object, code: string, message: RegExp) => {
      const call = device.merge(lists as TopKList[], { k: 1, order: 'highest', ...options });
      await expect(call).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    };
    const good = list([3, 1]);
    await refused([], {}, 'ERR_ARGUMENT', /lists must be an array of top-k lists/);
    await refused([good, {}], {}, 'ERR_ARGUMENT', /lists\[1\] must have ids and scores/);
    await refused([good, list([1, 2])], {}, 'ERR_ARGUMENT', /lists\[1\], query 0 is not in order: slot 1/);
    await refused(
      [good, list([3, 1])],
      { order: 'lowest' },
      'ERR_ARGUMENT',
      /lists\[0\], query 0 is not in order/,
    );
    await refused([list([2, 2], [5, 4])], {}, 'ERR_ARGUMENT', /not in order.*equal scores by rising id/);
    await refused([list([3, Number.NaN])], {}, 'ERR_NOT_FINITE', /lists\[0\], query 0 holds NaN in slot 1/);
    await refused([{ ...good, counts: Uint32Array.of(3) }], {}, 'ERR_ARGUMENT', /counts\[0\] must be 2/);
    await refused([good, { ...good, counts: Uint32Array.of(1, 1) }], {}, 'ERR_DIMENSION', /has 2 queries/);
    await refused([{ ...good, k: 3 }], {}, 'ERR_DIMENSION', /take 3 of each/);
    await refused([good], { firsts: [1, 2] }, 'ERR_ARGUMENT', /firsts must be an array of 1 numbers/);
    await refused(
      [list([1], [9])],
      { firsts: [2 ** 32] },
      'ERR_ARGUMENT',
      /firsts\[0\] must be a whole number/,
    );
    await refused(
      [list([1], [9])],
      { firsts: [2 ** 32 - 10] },
      'ERR_ARGUMENT',
      /ids must be below 4294967295/,
    );
    await refused([good], { order: 'up' }, 'ERR_ARGUMENT', /order must be one of/);
    const found = await device.merge([list([5, 5], [4, 4]), list([5], [4])], { k: 3, order: 'highest' });
    expect([...found.ids]).toEqual([4, 4, 4]);
  });
});
