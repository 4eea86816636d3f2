import { setImmediate, setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SeineError } from '../../ts/core/errors.ts';
import { random } from '../../ts/core/random.ts';
import type { Filter, Metric, TopK } from '../../ts/core/types.ts';
import type { BackendRows, Found, SearchTask } from '../../ts/device/device.ts';
import { GatheredSearches } from '../../ts/device/gatheredSearches.ts';
import { provider } from '../../ts/device/reference/device.ts';
import { devices } from '../helpers/devices.ts';
import { DRAWN, EFFORT } from '../helpers/effort.ts';
import { openedWithReference } from '../helpers/opened.ts';

const DIM = 7;
const ROWS = 90;
const draw = (rows: number, seed = 5) => {
  const source = random(seed);
  return Float32Array.from({ length: rows * DIM }, () => source.normal());
};
const METRICS: Metric[] = ['ip', 'l2', 'hamming'];
const FILTERS: (Filter | undefined)[] = [
  undefined,
  { rows: Uint32Array.of(3, 1, 80) },
  { mask: Uint32Array.of(0x55555555, 0xffffffff, 0x3ffffff) },
];

describe.each(devices)('$label', ({ open, pace }) => {
  const opened = openedWithReference(open);

  test('searches called together have the answers that they have one by one', () => {
    const one = fc.record({
      q: fc.integer({ min: 1, max: 4 }),
      k: fc.constantFrom(1, 5),
      filter: fc.constantFrom(...FILTERS),
      seed: fc.integer(),
    });
    const property = fc.asyncProperty(
      fc.constantFrom(...METRICS),
      fc.boolean(),
      fc.array(one, { minLength: 2, maxLength: 12 }),
      async (metric, removing, searches) => {
        const dtype = metric === 'hamming' ? 'binary' : 'f32';
        await using rows = await opened.device.upload(draw(ROWS), { dim: DIM, metric, dtype });
        if (removing) await rows.remove([1, 40, 89]);
        const ask = ({ q, k, filter, seed }: (typeof searches)[number]) =>
          rows.search(draw(q, seed), filter === undefined ? { k } : { k, filter });
        const together = await Promise.all(searches.map(ask));
        const alone: TopK[] = [];
        for (const search of searches) alone.push(await ask(search));
        expect(together).toEqual(alone);
      },
    );
    return fc.assert(property, { ...DRAWN, numRuns: Math.ceil(12 * pace * EFFORT) });
  });
});

describe('batches', () => {
  let rows: BackendRows;
  beforeAll(async () => {
    rows = await (await provider.open()).createRows({ dim: DIM, metric: 'ip', dtype: 'f32' });
    await rows.append({ rows: { dtype: 'f32', values: draw(ROWS) }, features: new Float32Array() });
  });
  afterAll(() => rows.dispose());

  /** The reference, with a note of every batch that it is asked for. */
  function watched(search: (task: SearchTask) => Promise<Found> = (task) => rows.search(task)) {
    const batches: SearchTask[] = [];
    const gathered = new GatheredSearches({
      ...rows,
      search(task) {
        batches.push(task);
        return search(task);
      },
    });
    return { batches, gathered, sizes: () => batches.map(({ q }) => q) };
  }

  const slowly = async (asked: SearchTask) => {
    await setTimeout(20);
    return rows.search(asked);
  };
  const task = (q: number, more: Partial<SearchTask> = {}): SearchTask => ({
    queries: { dtype: 'f32', values: draw(q, q) },
    q,
    weights: undefined,
    k: 3,
    count: ROWS,
    allowed: undefined,
    rows: undefined,
    passing: ROWS,
    signal: undefined,
    ...more,
  });

  test('the first begins at once, those that come meanwhile are one batch of at most 256 queries', async () => {
    const { gathered, sizes } = watched();
    const asked = [1, 2, 3, 100, 150, 6].map((q) => gathered.search(task(q)));
    expect(sizes()).toEqual([1]);
    const found = await Promise.all(asked);
    expect(sizes()).toEqual([1, 255, 6]);
    expect(found[4]).toEqual(await rows.search(task(150)));
  });

  test('who asks again as soon as the answer is there comes into the next batch', async () => {
    const { gathered, sizes } = watched(slowly);
    const caller = async () => {
      for (let i = 0; i < 4; i++) await gathered.search(task(1));
    };
    await Promise.all([caller(), caller(), caller()]);
    expect(sizes()).toEqual([1, 3, 3, 3, 2]);
  });

  test('other k, rows or row counts, and large batches, do not wait', async () => {
    const { gathered, sizes } = watched();
    const allowed = Uint32Array.of(7, 0, 0);
    const others = [{}, { k: 2 }, { count: 50, passing: 50 }, { allowed, passing: 3 }];
    const asked = [...others.map((more) => gathered.search(task(1, more))), gathered.search(task(256))];
    expect(sizes()).toEqual([1, 1, 1, 1, 256]);
    await Promise.all(asked);
  });

  test('a batch is cancelled only when nobody waits for it any more', async () => {
    const { batches, gathered } = watched(slowly);
    const aborts = [new AbortController(), new AbortController(), new AbortController()];
    const first = gathered.search(task(1));
    const members = aborts.map(({ signal }) => gathered.search(task(1, { signal })));
    const settled = Promise.allSettled(members);
    aborts[0]!.abort(new Error('gone before it began'));
    await first;
    while (batches.length < 2) await setImmediate();
    expect(batches[1]!.q).toBe(2);
    aborts[1]!.abort();
    expect(batches[1]!.signal!.aborted).toBe(false);
    aborts[2]!.abort();
    expect(batches[1]!.signal!.aborted).toBe(true);
    expect((await settled)[0]).toMatchObject({ reason: { message: 'gone before it began' } });
    await expect(gathered.search(task(2))).resolves.toEqual(await rows.search(task(2)));
  });

  test('a batch that fails is asked for one by one', async () => {
    const failure = new SeineError('ERR_OUT_OF_MEMORY', 'too large');
    const { gathered, sizes } = watched((asked) =>
      asked.q > 2 ? Promise.reject(failure) : rows.search(asked),
    );
    const asked = [1, 2, 3, 1].map((q) => gathered.search(task(q)));
    const settled = await Promise.allSettled(asked);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(settled[2]).toMatchObject({ reason: failure });
    expect(sizes()).toEqual([1, 6, 2, 3, 1]);
  });
});
