import { SeineError } from '../core/errors.ts';
import type { AttributeValue } from '../core/types.ts';
import { type Column, codeOf, MISSING_TIMESTAMP } from './columns.ts';

const SIGN = 0x80000000;
const MOST_MEMBERS = 2 ** 32 - 1;

/**
 * What devices hold of rows of a column: two arrays of words. A row has one key or, of a set, one a member; they order
 * as the values do, and 0 is a missing value's.
 *
 * - keyword, boolean: the key of each row, one more than the number in the dictionary, or than 0 and 1; nothing else.
 * - number, timestamp: the upper and the lower words of the keys, which are the bits of the float64 or int64 with the
 *   sign turned over, of negative float64 with all bits turned over.
 * - set: where the members of each row end, counted from the first row's, `before` of them lying before these; the keys
 *   of the members, as those of keywords. A missing set has the member 0 alone.
 *
 * New words get their numbers. `values` are those of the rows, absent where all are missing.
 */
export function columnWords(
  column: Exclude<Column, { type: 'geo' }>,
  values: readonly AttributeValue[] | undefined,
  rows: number,
  before: number,
): [first: Uint32Array, second: Uint32Array] {
  const first = new Uint32Array(rows);
  switch (column.type) {
    case 'number':
      return numberWords((values ?? []) as (number | null)[], first);
    case 'timestamp':
      return timestampWords((values ?? []) as (bigint | null)[], first);
    case 'boolean':
      values?.forEach((value, row) => {
        if (value !== null) first[row] = value === true ? 2 : 1;
      });
      return [first, new Uint32Array()];
    case 'keyword':
      values?.forEach((value, row) => {
        if (value !== null) first[row] = 1 + codeOf(column.dictionary, value as string);
      });
      return [first, new Uint32Array()];
    case 'set': {
      const members: number[] = [];
      for (let row = 0; row < rows; row++) {
        const set = (values?.[row] ?? null) as string[] | null;
        if (set === null) members.push(0);
        else for (const member of set) members.push(1 + codeOf(column.dictionary, member));
        first[row] = before + members.length;
      }
      if (before + members.length > MOST_MEMBERS) {
        throw new SeineError(
          'ERR_ARGUMENT',
          `attributes would make a column of sets of more than ${MOST_MEMBERS} members in all: use several residents.`,
        );
      }
      return [first, Uint32Array.from(members)];
    }
  }
}

/** The key of a number: -0 has that of 0. */
export function orderedKey(value: number): bigint {
  const [[upper], [lower]] = numberWords([value], new Uint32Array(1));
  return (BigInt(upper!) << 32n) | BigInt(lower!);
}

function numberWords(
  values: readonly (number | null)[],
  upper: Uint32Array,
): [upper: Uint32Array, lower: Uint32Array] {
  const lower = new Uint32Array(upper.length);
  const number = new Float64Array(1);
  const bits = new Uint32Array(number.buffer);
  values.forEach((value, row) => {
    if (value === null) return;
    number[0] = value + 0;
    const negative = bits[1]! >= SIGN;
    upper[row] = negative ? ~bits[1]! : bits[1]! | SIGN;
    lower[row] = negative ? ~bits[0]! : bits[0]!;
  });
  return [upper, lower];
}

function timestampWords(
  values: readonly (bigint | null)[],
  upper: Uint32Array,
): [upper: Uint32Array, lower: Uint32Array] {
  const lower = new Uint32Array(upper.length);
  const times = BigInt64Array.from(upper, (_, row) => values[row] ?? MISSING_TIMESTAMP);
  const bits = new Uint32Array(times.buffer);
  for (let row = 0; row < upper.length; row++) {
    upper[row] = bits[2 * row + 1]! ^ SIGN;
    lower[row] = bits[2 * row]!;
  }
  return [upper, lower];
}
