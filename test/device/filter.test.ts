import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { countBits, hasBit } from '../../ts/core/bitset.ts';
import type { Attributes, FilterExpression } from '../../ts/core/types.ts';
import { Columns } from '../../ts/device/columns.ts';
import { evaluateFilter } from '../../ts/device/reference/filter.ts';
import { countFacet } from '../../ts/online/retrieve/facets.ts';

const zurich = { lat: 47.3769, lon: 8.5417 };
const bern = { lat: 46.948, lon: 7.4474 };
const documents: Attributes[] = [
  {
    city: 'Zurich',
    remote: true,
    salary: 120000,
    posted: new Date('2026-01-05'),
    skills: ['go', 'sql'],
    at: zurich,
  },
  { city: 'Bern', remote: false, salary: 90000.5, posted: new Date('2026-02-01'), skills: [], at: bern },
  { city: null, salary: -0 },
  { city: 'Basel', remote: true, posted: 2n ** 60n + 1n, skills: ['go'] },
  {},
];

function columnsOf(list: Attributes[]): Columns {
  const columns = new Columns();
  columns.declare('city', 'keyword');
  columns.declare('remote', 'boolean');
  columns.declare('salary', 'number');
  columns.declare('posted', 'timestamp');
  columns.declare('skills', 'set');
  columns.declare('at', 'geo');
  list.forEach((attributes, ordinal) => {
    columns.set(ordinal, attributes);
  });
  return columns;
}

const columns = columnsOf(documents);

function passing(filter: unknown): number[] {
  const set = evaluateFilter(filter as FilterExpression, columns, documents.length);
  return documents.map((_, i) => i).filter((i) => hasBit(set, i));
}

describe('filters', () => {
  test.each<[unknown, number[]]>([
    [{ eq: ['city', 'Zurich'] }, [0]],
    [{ eq: ['city', 'Atlantis'] }, []],
    [{ in: ['city', ['Bern', 'Basel', 'nowhere']] }, [1, 3]],
    [{ in: ['city', []] }, []],
    [{ eq: ['remote', true] }, [0, 3]],
    [{ gte: ['salary', 90000.5] }, [0, 1]],
    [{ gt: ['salary', 90000.5] }, [0]],
    [{ eq: ['salary', 0] }, [2]],
    [{ lte: ['salary', 0] }, [2]],
    [{ lt: ['posted', '2026-01-31'] }, [0]],
    [{ gte: ['posted', new Date('2026-02-01')] }, [1, 3]],
    [{ eq: ['skills', 'go'] }, [0, 3]],
    [{ in: ['skills', ['sql', 'rust']] }, [0]],
    [{ exists: ['city'] }, [0, 1, 3]],
    [{ exists: 'skills' }, [0, 1, 3]],
    [{ near: ['at', zurich, 0] }, [0]],
    [{ near: ['at', zurich, 95_000] }, [0]],
    [{ near: ['at', zurich, 96_000] }, [0, 1]],
    [{ and: [] }, [0, 1, 2, 3, 4]],
    [{ or: [] }, []],
    [{ and: [{ eq: ['remote', true] }, { gte: ['salary', 100000] }] }, [0]],
    [{ or: [{ eq: ['city', 'Bern'] }, { eq: ['city', 'Basel'] }] }, [1, 3]],
  ])('%j passes %j', (filter, expected) => {
    expect(passing(filter)).toEqual(expected);
  });

  test('a missing value fails every comparison and therefore passes its negation', () => {
    expect(passing({ not: { eq: ['city', 'Bern'] } })).toEqual([0, 2, 3, 4]);
    expect(passing({ not: { gt: ['salary', 0] } })).toEqual([2, 3, 4]);
    expect(passing({ and: [{ exists: ['city'] }, { not: { eq: ['city', 'Bern'] } }] })).toEqual([0, 3]);
  });

  test('timestamps compare as int64, beyond what a double can tell apart', () => {
    const at = 2n ** 60n;
    expect(passing({ gt: ['posted', at] })).toEqual([3]);
    expect(passing({ gt: ['posted', at + 1n] })).toEqual([]);
    expect(passing({ eq: ['posted', at] })).toEqual([]);
    expect(passing({ eq: ['posted', at + 1n] })).toEqual([3]);
    expect(passing({ in: ['posted', [-(2n ** 63n)]] })).toEqual([]); // stands for a missing value
  });

  test.each<[string, unknown, RegExp]>([
    ['null', null, /must be an object/],
    ['array', [], /must be an object/],
    ['no operator', {}, /exactly one operator, got 0/],
    ['two operators', { eq: ['city', 'a'], in: ['city', ['b']] }, /exactly one operator, got 2/],
    ['unknown operator', { equals: ['city', 'a'] }, /no operator "equals"; there are: and, or/],
    ['unknown attribute', { eq: ['town', 'a'] }, /no attribute "town"; the index has: at, city/],
    ['prototype name', { eq: ['__proto__', 'a'] }, /no attribute/],
    ['wrong type', { eq: ['salary', '1'] }, /filter\.eq compares an attribute of type number with "1"/],
    ['NaN', { gt: ['salary', Number.NaN] }, /compares/],
    ['order of keywords', { gt: ['city', 'a'] }, /needs an attribute of numbers or timestamps/],
    ['bad date', { gt: ['posted', 'yesterday'] }, /type timestamp with "yesterday"/],
    ['a date that is not ISO 8601', { gt: ['posted', '1/2/2026'] }, /type timestamp/],
    ['a day that no calendar has', { gt: ['posted', '2026-02-30'] }, /type timestamp/],
    ['arity', { eq: ['city'] }, /takes \[name, value\]/],
    ['place', { and: [{ not: { eq: ['remote', 1] } }] }, /filter\.and\[0\]\.not\.eq/],
    ['radius', { near: ['at', zurich, -1] }, /radius in metres/],
    ['centre', { near: ['at', { lat: 91, lon: 0 }, 1] }, /centre/],
  ])('%s is refused', (_, filter, message) => {
    expect(() => passing(filter)).toThrow(message);
    expect(() => passing(filter)).toThrow(expect.objectContaining({ code: 'ERR_FILTER' }));
  });

  test('deep nesting is refused, not a stack overflow', () => {
    let filter: unknown = { exists: ['city'] };
    for (let i = 0; i < 100_000; i++) filter = { not: filter };
    expect(() => passing(filter)).toThrow(/deeper than 100/);
  });

  test('agrees with a plain reading of the documents, and obeys De Morgan', () => {
    const attributes = fc.record(
      { city: fc.constantFrom('a', 'b', 'c'), salary: fc.double({ noNaN: true }), remote: fc.boolean() },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(attributes, { maxLength: 80 }), fc.double({ noNaN: true }), (list, bound) => {
        const own = columnsOf(list as Attributes[]);
        const run = (filter: FilterExpression) => evaluateFilter(filter, own, list.length);
        const a: FilterExpression = { gte: ['salary', bound] };
        const b: FilterExpression = { eq: ['city', 'a'] };
        const expected = list.filter(
          (d) => d.salary !== undefined && d.salary >= bound && d.city === 'a',
        ).length;
        expect(countBits(run({ and: [a, b] }))).toBe(expected);
        expect(run({ not: { and: [a, b] } })).toEqual(run({ or: [{ not: a }, { not: b }] }));
      }),
    );
  });

  test('facets count each value over a set of documents', () => {
    const all = evaluateFilter({ and: [] }, columns, documents.length);
    expect(countFacet('skills', columns, all)).toEqual([
      { value: 'go', count: 2 },
      { value: 'sql', count: 1 },
    ]);
    expect(countFacet('remote', columns, all)).toEqual([
      { value: true, count: 2 },
      { value: false, count: 1 },
    ]);
    expect(() => countFacet('salary', columns, all)).toThrow(/keyword, set, boolean/);
  });
});
