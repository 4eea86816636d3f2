import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { FilterExpression } from '../../../ts/core/types.ts';
import { buildFilter, type Choice, choose, noFilters, readFilter } from '../../../ts/serve/page/filters.ts';

const day = fc
  .date({ min: new Date('0001-01-01'), max: new Date('9999-12-30'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const choice: fc.Arbitrary<Choice> = fc.oneof(
  fc.record({
    kind: fc.constant('values' as const),
    values: fc.uniqueArray(fc.oneof(fc.string(), fc.boolean()), { minLength: 1 }),
  }),
  fc.oneof(
    fc.record({ kind: fc.constant('numbers' as const), least: finite, most: finite }),
    fc.record({ kind: fc.constant('numbers' as const), least: finite }),
    fc.record({ kind: fc.constant('numbers' as const), most: finite }),
  ),
  fc.oneof(
    fc.record({ kind: fc.constant('dates' as const), least: day, most: day }),
    fc.record({ kind: fc.constant('dates' as const), most: day }),
  ),
);

describe('filters', () => {
  test('nothing chosen is no filter', () => {
    expect(buildFilter(noFilters())).toBeUndefined();
    expect(readFilter(undefined)).toEqual(noFilters());
  });

  test('choices become clauses, several of them joined', () => {
    let filters = choose(noFilters(), 'city', { kind: 'values', values: ['Bern'] });
    expect(buildFilter(filters)).toEqual({ eq: ['city', 'Bern'] });
    filters = choose(filters, 'city', { kind: 'values', values: ['Bern', 'Basel'] });
    filters = choose(filters, 'pay', { kind: 'numbers', least: 60, most: 90 });
    filters = choose(filters, 'remote', { kind: 'values', values: [false] });
    expect(buildFilter(filters)).toEqual({
      and: [
        { in: ['city', ['Bern', 'Basel']] },
        { gte: ['pay', 60] },
        { lte: ['pay', 90] },
        { eq: ['remote', false] },
      ],
    });
  });

  test('the last day of a range is in it, whole', () => {
    const filters = choose(noFilters(), 'posted', { kind: 'dates', least: '2024-02-01', most: '2024-02-28' });
    expect(buildFilter(filters)).toEqual({
      and: [{ gte: ['posted', '2024-02-01'] }, { lt: ['posted', '2024-02-29'] }],
    });
  });

  test('an empty choice takes the attribute out', () => {
    const filters = choose(noFilters(), 'city', { kind: 'values', values: ['Bern'] });
    expect(choose(filters, 'city', { kind: 'values', values: [] })).toEqual(noFilters());
    const ranged = choose(noFilters(), 'pay', { kind: 'numbers', least: 0 });
    expect(buildFilter(ranged)).toEqual({ gte: ['pay', 0] });
    expect(choose(ranged, 'pay', { kind: 'numbers' })).toEqual(noFilters());
  });

  test('reading gives back what was built, for any names and values', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), choice)), (chosen) => {
        const filters = { choices: new Map(chosen), rest: [] };
        const filter = buildFilter(filters);
        const wire = filter && (JSON.parse(JSON.stringify(filter)) as FilterExpression);
        expect(buildFilter(readFilter(wire))).toEqual(wire);
        const read = readFilter(wire);
        expect(read.rest).toEqual([]);
        expect([...read.choices.keys()]).toEqual([...filters.choices.keys()]);
      }),
    );
  });

  test('what the page has no controls for is kept as it is', () => {
    const others: FilterExpression[] = [
      { or: [{ eq: ['a', 'x'] }, { eq: ['b', 'y'] }] },
      { not: { eq: ['a', 'x'] } },
      { near: ['place', { lat: 47, lon: 7 }, 1000] },
      { eq: ['pay', 60] },
      { gt: ['pay', 60] },
      { exists: 'pay' },
    ];
    for (const other of others) expect(readFilter(other)).toEqual({ choices: new Map(), rest: [other] });
    const both: FilterExpression = { and: [{ gte: ['pay', 1] }, { gte: ['pay', 2] }, { eq: ['pay', 'x'] }] };
    const read = readFilter(both);
    expect(read.rest).toEqual([{ gte: ['pay', 2] }, { eq: ['pay', 'x'] }]);
    expect(buildFilter(read)).toEqual(both);
  });

  test('what is no filter does no harm', () => {
    fc.assert(
      fc.property(fc.object(), (value) => {
        const read = readFilter(value as FilterExpression);
        expect(() => buildFilter(read)).not.toThrow();
      }),
    );
  });
});
