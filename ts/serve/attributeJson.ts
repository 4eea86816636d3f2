import Type from 'typebox';
import type { Attributes, AttributeValue } from '../core/types.ts';

/**
 * How attributes travel in answers: as they are, but timestamps as ISO 8601 text, or as text of their digits where
 * no calendar date is that far from 1970. What comes in is typed as `seine ingest` types it.
 */
export function attributesToJson(attributes: Attributes): Record<string, unknown> {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, valueToJson(value)]));
}

/** Days from 1970 that ECMAScript's dates reach, in milliseconds. */
const LAST_DATE = 8_640_000_000_000_000n;

function valueToJson(value: AttributeValue): unknown {
  if (typeof value !== 'bigint') return value; // JSON.stringify writes dates as ISO 8601
  return value >= -LAST_DATE && value <= LAST_DATE ? new Date(Number(value)) : String(value);
}

/** Attributes in an answer. */
export const AttributesJson = Type.Unsafe<Record<string, unknown>>({
  type: 'object',
  additionalProperties: true,
  description:
    'By name: text, number, boolean, array of strings, { lat, lon }, or null; timestamps as ISO 8601 text.',
});
