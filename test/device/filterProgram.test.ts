import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Attributes, FilterExpression } from '../../ts/core/types.ts';
import type { Device, Rows, UploadOptions } from '../../ts/device/device.ts';
import {
  attributeTypes,
  batchOf,
  passesPlainly,
  randomAttributes,
  randomFilter,
} from '../helpers/attributes.ts';
import { chromiumDevices } from '../helpers/chromiumDevice.ts';
import { devices } from '../helpers/devices.ts';
import { EFFORT, SEED } from '../helpers/effort.ts';

const options: UploadOptions = { dim: 1, metric: 'ip', dtype: 'f32', attributes: attributeTypes };
const query = Float32Array.of(1);

/** Row i scores -i: the answer tells every row that passes. */
const batch = (list: readonly Attributes[], first = 0) => ({
  data: Float32Array.from(list, (_, i) => -(first + i)),
  attributes: batchOf(list),
});

async function passing(rows: Rows, where: FilterExpression, k = rows.count): Promise<number[]> {
  const { ids, counts } = await rows.search(query, { k: Math.max(1, k), filter: { where } });
  return [...ids.subarray(0, counts[0])];
}

/** Rows with values of their own. */
const numbered = (count: number): Attributes[] =>
  Array.from({ length: count }, (_, i) => ({
    word: `${i}`,
    number: i,
    time: 2n ** 60n + BigInt(i),
    flag: i % 2 === 0,
    set: i % 3 === 0 ? [] : [`${i}`, `${i % 5}`, 'all'],
  }));

describe.each([...devices, ...chromiumDevices])('$label', ({ open, pace }) => {
  let device: Device;
  beforeAll(async () => {
    device = await open();
  });
  afterAll(() => device.close());

  test(`programs agree with a plain reading of many rows (seed ${SEED})`, async () => {
    const cases = fc.tuple(
      fc.array(randomAttributes, { minLength: 1, maxLength: 700, size: 'max' }),
      fc.array(randomFilter, { minLength: 1, maxLength: 6 }),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ([list, filters]) => {
        await using rows = await device.upload(batch(list), options);
        for (const filter of filters) {
          const expected = list.flatMap((row, id) => (passesPlainly(filter, row) ? [id] : []));
          expect(await passing(rows, filter)).toEqual(expected);
        }
      }),
      { numRuns: Math.ceil(30 * pace * EFFORT), seed: SEED },
    );
  }, 60_000);

  test('every row up to the last is looked at, and none behind it, whatever the number of rows', async () => {
    for (const count of [1, 31, 32, 33, 63, 64, 65, 255, 256, 257, 1025]) {
      await using rows = await device.upload(batch(numbered(count)), options);
      const last = count - 1;
      const leaves: FilterExpression[] = [
        { eq: ['word', `${last}`] },
        { gte: ['number', last] },
        { gt: ['time', 2n ** 60n + BigInt(last) - 1n] },
        { not: { lt: ['number', last] } },
      ];
      for (const leaf of leaves) expect(await passing(rows, leaf)).toEqual([last]);
      expect(await passing(rows, { not: { or: [] } })).toHaveLength(count);
      expect(await passing(rows, { not: { eq: ['word', '0'] } })).toHaveLength(count - 1);
      const members = Array.from({ length: count }, (_, i) => i).filter((i) => i % 3 !== 0);
      expect(await passing(rows, { eq: ['set', 'all'] })).toEqual(members);
      if (last % 3 !== 0) expect(await passing(rows, { eq: ['set', `${last}`] })).toContain(last);
    }
  });

  test('0, 1, k - 1 and k rows and all of them pass: empty, listed and masked', async () => {
    const count = 1000;
    await using rows = await device.upload(batch(numbered(count)), options);
    for (const k of [1, 10, 62, 63]) {
      for (const some of [0, 1, k - 1, k, k + 1, count]) {
        const { ids, counts } = await rows.search(query, { k, filter: { where: { lt: ['number', some] } } });
        expect(counts[0]).toBe(Math.min(k, some));
        expect([...ids.subarray(0, counts[0])]).toEqual(Array.from({ length: counts[0]! }, (_, i) => i));
      }
    }
  });

  test('words of a long list, neighbours and strangers among them, are found', async () => {
    await using rows = await device.upload(batch(numbered(600)), options);
    const picked = Array.from({ length: 600 }, (_, i) => i).filter((i) => i % 7 < 2 || (i > 300 && i < 340));
    const words = [...picked.map(String), 'stranger', '7'].reverse();
    const expected = [...new Set([...picked, 7])].sort((a, b) => a - b);
    expect(await passing(rows, { in: ['word', words] })).toEqual(expected);
    expect(await passing(rows, { in: ['number', words.map(Number).filter(Number.isFinite)] })).toEqual(
      expected,
    );
    const inSets = new Set(words);
    const holders = numbered(600).flatMap(({ set }, id) =>
      (set as string[]).some((member) => inSets.has(member)) ? [id] : [],
    );
    expect(await passing(rows, { in: ['set', words] })).toEqual(holders);
  });

  test('neighbours beyond 2 ** 24 and 2 ** 53 are told apart in both words of a key', async () => {
    const numbers = [
      -(2 ** 53),
      -(2 ** 53) + 1,
      -1 - 2 ** -52,
      -1,
      -5e-324,
      0,
      5e-324,
      2 ** 24,
      2 ** 24 + 1,
      2 ** 53,
    ];
    const times = [
      1n - 2n ** 63n,
      -(2n ** 32n) - 1n,
      -(2n ** 32n),
      -1n,
      0n,
      2n ** 24n + 1n,
      2n ** 32n - 1n,
      2n ** 32n,
    ];
    const more = [...times, 2n ** 53n + 1n, 2n ** 63n - 1n];
    const list = numbers.map((number, i): Attributes => ({ number, time: more[i]! }));
    await using rows = await device.upload(batch(list), options);
    const ids = list.map((_, id) => id);
    for (const [name, values] of [
      ['number', numbers],
      ['time', more],
    ] as const) {
      for (const [i, value] of values.entries()) {
        const leaf = (operator: string) => ({ [operator]: [name, value] }) as unknown as FilterExpression;
        expect(await passing(rows, leaf('eq'))).toEqual([i]);
        expect(await passing(rows, leaf('lt'))).toEqual(ids.slice(0, i));
        expect(await passing(rows, leaf('lte'))).toEqual(ids.slice(0, i + 1));
        expect(await passing(rows, leaf('gt'))).toEqual(ids.slice(i + 1));
        expect(await passing(rows, leaf('gte'))).toEqual(ids.slice(i));
      }
    }
    expect(await passing(rows, { gt: ['time', 2n ** 70n] })).toEqual([]);
    expect(await passing(rows, { lt: ['time', 2n ** 70n] })).toEqual(ids);
    expect(await passing(rows, { in: ['time', [-(2n ** 63n), 2n ** 63n, 0n]] })).toEqual([4]);
    expect(await passing(rows, { lte: ['number', Number.NEGATIVE_INFINITY] })).toEqual([]);
    expect(await passing(rows, { lt: ['number', Number.POSITIVE_INFINITY] })).toEqual(ids);
  });

  test('deep and wide programs are evaluated whole', async () => {
    await using rows = await device.upload(batch(numbered(100)), options);
    let deep: FilterExpression = { eq: ['number', 50] };
    for (let i = 0; i < 49; i++) {
      deep =
        i % 2 === 0 ? { or: [{ eq: ['number', i] }, deep] } : { and: [{ lt: ['number', 99 - i] }, deep] };
    }
    const expected = numbered(100).flatMap((row, id) => (passesPlainly(deep, row) ? [id] : []));
    expect(await passing(rows, deep)).toEqual(expected);
    const wide = Array.from({ length: 200 }, (_, i): FilterExpression => ({ eq: ['word', `${i * 3}`] }));
    expect(await passing(rows, { or: wide })).toEqual(Array.from({ length: 34 }, (_, i) => i * 3));
  });

  test('columns grow with appends, skip removed rows and are those of the rows that compaction keeps', async () => {
    await using rows = await device.upload(new Float32Array(), options);
    let model: (Attributes | undefined)[] = [];
    const leaves: FilterExpression[] = [
      { in: ['set', ['3', '40', '299', '1100']] },
      { exists: 'set' },
      { and: [{ gte: ['number', 30] }, { not: { eq: ['flag', true] } }] },
      { in: ['word', ['0', '31', '32', '400', '1299']] },
    ];
    for (const added of [1, 31, 300, 0, 700, 300]) {
      const list = numbered(model.length + added).slice(model.length);
      await rows.append(batch(list, model.length));
      model.push(...list);
      const gone = model.flatMap((row, id) => (row !== undefined && id % 11 === added % 11 ? [id] : []));
      await rows.remove(gone);
      for (const id of gone) model[id] = undefined;
      if (added === 300) {
        await rows.compact();
        model = model.filter((row) => row !== undefined);
      }
      for (const leaf of leaves) {
        const expected = model.flatMap((row, id) =>
          row !== undefined && passesPlainly(leaf, row) ? [id] : [],
        );
        expect((await passing(rows, leaf)).sort((a, b) => a - b)).toEqual(expected);
      }
    }
  });

  test('an append that fails leaves nothing in the columns', async () => {
    await using rows = await device.upload(new Float32Array(), { ...options, dtype: 'f16' });
    await rows.append(batch(numbered(3)));
    const failing = { ...batch(numbered(5)), data: new Float32Array(5).fill(1e6) };
    await expect(rows.append(failing)).rejects.toMatchObject({ code: 'ERR_OVERFLOW' });
    await rows.append(new Float32Array());
    await rows.append({ data: Float32Array.of(-3, -4), attributes: { set: [['4', 'new'], null] } });
    for (const name of ['word', 'number', 'time', 'flag']) {
      expect(await passing(rows, { exists: name })).toEqual([0, 1, 2]);
    }
    expect(await passing(rows, { exists: 'set' })).toEqual([0, 1, 2, 3]);
    expect(await passing(rows, { eq: ['set', '4'] })).toEqual([3]);
    expect(await passing(rows, { in: ['set', ['2', 'new']] })).toEqual([2, 3]);
  });

  test('attributes may have any name, and batches may leave them out', async () => {
    const attributes = Object.fromEntries([
      ['constructor', 'number'] as const,
      ['toString', 'keyword'] as const,
    ]);
    await using rows = await device.upload(new Float32Array(2), { ...options, attributes });
    await rows.append({ data: Float32Array.of(-2), attributes: { constructor: [7] as never } });
    expect(await passing(rows, { eq: ['constructor', 7] })).toEqual([2]);
    expect(await passing(rows, { not: { exists: 'toString' } })).toEqual([0, 1, 2]);
  });
});

describe.each(devices)('$label', ({ open }) => {
  test('columns that are written and evaluated in many parts are one, and so is what the host knows', async () => {
    await using device = await open();
    const list = Array.from(
      { length: 70_001 },
      (_, i): Attributes => ({
        set: i % 5000 === 4999 ? ['rare'] : [],
        place: { lat: 0, lon: i % 7000 === 6999 ? 1 : 2 },
      }),
    );
    await using rows = await device.upload(batch(list), options);
    const removed = [9999, 69_999];
    await rows.remove(removed);
    const every = (step: number) =>
      list.flatMap((_, id) => (id % step === step - 1 && !removed.includes(id) ? [id] : []));
    expect(await passing(rows, { eq: ['set', 'rare'] }, 20)).toEqual(every(5000));
    expect(await passing(rows, { near: ['place', { lat: 0, lon: 1 }, 1] }, 20)).toEqual(every(7000));
  });

  test('a filter that is cancelled ends with the reason, and those beside it are answered', async () => {
    await using device = await open();
    await using rows = await device.upload(batch(numbered(5000)), options);
    const controller = new AbortController();
    const where: FilterExpression = { or: Array.from({ length: 50 }, (_, i) => ({ eq: ['set', `${i}`] })) };
    const asked = { k: 1, filter: { where } };
    const searches = [rows.search(query, { ...asked, signal: controller.signal }), rows.search(query, asked)];
    controller.abort(new Error('enough'));
    await expect(searches[0]).rejects.toThrow('enough');
    const { ids } = (await searches[1])!;
    expect(ids[0]).toBe(1);
  });
});
