import { type Bitset, setBit, zeros } from '../../core/bitset.ts';
import { SeineError, show } from '../../core/errors.ts';
import { geoPointOf } from '../../core/geoPointOf.ts';
import { parseTimestamp } from '../../core/timestamp.ts';
import type { AttributeType, FilterExpression, GeoPoint } from '../../core/types.ts';
import { type Column, type Columns, MISSING_TIMESTAMP } from '../columns.ts';

/** Says whether the document with this ordinal passes. */
type Predicate = (ordinal: number) => boolean;

const OPERATORS = ['and', 'or', 'not', 'eq', 'in', 'lt', 'lte', 'gt', 'gte', 'exists', 'near'] as const;

/** A clause of a filter, found to be valid. */
export interface CompiledClause {
  /** Its place: `filter.and[1].eq`. */
  path: string;
  operator: (typeof OPERATORS)[number];
  passes: Predicate;
  /** Of a comparison: the attribute, and what stands behind its name. */
  attribute?: string;
  operands?: unknown[];
  /** Of `and`, `or` and `not`. */
  clauses?: CompiledClause[];
}

const COMPARISONS = {
  lt: <T>(a: T, b: T) => a < b,
  lte: <T>(a: T, b: T) => a <= b,
  gt: <T>(a: T, b: T) => a > b,
  gte: <T>(a: T, b: T) => a >= b,
};
/** Deeper nesting than any hand or generator writes; it keeps the recursion off the stack's end. */
const MAX_DEPTH = 100;
/** Mean radius of the Earth in metres (IUGG). */
const EARTH_RADIUS = 6_371_008.8;

/**
 * Evaluates a filter over the first `count` documents, in one pass over the columns it names.
 * Every fault of the expression is an ERR_FILTER that names the place.
 */
export function evaluateFilter(expression: FilterExpression, columns: Columns, count: number): Bitset {
  const { passes } = compileFilter(expression, columns);
  const set = zeros(count);
  for (let ordinal = 0; ordinal < count; ordinal++) if (passes(ordinal)) setBit(set, ordinal);
  return set;
}

/** Reads a filter over the attributes of these columns. Errors as `evaluateFilter`. */
export function compileFilter(expression: FilterExpression, columns: Columns): CompiledClause {
  return compile(expression, columns, 'filter', 0);
}

function compile(expression: unknown, columns: Columns, path: string, depth: number): CompiledClause {
  if (depth > MAX_DEPTH) throw fault(path, `is nested deeper than ${MAX_DEPTH} levels`);
  if (typeof expression !== 'object' || expression === null || Array.isArray(expression)) {
    throw fault(path, `must be an object with one operator, got ${show(expression)}`);
  }
  const entries = Object.entries(expression);
  const entry = entries[0];
  if (entry === undefined || entries.length > 1) {
    throw fault(path, `must have exactly one operator, got ${entries.length}; join several with "and"`);
  }
  const [operator, operand] = entry;
  const here = `${path}.${operator}`;
  const comparing = (
    operator: CompiledClause['operator'],
    name: unknown,
    operands: unknown[],
    predicate: (column: Column) => Predicate,
  ): CompiledClause => {
    const attribute = attributeName(name, here);
    return { path: here, operator, passes: predicate(columns.get(attribute)), attribute, operands };
  };
  switch (operator) {
    case 'and':
    case 'or': {
      if (!Array.isArray(operand)) throw fault(here, `must be an array of filters, got ${show(operand)}`);
      const clauses = operand.map((part, i) => compile(part, columns, `${here}[${i}]`, depth + 1));
      const parts = clauses.map(({ passes }) => passes);
      const passes: Predicate =
        operator === 'and'
          ? (ordinal) => parts.every((part) => part(ordinal))
          : (ordinal) => parts.some((part) => part(ordinal));
      return { path: here, operator, passes, clauses };
    }
    case 'not': {
      const clause = compile(operand, columns, here, depth + 1);
      return {
        path: here,
        operator,
        passes: (ordinal) => !clause.passes(ordinal),
        clauses: [clause],
      };
    }
    case 'exists': {
      const name = typeof operand === 'string' ? operand : args(operand, 1, here, '[name]')[0];
      return comparing(operator, name, [], (column) => (ordinal) => !isMissing(column, ordinal));
    }
    case 'eq': {
      const [name, value] = args(operand, 2, here, '[name, value]');
      return comparing(operator, name, [value], (column) => member(column, [value], here));
    }
    case 'in': {
      const [name, values] = args(operand, 2, here, '[name, values]');
      if (!Array.isArray(values)) throw fault(here, `takes an array of values, got ${show(values)}`);
      return comparing(operator, name, [values], (column) => member(column, values, here));
    }
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte': {
      const [name, value] = args(operand, 2, here, '[name, value]');
      return comparing(operator, name, [value], (column) =>
        comparison(column, COMPARISONS[operator], value, here),
      );
    }
    case 'near': {
      const [name, centre, metres] = args(operand, 3, here, '[name, { lat, lon }, metres]');
      return comparing(operator, name, [centre, metres], (column) => near(column, centre, metres, here));
    }
    default:
      throw fault(path, `has no operator ${show(operator)}; there are: ${OPERATORS.join(', ')}`);
  }
}

function args(operand: unknown, count: number, path: string, form: string): unknown[] {
  if (!Array.isArray(operand) || operand.length !== count) {
    throw fault(path, `takes ${form}, got ${show(operand)}`);
  }
  return operand;
}

function attributeName(name: unknown, path: string): string {
  if (typeof name !== 'string') throw fault(path, `takes the name of an attribute, got ${show(name)}`);
  return name;
}

function isMissing(column: Column, ordinal: number): boolean {
  if (ordinal >= column.values.length) return true;
  const value = column.values[ordinal];
  if (column.type === 'number') return Number.isNaN(value as number);
  if (column.type === 'timestamp') return value === MISSING_TIMESTAMP;
  return value === undefined || value === -1;
}

function member(column: Column, wanted: unknown[], path: string): Predicate {
  switch (column.type) {
    case 'number': {
      const set = new Set(wanted.map((value) => numberValue(value, column.type, path)));
      return (ordinal) => set.has(column.values[ordinal] ?? Number.NaN);
    }
    case 'timestamp': {
      const set = new Set(wanted.map((value) => timestampValue(value, path)));
      set.delete(MISSING_TIMESTAMP);
      return (ordinal) => set.has(column.values[ordinal] ?? MISSING_TIMESTAMP);
    }
    case 'boolean': {
      const set = new Set(wanted.map((value) => Number(booleanValue(value, path))));
      return (ordinal) => set.has(column.values[ordinal] ?? -1);
    }
    case 'keyword': {
      const set = dictionaryNumbers(column.dictionary, wanted, column.type, path);
      return (ordinal) => set.has(column.values[ordinal] ?? -1);
    }
    case 'set': {
      const set = dictionaryNumbers(column.dictionary, wanted, column.type, path);
      return (ordinal) => column.values[ordinal]?.some((value) => set.has(value)) ?? false;
    }
    case 'geo':
      throw fault(path, 'cannot compare points; use "near" or "exists"');
  }
}

function comparison(
  column: Column,
  holds: (a: number | bigint, b: number | bigint) => boolean,
  value: unknown,
  path: string,
): Predicate {
  if (column.type === 'number') {
    const bound = numberValue(value, column.type, path);
    return (ordinal) => holds(column.values[ordinal] ?? Number.NaN, bound); // NaN compares false
  }
  if (column.type === 'timestamp') {
    const bound = timestampValue(value, path);
    return (ordinal) => {
      const at = column.values[ordinal] ?? MISSING_TIMESTAMP;
      return at !== MISSING_TIMESTAMP && holds(at, bound);
    };
  }
  throw fault(path, `needs an attribute of numbers or timestamps, this one is of type ${column.type}`);
}

function near(column: Column, centre: unknown, metres: unknown, path: string): Predicate {
  if (column.type !== 'geo')
    throw fault(path, `needs an attribute of points, this one is of type ${column.type}`);
  const middle = geoPointOf(centre);
  if (middle === undefined) {
    throw fault(path, `takes a centre { lat: -90..90, lon: -180..180 } in degrees, got ${show(centre)}`);
  }
  if (typeof metres !== 'number' || !(metres >= 0)) {
    throw fault(path, `takes a radius in metres of 0 or more, got ${show(metres)}`);
  }
  return (ordinal) => {
    const point = column.values[ordinal];
    return point !== undefined && distance(point, middle) <= metres;
  };
}

/** Great-circle distance in metres (haversine formula on a sphere). */
function distance(a: GeoPoint, b: GeoPoint): number {
  const radians = Math.PI / 180;
  const sinLat = Math.sin(((b.lat - a.lat) * radians) / 2);
  const sinLon = Math.sin(((b.lon - a.lon) * radians) / 2);
  const h = sinLat * sinLat + Math.cos(a.lat * radians) * Math.cos(b.lat * radians) * sinLon * sinLon;
  return 2 * EARTH_RADIUS * Math.asin(Math.min(1, Math.sqrt(h)));
}

function numberValue(value: unknown, type: AttributeType, path: string): number {
  if (typeof value !== 'number' || Number.isNaN(value)) throw typeFault(value, type, path);
  return value;
}

function booleanValue(value: unknown, path: string): boolean {
  if (typeof value !== 'boolean') throw typeFault(value, 'boolean', path);
  return value;
}

/** Milliseconds from a Date, a bigint, a whole number or an ISO 8601 text (JSON has no dates). */
export function timestampValue(value: unknown, path: string): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  const date = typeof value === 'string' ? parseTimestamp(value) : value;
  if (!(date instanceof Date) || Number.isNaN(date.getTime())) throw typeFault(value, 'timestamp', path);
  return BigInt(date.getTime());
}

/** Numbers of the wanted words; words that no document has pass nothing. */
function dictionaryNumbers(
  dictionary: Map<string, number>,
  wanted: unknown[],
  type: AttributeType,
  path: string,
): Set<number> {
  const numbers = new Set<number>();
  for (const word of wanted) {
    if (typeof word !== 'string') throw typeFault(word, type, path);
    const number = dictionary.get(word);
    if (number !== undefined) numbers.add(number);
  }
  return numbers;
}

function typeFault(value: unknown, type: AttributeType, path: string): SeineError {
  return fault(path, `compares an attribute of type ${type} with ${show(value)}`);
}

function fault(path: string, problem: string): SeineError {
  return new SeineError('ERR_FILTER', `The filter is not valid: ${path} ${problem}.`);
}
