import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hasBit, setBit, zeros } from '../../ts/core/bitset.ts';
import type { Attributes, FilterExpression } from '../../ts/core/types.ts';
import type { RowBatch, UploadOptions } from '../../ts/device/device.ts';
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

const DIM = 3;
const options: UploadOptions = { dim: DIM, metric: 'ip', dtype: 'f32', attributes: attributeTypes };

/** Row i is better than row i + 1 for the query of ones, but for ties of neighbours. */
function batch(list: Attributes[], first = 0): RowBatch {
  const data = Float32Array.from(
    { length: list.length * DIM },
    (_, i) => -((first + Math.floor(i / DIM)) >> 1),
  );
  return { data, attributes: batchOf(list) };
}

describe.each([...devices, ...chromiumDevices])('$label', ({ open, pace }) => {
  const query = new Float32Array(DIM).fill(1);

  test(
    `where, mask and rows agree with a plain reading, through appends, removals and compactions (seed ${SEED})`,
    async () => {
      await using device = await open();
      const script = fc.array(
        fc.record({
          added: fc.array(randomAttributes, { maxLength: 40 }),
          removed: fc.array(fc.nat()),
          compact: fc.boolean(),
          filter: randomFilter,
          k: fc.constantFrom(1, 2, 31, 32, 33, 100),
        }),
        { minLength: 1, maxLength: 4 },
      );
      await fc.assert(
        fc.asyncProperty(script, async (steps) => {
          await using rows = await device.upload(new Float32Array(), options);
          let model: (Attributes | undefined)[] = [];
          for (const { added, removed, compact, filter, k } of steps) {
            await rows.append(batch(added, model.length));
            model.push(...added);
            const ids = model.length === 0 ? [] : removed.map((id) => id % model.length);
            await rows.remove(ids);
            for (const id of ids) model[id] = undefined;
            if (compact) {
              await rows.compact();
              model = model.filter((row) => row !== undefined);
            }
            const passing = model.flatMap((row, id) =>
              row !== undefined && passesPlainly(filter, row) ? [id] : [],
            );
            const mask = zeros(model.length);
            for (const id of passing) setBit(mask, id);
            const found = await rows.search(query, { k, filter: { where: filter } });
            expect(found.counts[0]).toBe(Math.min(k, passing.length));
            expect(found.ids.subarray(0, found.counts[0]).every((id) => hasBit(mask, id))).toBe(true);
            const others = [{ mask }, { rows: Uint32Array.from(passing) }];
            for (const other of others) expect(await rows.search(query, { k, filter: other })).toEqual(found);
          }
        }),
        { numRuns: Math.ceil(60 * pace * EFFORT), seed: SEED },
      );
    },
    60_000 * EFFORT,
  );

  test('numbers and timestamps that float32 cannot tell apart are told apart', async () => {
    await using device = await open();
    const at = 2n ** 60n;
    const values = [2 ** 24, 2 ** 24 + 1, 2 ** 53 - 1, 2 ** 53, 1, 1 + 2 ** -52, -0, 0, 5e-324];
    const list: Attributes[] = values.map((number, i) => ({ number, time: at + BigInt(i) }));
    await using rows = await device.upload(batch(list), options);
    const passing = async (where: FilterExpression) => {
      const { ids, counts } = await rows.search(query, { k: 20, filter: { where } });
      return [...ids.subarray(0, counts[0])].sort((a, b) => a - b);
    };
    for (const [row, value] of values.entries()) {
      const expected = (holds: (other: number) => boolean) => values.flatMap((v, i) => (holds(v) ? [i] : []));
      expect(await passing({ eq: ['number', value] })).toEqual(expected((v) => v === value));
      expect(await passing({ lt: ['number', value] })).toEqual(expected((v) => v < value));
      expect(await passing({ gte: ['number', value] })).toEqual(expected((v) => v >= value));
      expect(await passing({ eq: ['time', at + BigInt(row)] })).toEqual([row]);
      expect(await passing({ gt: ['time', at + BigInt(row)] })).toEqual(
        values.flatMap((_, i) => (i > row ? [i] : [])),
      );
    }
  });

  test('a search sees the attributes as of the mutations called before it, and arguments as they were', async () => {
    await using device = await open();
    await using rows = await device.upload(new Float32Array(), options);
    const added = batch([{ word: 'new', set: ['a'] }]);
    const where = { eq: ['word', 'new'] as [string, string] };
    const early = rows.search(query, { k: 1, filter: { where } });
    const appended = rows.append(added);
    added.attributes = {};
    const late = rows.search(query, { k: 1, filter: { where } });
    where.eq[1] = 'other';
    const compacted = rows.compact();
    expect((await early).counts[0]).toBe(0);
    await appended;
    expect((await late).counts[0]).toBe(1);
    await compacted;
    expect((await rows.search(query, { k: 1, filter: { where: { eq: ['set', 'a'] } } })).counts[0]).toBe(1);
  });

  test('bytes count attributes, and compaction frees them', async () => {
    await using device = await open();
    await using bare = await device.upload(new Float32Array(4096 * DIM), options);
    const list: Attributes[] = Array.from({ length: 4096 }, (_, i) => ({
      word: `word ${i}`,
      number: i,
      set: ['x', `${i}`],
    }));
    await using rows = await device.upload(batch(list), options);
    const full = rows.bytes;
    expect(full).toBeGreaterThanOrEqual(bare.bytes + 4096 * (8 + 4 + 16));
    await rows.remove(Array.from({ length: 4095 }, (_, i) => i));
    await rows.compact();
    expect(rows.bytes).toBeLessThan(full / 2);
    const { counts } = await rows.search(query, { k: 9, filter: { where: { eq: ['word', 'word 4095'] } } });
    expect(counts[0]).toBe(1);
  });

  test.each<[string, RowBatch | Float32Array, RegExp, string]>([
    [
      'an attribute that was not declared',
      { data: query, attributes: { town: ['a'] } },
      /"town", which the upload did not declare: declared are flag, number/,
      'ERR_ARGUMENT',
    ],
    [
      'too few values',
      { data: query, attributes: { word: [] } },
      /one value a row, which are 1, got an array of 0/,
      'ERR_ARGUMENT',
    ],
    [
      'a value of another type',
      { data: query, attributes: { word: [7] } },
      /\["word"\]\[0\] must be a string, or null where it is missing, got 7/,
      'ERR_ATTRIBUTE_TYPE',
    ],
    ['NaN', { data: query, attributes: { number: [Number.NaN] } }, /a finite number/, 'ERR_ATTRIBUTE_TYPE'],
    [
      'what stands for a missing time',
      { data: query, attributes: { time: [-(2n ** 63n)] } },
      /above its minimum/,
      'ERR_ATTRIBUTE_TYPE',
    ],
    [
      'a point off the Earth',
      { data: query, attributes: { place: [{ lat: 91, lon: 0 }] } },
      /a point/,
      'ERR_ATTRIBUTE_TYPE',
    ],
    [
      'an unknown key',
      { data: query, colour: 1 } as unknown as RowBatch,
      /unknown key "colour"/,
      'ERR_ARGUMENT',
    ],
  ])('%s is refused, and nothing is appended', async (_, given, message, code) => {
    await using device = await open();
    await using rows = await device.upload(new Float32Array(), options);
    await expect(rows.append(given)).rejects.toThrow(message);
    await expect(rows.append(given)).rejects.toMatchObject({ code });
    await expect(device.upload(given, options)).rejects.toMatchObject({ code });
    expect(rows.count).toBe(0);
    await rows.append(batch([{ word: 'a' }]));
    expect((await rows.search(query, { k: 1, filter: { where: { exists: 'word' } } })).counts[0]).toBe(1);
  });

  test('a faulty condition is refused before the search, and a type that there is none of before the upload', async () => {
    await using device = await open();
    await using rows = await device.upload(query, options);
    const search = (where: unknown) =>
      rows.search(query, { k: 1, filter: { where: where as FilterExpression } });
    await expect(search({ eq: ['town', 'a'] })).rejects.toMatchObject({ code: 'ERR_FILTER' });
    await expect(search({ and: [{ gt: ['word', 'a'] }] })).rejects.toThrow(/filter\.and\[0\]\.gt needs/);
    await expect(search(undefined)).rejects.toThrow(/exactly one of mask, rows and where/);
    await expect(search(null)).rejects.toMatchObject({ code: 'ERR_FILTER' });
    const wrong = { ...options, attributes: { word: 'string' } } as unknown as UploadOptions;
    await expect(device.upload(query, wrong)).rejects.toThrow(
      /attributes\["word"\] must be one of 'keyword'/,
    );
    expect((await search({ not: { exists: 'word' } })).counts[0]).toBe(1);
  });
});
