import { geoPointOf } from './geoPointOf.ts';
import { parseTimestamp } from './timestamp.ts';
import type { AttributeType, AttributeValue } from './types.ts';

/**
 * A value as its source has it. `textual` says that the source knows only text (CSV, TSV, TREC), so that numbers,
 * truth values and sets are read out of strings.
 */
export interface RawValue {
  value: unknown;
  textual: boolean;
}

export const ATTRIBUTE_TYPES: AttributeType[] = ['keyword', 'number', 'boolean', 'timestamp', 'set', 'geo'];

/** No leading zeros and no plus sign: `007` is a code, not a number. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const BOOLEANS = new Map([
  ['true', true],
  ['false', false],
]);

/**
 * The type that fits all `values` of an attribute; `undefined` if all are missing. Where they differ it is
 * `keyword`, or `set` if some are arrays.
 */
export function inferType(values: Iterable<RawValue>): AttributeType | undefined {
  const types = new Set<AttributeType>();
  for (const raw of values) {
    const type = typeOf(raw);
    if (type !== undefined) types.add(type);
  }
  const [only] = types;
  if (types.size <= 1) return only;
  return types.has('set') ? 'set' : 'keyword';
}

function typeOf({ value, textual }: RawValue): AttributeType | undefined {
  switch (typeof value) {
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'string':
      if (parseTimestamp(value) !== undefined) return 'timestamp';
      if (textual && number(value) !== undefined) return 'number';
      if (textual && BOOLEANS.has(value.toLowerCase())) return 'boolean';
      return 'keyword';
    default:
      if (value === null || value === undefined) return undefined;
      return Array.isArray(value) ? 'set' : 'geo';
  }
}

/** `raw` as a value of `type`: null where it is missing, `undefined` where it is none. */
export function convertValue(raw: RawValue, type: AttributeType): AttributeValue | undefined {
  return raw.value === null || raw.value === undefined ? null : CONVERSIONS[type](raw);
}

/** What a value of a type is, for errors. */
export const EXPECTED_VALUES: Record<AttributeType, string> = {
  keyword: 'a string',
  number: 'a number',
  boolean: 'true or false',
  timestamp: 'an ISO 8601 date',
  set: 'an array of strings',
  geo: 'a point { lat, lon } in degrees',
};

const CONVERSIONS: Record<AttributeType, (raw: RawValue) => AttributeValue | undefined> = {
  keyword: ({ value }) => scalar(value),
  number: ({ value }) =>
    typeof value === 'string' ? number(value) : typeof value === 'number' ? value : undefined,
  boolean: ({ value }) =>
    typeof value === 'string'
      ? BOOLEANS.get(value.toLowerCase())
      : typeof value === 'boolean'
        ? value
        : undefined,
  timestamp: ({ value }) => {
    if (typeof value === 'string') return parseTimestamp(value);
    const date = typeof value === 'number' ? new Date(value) : undefined;
    return date === undefined || Number.isNaN(date.getTime()) ? undefined : date;
  },
  set: ({ value, textual }) => {
    if (Array.isArray(value)) {
      const members = value.map(scalar);
      return members.includes(undefined) ? undefined : (members as string[]);
    }
    const text = scalar(value);
    if (text === undefined) return undefined;
    return textual ? text.split(/[|;\n]/).flatMap((part) => part.trim() || []) : [text];
  },
  geo: ({ value }) => {
    if (typeof value === 'string') {
      const [lat = '', lon = '', more] = value.split(',').map((part) => part.trim());
      return more === undefined ? geoPointOf({ lat: number(lat), lon: number(lon) }) : undefined;
    }
    return geoPointOf(value);
  },
};

function scalar(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** A number written out, unless it is a whole one too long for float64 to keep. */
function number(text: string): number | undefined {
  if (!NUMBER.test(text)) return undefined;
  const value = Number(text);
  const kept = /^-?\d+$/.test(text) ? Number.isSafeInteger(value) : Number.isFinite(value);
  return kept ? value : undefined;
}
