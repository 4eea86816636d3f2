import { SeineError, show } from '../core/errors.ts';
import { geoPointOf } from '../core/geoPointOf.ts';
import type { Attributes, AttributeType, AttributeValue } from '../core/types.ts';

const INT64 = 1n << 63n;

/** An attribute's value in JSON: dates, int64 timestamps and points as objects of one key. */
type EncodedValue =
  | string
  | number
  | boolean
  | null
  | string[]
  | { date: number }
  | { time: string }
  | { geo: [lat: number, lon: number] };

function encodeValue(value: AttributeValue): { type: AttributeType; encoded: EncodedValue } | undefined {
  if (typeof value === 'string') return { type: 'keyword', encoded: value };
  if (typeof value === 'boolean') return { type: 'boolean', encoded: value };
  if (typeof value === 'number') {
    return Number.isFinite(value) ? { type: 'number', encoded: value } : undefined;
  }
  if (typeof value === 'bigint') {
    // int64's minimum stands for a missing value in columns.
    return value > -INT64 && value < INT64
      ? { type: 'timestamp', encoded: { time: String(value) } }
      : undefined;
  }
  if (value instanceof Date) {
    const date = value.getTime();
    return Number.isFinite(date) ? { type: 'timestamp', encoded: { date } } : undefined;
  }
  if (Array.isArray(value)) {
    const strings = value.every((member) => typeof member === 'string');
    return strings ? { type: 'set', encoded: [...new Set(value)] } : undefined;
  }
  const point = geoPointOf(value);
  return point && { type: 'geo', encoded: { geo: [point.lat, point.lon] } };
}

/**
 * Attributes as JSON with sorted names, and the types of those that are not null. `undefined` is left out.
 * Throws ERR_DATA, naming document and attribute, for a value that is none of `AttributeValue`.
 */
export function encodeAttributes(
  id: string,
  attributes: Attributes | undefined,
): { json: string; types: [name: string, type: AttributeType][] } {
  if (attributes === undefined) return { json: '{}', types: [] };
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes)) {
    throw new SeineError(
      'ERR_DATA',
      `Document ${show(id)}: attributes must be an object, got ${show(attributes)}.`,
    );
  }
  const types: [string, AttributeType][] = [];
  const entries: [string, EncodedValue][] = [];
  for (const name of Object.keys(attributes).sort()) {
    const value = attributes[name];
    if (value === undefined) continue;
    if (name === '' || /[\0\p{Surrogate}]/u.test(name)) {
      throw new SeineError(
        'ERR_DATA',
        `Document ${show(id)}: an attribute's name must be text without NUL, got ${show(name)}.`,
      );
    }
    if (value === null) {
      entries.push([name, null]);
      continue;
    }
    const known = encodeValue(value);
    if (known === undefined) {
      throw new SeineError(
        'ERR_DATA',
        `Document ${show(id)}: attribute ${show(name)} must be a string, finite number, boolean, valid Date, ` +
          `int64 bigint, array of strings, { lat, lon } in degrees or null, got ${show(value)}.`,
      );
    }
    types.push([name, known.type]);
    entries.push([name, known.encoded]);
  }
  return { json: JSON.stringify(Object.fromEntries(entries)), types };
}

function decodeValue(value: EncodedValue): AttributeValue {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  if ('date' in value) return new Date(value.date);
  if ('time' in value) return BigInt(value.time);
  return { lat: value.geo[0], lon: value.geo[1] };
}

/** The inverse of `encodeAttributes`. */
export function decodeAttributes(json: string): Attributes {
  return decoded(JSON.parse(json) as Record<string, EncodedValue>);
}

/** The same of several, as a JSON array of what `encodeAttributes` made. */
export function decodeAllAttributes(json: string): Attributes[] {
  return (JSON.parse(json) as Record<string, EncodedValue>[]).map(decoded);
}

/** Changes the object in place, since most values are as they should be. */
function decoded(encoded: Record<string, EncodedValue>): Attributes {
  const attributes = encoded as Attributes;
  for (const name of Object.keys(encoded)) {
    const value = encoded[name]!;
    if (typeof value === 'object') attributes[name] = decodeValue(value);
  }
  return attributes;
}
