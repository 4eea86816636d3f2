import { SeineError, show } from '../core/errors.ts';
import type { Attributes, AttributeType, AttributeValue, GeoPoint } from '../core/types.ts';
import { grown } from './grown.ts';

/** Marks a missing value in a column of timestamps: int64's minimum, which no date reaches. */
export const MISSING_TIMESTAMP = -(2n ** 63n);

/**
 * One attribute of all documents, by document ordinal. Missing values are NaN (number), `MISSING_TIMESTAMP`,
 * -1 (boolean, keyword) and `undefined` (set, geo); ordinals past the end are missing too. Booleans are 0 and 1,
 * keywords and set members numbers into `dictionary`, timestamps int64 milliseconds.
 */
export type Column =
  | { type: 'number'; values: Float64Array }
  | { type: 'timestamp'; values: BigInt64Array }
  | { type: 'boolean'; values: Int8Array }
  | { type: 'keyword'; values: Int32Array; dictionary: Map<string, number> }
  | {
      type: 'set';
      values: (number[] | undefined)[];
      dictionary: Map<string, number>;
    }
  | { type: 'geo'; values: (GeoPoint | undefined)[] };

/** The attributes of all documents as columns, in step with the rows. */
export class Columns {
  readonly #columns = new Map<string, Column>();

  /** Declares an attribute; a repeated declaration is ignored. */
  declare(name: string, type: AttributeType): void {
    if (!this.#columns.has(name)) this.#columns.set(name, emptyColumn(type));
  }

  /** Stores the attributes of the document with this ordinal; the store has seen to it that types agree. */
  set(ordinal: number, attributes: Attributes): void {
    for (const [name, value] of Object.entries(attributes)) {
      if (value === null) continue;
      this.declare(name, attributeType(value));
      setValue(this.get(name), ordinal, value);
    }
  }

  /** Appends values of one attribute to those of the documents before `ordinal`; null where one is missing. */
  setAll(name: string, ordinal: number, values: readonly AttributeValue[]): void {
    const column = this.get(name);
    values.forEach((value, i) => {
      if (value !== null) setValue(column, ordinal + i, value);
    });
  }

  /** Name and column of each attribute. */
  entries(): IterableIterator<[name: string, column: Column]> {
    return this.#columns.entries();
  }

  /** Reads an attribute of a document by its ordinal: null if it has none, or nobody has. */
  reader(name: string): (ordinal: number) => AttributeValue {
    const column = this.#columns.get(name);
    return column === undefined ? () => null : readerOf(column);
  }

  /** The column of an attribute; ERR_FILTER names the attributes that there are. */
  get(name: string): Column {
    const column = this.#columns.get(name);
    if (column === undefined) {
      const known = [...this.#columns.keys()].sort().join(', ') || 'none';
      throw new SeineError('ERR_FILTER', `There is no attribute ${show(name)}; the index has: ${known}.`);
    }
    return column;
  }
}

function attributeType(value: NonNullable<AttributeValue>): AttributeType {
  if (typeof value === 'string') return 'keyword';
  if (typeof value === 'number') return 'number';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'bigint' || value instanceof Date) return 'timestamp';
  return Array.isArray(value) ? 'set' : 'geo';
}

function emptyColumn(type: AttributeType): Column {
  switch (type) {
    case 'number':
      return { type, values: new Float64Array() };
    case 'timestamp':
      return { type, values: new BigInt64Array() };
    case 'boolean':
      return { type, values: new Int8Array() };
    case 'keyword':
      return { type, values: new Int32Array(), dictionary: new Map() };
    case 'set':
      return { type, values: [], dictionary: new Map() };
    case 'geo':
      return { type, values: [] };
  }
}

function setValue(column: Column, ordinal: number, value: NonNullable<AttributeValue>): void {
  switch (column.type) {
    case 'number':
      column.values = grown(column.values, ordinal + 1, Number.NaN);
      column.values[ordinal] = value as number;
      break;
    case 'timestamp':
      column.values = grown(column.values, ordinal + 1, MISSING_TIMESTAMP);
      column.values[ordinal] = value instanceof Date ? BigInt(value.getTime()) : (value as bigint);
      break;
    case 'boolean':
      column.values = grown(column.values, ordinal + 1, -1);
      column.values[ordinal] = value === true ? 1 : 0;
      break;
    case 'keyword':
      column.values = grown(column.values, ordinal + 1, -1);
      column.values[ordinal] = codeOf(column.dictionary, value as string);
      break;
    case 'set':
      while (column.values.length < ordinal) column.values.push(undefined);
      column.values[ordinal] = (value as string[]).map((member) => codeOf(column.dictionary, member));
      break;
    case 'geo':
      while (column.values.length < ordinal) column.values.push(undefined);
      column.values[ordinal] = value as GeoPoint;
      break;
  }
}

/** The number of a word, which a new one gets. */
export function codeOf(dictionary: Map<string, number>, word: string): number {
  const known = dictionary.get(word);
  if (known !== undefined) return known;
  dictionary.set(word, dictionary.size);
  return dictionary.size - 1;
}

/** Reads the value of a document back, null where it is missing. Words that come later are not known to it. */
export function readerOf(column: Column): (ordinal: number) => AttributeValue {
  const words = 'dictionary' in column ? [...column.dictionary.keys()] : [];
  switch (column.type) {
    case 'number':
      return (ordinal) => {
        const value = column.values[ordinal] ?? Number.NaN;
        return Number.isNaN(value) ? null : value;
      };
    case 'timestamp':
      return (ordinal) => {
        const value = column.values[ordinal] ?? MISSING_TIMESTAMP;
        return value === MISSING_TIMESTAMP ? null : value;
      };
    case 'boolean':
      return (ordinal) => {
        const value = column.values[ordinal] ?? -1;
        return value === -1 ? null : value === 1;
      };
    case 'keyword':
      return (ordinal) => words[column.values[ordinal] ?? -1] ?? null;
    case 'set':
      return (ordinal) => column.values[ordinal]?.map((member) => words[member]!) ?? null;
    case 'geo':
      return (ordinal) => column.values[ordinal] ?? null;
  }
}
