import fc from 'fast-check';
import type {
  Attributes,
  AttributeType,
  AttributeValue,
  FilterExpression,
  GeoPoint,
} from '../../ts/core/types.ts';

/** One attribute of each type. */
export const attributeTypes: Record<string, AttributeType> = {
  word: 'keyword',
  number: 'number',
  flag: 'boolean',
  time: 'timestamp',
  set: 'set',
  place: 'geo',
};

const word = fc.constantFrom('a', 'b', 'c', '', '__proto__', 'ü');
const number = fc.oneof(
  fc.constantFrom(
    0,
    -0,
    1,
    1 + 2 ** -52,
    2 ** 24,
    2 ** 24 + 1,
    2 ** 53,
    -(2 ** 24) - 1,
    5e-324,
    Number.MAX_VALUE,
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const time = fc.oneof(
  fc.constantFrom(
    0n,
    -1n,
    1n,
    2n ** 32n,
    2n ** 32n - 1n,
    2n ** 60n,
    2n ** 60n + 1n,
    2n ** 63n - 1n,
    1n - 2n ** 63n,
  ),
  fc.bigInt({ min: 1n - 2n ** 63n, max: 2n ** 63n - 1n }),
);
const place: fc.Arbitrary<GeoPoint> = fc.oneof(
  fc.constantFrom(
    { lat: 0, lon: 0 },
    { lat: 0, lon: 180 },
    { lat: 0, lon: -180 },
    { lat: 90, lon: 7 },
    { lat: 46.9, lon: 7.4 },
  ),
  fc.record({
    lat: fc.double({ min: -90, max: 90, noNaN: true }),
    lon: fc.double({ min: -180, max: 180, noNaN: true }),
  }),
);

/** A row's attributes, of the types above; any may be missing. */
export const randomAttributes: fc.Arbitrary<Attributes> = fc.record(
  {
    word: fc.option(word),
    number: fc.option(number),
    flag: fc.option(fc.boolean()),
    time: fc.option(time),
    set: fc.option(fc.array(word, { maxLength: 3 })),
    place: fc.option(place),
  },
  { requiredKeys: [] },
);

const order = <T extends number | bigint>(
  name: string,
  value: fc.Arbitrary<T>,
): fc.Arbitrary<FilterExpression> =>
  fc
    .tuple(fc.constantFrom('lt', 'lte', 'gt', 'gte', 'eq'), value)
    .map(([operator, bound]) => ({ [operator]: [name, bound] }) as FilterExpression);

const leaf: fc.Arbitrary<FilterExpression> = fc.oneof(
  fc.constantFrom(...Object.keys(attributeTypes)).map((name): FilterExpression => ({ exists: name })),
  word.map((value): FilterExpression => ({ eq: ['word', value] })),
  word.map((value): FilterExpression => ({ eq: ['set', value] })),
  fc.boolean().map((value): FilterExpression => ({ eq: ['flag', value] })),
  fc
    .array(word, { maxLength: 3 })
    .map((values): FilterExpression => ({ in: ['word', [...values, 'unknown']] })),
  fc.array(word, { maxLength: 3 }).map((values): FilterExpression => ({ in: ['set', values] })),
  fc.array(number, { maxLength: 3 }).map((values): FilterExpression => ({ in: ['number', values] })),
  order('number', number),
  order('time', time),
  fc
    .tuple(place, fc.constantFrom(0, 1, 1e5, 1e7, 21e6))
    .map(([centre, metres]): FilterExpression => ({ near: ['place', centre, metres] })),
);

/** Conditions over the attributes above. */
export const randomFilter: fc.Arbitrary<FilterExpression> = fc.letrec<{ filter: FilterExpression }>(
  (tie) => ({
    filter: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.array(tie('filter'), { maxLength: 3 }).map((and): FilterExpression => ({ and })),
      fc.array(tie('filter'), { maxLength: 3 }).map((or): FilterExpression => ({ or })),
      tie('filter').map((not): FilterExpression => ({ not })),
    ),
  }),
).filter;

/** Values of rows by attribute, as a batch has them. */
export function batchOf(list: readonly Attributes[]): Record<string, AttributeValue[]> {
  return Object.fromEntries(
    Object.keys(attributeTypes).map((name) => [name, list.map((row) => row[name] ?? null)]),
  );
}

/** The documented meaning of a condition, read off one row: written apart from what it tests. */
export function passesPlainly(filter: FilterExpression, row: Attributes): boolean {
  if ('and' in filter) return filter.and.every((part) => passesPlainly(part, row));
  if ('or' in filter) return filter.or.some((part) => passesPlainly(part, row));
  if ('not' in filter) return !passesPlainly(filter.not, row);
  if ('exists' in filter) return (row[filter.exists as string] ?? null) !== null;
  const [operator, [name, operand, metres]] = Object.entries(filter)[0] as [string, [string, never, number]];
  const value = row[name] ?? null;
  if (value === null) return false;
  const [ordered, bound] = [value as number, operand as number];
  switch (operator) {
    case 'eq':
      return Array.isArray(value) ? value.includes(operand) : value === operand;
    case 'in':
      return [value].flat().some((one) => (operand as unknown[]).includes(one));
    case 'lt':
      return ordered < bound;
    case 'lte':
      return ordered <= bound;
    case 'gt':
      return ordered > bound;
    case 'gte':
      return ordered >= bound;
    default:
      return metresBetween(value as GeoPoint, operand) <= metres;
  }
}

function metresBetween(a: GeoPoint, b: GeoPoint): number {
  const radians = Math.PI / 180;
  const across = Math.sin(((b.lat - a.lat) * radians) / 2) ** 2;
  const along = Math.sin(((b.lon - a.lon) * radians) / 2) ** 2;
  const h = across + Math.cos(a.lat * radians) * Math.cos(b.lat * radians) * along;
  return 2 * 6_371_008.8 * Math.asin(Math.min(1, Math.sqrt(h)));
}
