import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { random } from '../../ts/core/random.ts';
import type { Metric } from '../../ts/core/types.ts';
import type { Device } from '../../ts/device/device.ts';
import { chromiumDevices } from '../helpers/chromiumDevice.ts';
import { devices } from '../helpers/devices.ts';
import { DRAWN, EFFORT, SEED } from '../helpers/effort.ts';
import { naiveSearch } from '../helpers/naiveSearch.ts';

type Step =
  | { do: 'append'; rows: number }
  | { do: 'remove'; picks: number[] }
  | { do: 'compact' }
  | { do: 'search'; k: number; masked: boolean; wait: boolean };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('append' as const), rows: fc.constantFrom(0, 1, 3, 63, 64, 65, 200) }),
    fc.record({ do: fc.constant('remove' as const), picks: fc.array(fc.nat(), { maxLength: 40 }) }),
    fc.record({ do: fc.constant('compact' as const) }),
    fc.record({
      do: fc.constant('search' as const),
      k: fc.constantFrom(1, 4, 40),
      masked: fc.boolean(),
      wait: fc.boolean(),
    }),
  ),
  { minLength: 4, maxLength: 14 },
);

describe.each([...devices, ...chromiumDevices])('$label', ({ open, pace }) => {
  let device: Device;
  beforeAll(async () => {
    device = await open();
  });
  afterAll(() => device.close());

  test(
    'appends, removes, compactions and searches, awaited or not, follow a plain model',
    async () => {
      const dim = 6;
      const scenario = fc.record({
        steps,
        first: fc.constantFrom(0, 1, 64, 300),
        metric: fc.constantFrom<Metric>('ip', 'cosine', 'l2'),
        seed: fc.nat(),
      });
      const property = fc.asyncProperty(scenario, async ({ steps: todo, first, metric, seed }) => {
        const source = random(seed);
        const numbers = (rows: number) => Float32Array.from({ length: rows * dim }, () => source.normal());
        let model = numbers(first);
        const gone = new Set<number>();
        let generation = 0;
        await using rows = await device.upload(model, { dim, metric, dtype: 'f32' });
        const checks: Promise<unknown>[] = [];
        for (const step of todo) {
          const count = model.length / dim;
          if (step.do === 'append') {
            const more = numbers(step.rows);
            const expected = { first: count, count: step.rows, generation: ++generation };
            checks.push(rows.append(more).then((appended) => expect(appended).toEqual(expected)));
            model = Float32Array.from([...model, ...more]);
            more.fill(Number.NaN); // the caller may reuse its buffer at once
          } else if (step.do === 'remove') {
            const ids = count === 0 ? [] : step.picks.map((pick) => pick % count);
            const fresh = new Set(ids.filter((id) => !gone.has(id)));
            generation++;
            const given = Uint32Array.from(ids);
            checks.push(rows.remove(given).then((removed) => expect(removed).toBe(fresh.size)));
            given.fill(0);
            for (const id of fresh) gone.add(id);
          } else if (step.do === 'compact') {
            let next = 0;
            const remap = Array.from({ length: count }, (_, id) => (gone.has(id) ? 0xffffffff : next++));
            const expected = { remap: Uint32Array.from(remap), generation: ++generation };
            checks.push(rows.compact().then((compacted) => expect(compacted).toEqual(expected)));
            model = model.filter((_, i) => !gone.has(Math.floor(i / dim)));
            gone.clear();
          } else {
            const query = numbers(1);
            const mask = Uint32Array.from({ length: Math.ceil(count / 32) }, () => source.next() * 2 ** 32);
            const bit = (id: number) => !step.masked || ((mask[id >> 5]! >>> (id & 31)) & 1) === 1;
            const naive = naiveSearch(model, query, dim, metric, step.k, (id) => !gone.has(id) && bit(id));
            const seen = generation;
            const search = rows.search(query, {
              k: step.k,
              filter: step.masked ? { mask: mask.slice() } : undefined,
            });
            checks.push(
              search.then((top) => {
                expect(Array.from(top.ids)).toEqual(naive.ids);
                expect(Array.from(top.scores)).toEqual(naive.scores);
                expect(Array.from(top.counts)).toEqual(naive.counts);
                expect(top.generation).toBe(seen);
              }),
            );
            if (step.wait) await search;
          }
        }
        await Promise.all(checks);
        expect(rows.count).toBe(model.length / dim);
        expect(rows.live).toBe(model.length / dim - gone.size);
        expect(rows.generation).toBe(generation);
      });
      await fc.assert(property, { numRuns: Math.ceil(40 * pace * EFFORT), ...DRAWN });
    },
    180_000 * EFFORT,
  );

  test('a search sees the mutations called before it and none called after it', async () => {
    await using rows = await device.upload(Float32Array.of(1, 2), { dim: 1, metric: 'ip', dtype: 'f32' });
    const query = Float32Array.of(1);
    const before = rows.search(query, { k: 3 });
    const appending = rows.append(Float32Array.of(3));
    const between = rows.search(query, { k: 3 });
    const removing = rows.remove([1]);
    const after = rows.search(query, { k: 3 });
    expect(await Promise.all([before, between, after].map(async (top) => [...(await top).ids]))).toEqual([
      [1, 0, 0xffffffff],
      [2, 1, 0],
      [2, 0, 0xffffffff],
    ]);
    expect(await appending).toEqual({ first: 2, count: 1, generation: 1 });
    expect(await removing).toBe(1);
    expect((await between).generation).toBe(1);
  });

  test('compact frees memory, and searches called before it answer with the old ids', async () => {
    const dim = 64;
    const data = Float32Array.from({ length: 5000 * dim }, (_, i) => (i % dim === 0 ? i / dim : 1));
    await using rows = await device.upload(data, { dim, metric: 'ip', dtype: 'f32' });
    await rows.remove(Uint32Array.from({ length: 4990 }, (_, i) => i));
    const query = Float32Array.from({ length: dim }, (_, i) => (i === 0 ? 1 : 0));
    const bytes = rows.bytes;
    const before = rows.search(query, { k: 2 });
    const compacting = rows.compact();
    const after = rows.search(query, { k: 2 });
    expect([...(await before).ids]).toEqual([4999, 4998]);
    expect([...(await after).ids]).toEqual([9, 8]);
    expect([...(await compacting).remap.subarray(4988)]).toEqual([
      0xffffffff, 0xffffffff, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
    ]);
    expect(rows).toMatchObject({ count: 10, live: 10, generation: 2 });
    expect(rows.bytes).toBeLessThan(bytes / 10);
    expect(await rows.append(data.subarray(0, dim))).toEqual({ first: 10, count: 1, generation: 3 });
    await rows.remove(Array.from({ length: 11 }, (_, i) => i));
    expect([...(await rows.compact()).remap]).toEqual(new Array(11).fill(0xffffffff));
    expect((await rows.search(query, { k: 1 })).counts[0]).toBe(0);
  });

  test('a mutation that fails changes nothing, and the next one acts', async () => {
    await using rows = await device.upload(Float32Array.of(1, 2, 3, 4), {
      dim: 2,
      metric: 'ip',
      dtype: 'f32',
    });
    const failing = rows.append(Float32Array.of(1, 2, Number.NaN, 4));
    const next = rows.append(Float32Array.of(5, 6));
    await expect(failing).rejects.toMatchObject({
      code: 'ERR_NOT_FINITE',
      message: expect.stringContaining('NaN at row 1, column 0 (index 2)'),
    });
    expect(await next).toEqual({ first: 2, count: 1, generation: 1 });
    await expect(rows.remove([0, 3])).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    expect(rows).toMatchObject({ count: 3, live: 3, generation: 1 });
    expect(await rows.remove([])).toBe(0);
    expect(await rows.remove([2, 2, 0])).toBe(2);
    expect(await rows.remove([2])).toBe(0);
    expect(rows).toMatchObject({ count: 3, live: 1, generation: 4 });
  });

  test('appended rows are those of the call, whatever becomes of the array', async () => {
    const [dim, first, more] = [24, 7, 20_000];
    const source = random(SEED);
    const data = Float32Array.from({ length: (first + more) * dim }, () => source.normal());
    const query = data.slice(-dim);
    const expected = naiveSearch([...data], query, dim, 'cosine', 5, () => true);
    const shared = new Float32Array(new SharedArrayBuffer(4 * more * dim));
    shared.set(data.subarray(first * dim));
    await using rows = await device.upload(data.subarray(0, first * dim), {
      dim,
      metric: 'cosine',
      dtype: 'f32',
    });
    const bad = shared.slice();
    bad[bad.length - 2] = Number.POSITIVE_INFINITY;
    bad[(more >> 1) * dim + 3] = Number.NaN;
    await expect(rows.append(bad)).rejects.toMatchObject({
      code: 'ERR_NOT_FINITE',
      message: expect.stringContaining(`NaN at row ${more >> 1}, column 3`),
    });
    const appending = rows.append(shared);
    shared.fill(0);
    expect(await appending).toEqual({ first, count: more, generation: 1 });
    const { ids, scores } = await rows.search(query, { k: 5 });
    expect({ ids: [...ids], scores: [...scores] }).toMatchObject({
      ids: expected.ids,
      scores: expected.scores,
    });
  });
});
