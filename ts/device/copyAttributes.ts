import { ATTRIBUTE_TYPES, EXPECTED_VALUES } from '../core/attributeValues.ts';
import { SeineError, show } from '../core/errors.ts';
import { geoPointOf } from '../core/geoPointOf.ts';
import type { AttributeType, AttributeValue } from '../core/types.ts';

/** int64's minimum stands for a missing timestamp. */
const INT64 = 2n ** 63n;

/** Owned copies of the values of `rows` rows by attribute, each of the declared type. */
export function copyAttributes(
  given: unknown,
  rows: number,
  types: Record<string, AttributeType>,
): Record<string, AttributeValue[]> {
  if (given === undefined) return {};
  const columns = entriesOf(given, 'attributes').map(([name, values]): [string, AttributeValue[]] => {
    const type = Object.hasOwn(types, name) ? types[name] : undefined;
    if (type === undefined) {
      const known = Object.keys(types).sort().join(', ') || 'none';
      throw new SeineError(
        'ERR_ARGUMENT',
        `attributes has ${show(name)}, which the upload did not declare: declared are ${known}.`,
      );
    }
    if (!Array.isArray(values) || values.length !== rows) {
      throw new SeineError(
        'ERR_ARGUMENT',
        `attributes[${show(name)}] must be an array of one value a row, which are ${rows}, got ${show(values)}.`,
      );
    }
    return [name, Array.from(values, (value: unknown, row) => copyValue(value, type, name, row))];
  });
  return Object.fromEntries(columns);
}

/** The declared types of attributes, checked and copied. */
export function checkAttributeTypes(given: unknown): Record<string, AttributeType> {
  const declared = entriesOf(given, 'attributes').map(([name, type]): [string, AttributeType] => {
    const known = ATTRIBUTE_TYPES.find((one) => one === type);
    if (known !== undefined) return [name, known];
    const list = ATTRIBUTE_TYPES.map((one) => `'${one}'`).join(', ');
    throw new SeineError(
      'ERR_ARGUMENT',
      `attributes[${show(name)}] must be one of ${list}, got ${show(type)}.`,
    );
  });
  return Object.fromEntries(declared);
}

function entriesOf(given: unknown, name: string): [string, unknown][] {
  if (typeof given === 'object' && given !== null && !Array.isArray(given) && !ArrayBuffer.isView(given)) {
    return Object.entries(given);
  }
  throw new SeineError('ERR_ARGUMENT', `${name} must be an object by name, got ${show(given)}.`);
}

function copyValue(value: unknown, type: AttributeType, name: string, row: number): AttributeValue {
  if (value === null) return null;
  const copy = COPIES[type](value);
  if (copy !== undefined) return copy;
  throw new SeineError(
    'ERR_ATTRIBUTE_TYPE',
    `attributes[${show(name)}][${row}] must be ${EXPECTED[type]}, or null where it is missing, got ${show(value)}.`,
  );
}

const EXPECTED: Record<AttributeType, string> = {
  ...EXPECTED_VALUES,
  number: 'a finite number',
  timestamp: 'a valid Date or a bigint of int64 above its minimum',
};

/** A copy of a value of the type, `undefined` if it is none. */
const COPIES: Record<AttributeType, (value: unknown) => AttributeValue | undefined> = {
  keyword: (value) => (typeof value === 'string' ? value : undefined),
  number: (value) => (typeof value === 'number' && Number.isFinite(value) ? value : undefined),
  boolean: (value) => (typeof value === 'boolean' ? value : undefined),
  timestamp: (value) => {
    if (typeof value === 'bigint') return value > -INT64 && value < INT64 ? value : undefined;
    return value instanceof Date && Number.isFinite(value.getTime()) ? BigInt(value.getTime()) : undefined;
  },
  set: (value) =>
    Array.isArray(value) && value.every((member) => typeof member === 'string')
      ? [...new Set<string>(value)]
      : undefined,
  geo: geoPointOf,
};
