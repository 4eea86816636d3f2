import type { FilterClause, JsonValue } from '../../core/explanation.ts';
import type { Attributes, AttributeValue } from '../../core/types.ts';
import type { CompiledClause } from '../../device/reference/filter.ts';

/** What comes of each clause for the document with this ordinal and these attributes. */
export function explainFilter(
  compiled: CompiledClause,
  ordinal: number,
  attributes: Attributes,
): FilterClause {
  const { path, operator, attribute, operands, clauses } = compiled;
  const wanted = operands && wantedOf(operands);
  return {
    path,
    operator,
    passes: compiled.passes(ordinal),
    ...(attribute !== undefined && { attribute, value: jsonOf(attributes[attribute] ?? null) }),
    ...(wanted !== undefined && { wanted }),
    ...(clauses && { clauses: clauses.map((clause) => explainFilter(clause, ordinal, attributes)) }),
  };
}

function wantedOf(operands: unknown[]): JsonValue | undefined {
  const [first, metres] = operands;
  if (first === undefined) return undefined;
  if (metres !== undefined) return { ...(first as Record<string, JsonValue>), metres: metres as number };
  return jsonOf(first as AttributeValue | AttributeValue[]);
}

/** The farthest that a Date reaches from 1970, in milliseconds. */
const LAST_DATE = 8_640_000_000_000_000n;

function jsonOf(value: AttributeValue | AttributeValue[]): JsonValue {
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'bigint') {
    const isDate = value >= -LAST_DATE && value <= LAST_DATE;
    return isDate ? new Date(Number(value)).toISOString() : String(value);
  }
  if (Array.isArray(value)) return value.map(jsonOf);
  if (typeof value === 'object' && value !== null) return { lat: value.lat, lon: value.lon };
  return value;
}
