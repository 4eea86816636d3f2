import fc, { type Arbitrary } from 'fast-check';

/** The part of JSON Schema that the service's own schemas use. */
export interface Schema {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  minItems?: number;
  maxItems?: number;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  patternProperties?: Record<string, Schema>;
  anyOf?: Schema[];
  oneOf?: Schema[];
  $ref?: string;
  description?: string;
}

/** Words that reach something: ids, attributes and text of the documents that are indexed. */
const WORDS = ['a', 'b', 'c', 'nurse', 'night shift', 'city', 'pay', 'Bern', 'court order', 'web', ''];

const hostileText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom(
    '\ud800',
    'x\u0000y',
    '\ufeff',
    '"',
    '\\',
    '\u202e',
    '%00',
    '../..',
    '__proto__',
    '<b>',
    '[CLS]',
  ),
  fc.constantFrom(
    'a" OR "b',
    'NEAR(',
    '*',
    '-',
    'a:b',
    "'; DROP TABLE documents; --",
    'NaN',
    '1e999',
    ' '.repeat(500),
  ),
  fc.integer({ min: 1, max: 3000 }).map((n) => 'ab '.repeat(n)),
);

export const text: Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...WORDS) },
  { weight: 2, arbitrary: hostileText },
);

/** Numbers at and past every border. */
export const oddNumber: Arbitrary<number> = fc.oneof(
  fc.constantFrom(
    0,
    -0,
    -1,
    0.5,
    1,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    -(2 ** 53),
    1e21,
    1e308,
    -1e308,
    5e-324,
    1e-9,
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
);

export const anyJson: Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    oddNumber,
    text,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(text, tie('value'), { maxKeys: 4 }),
  ),
})).value;

const attributeName = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('city', 'pay', 'open', 'since', 'skills', 'place') },
  { weight: 1, arbitrary: text },
);
const comparand = fc.oneof(
  fc.constantFrom<unknown>('Bern', 90, true, '2026-01-01', '2026-01-01T10:00:00Z', 'typescript'),
  text,
  oddNumber,
  fc.boolean(),
);
const centre = fc.record({
  lat: fc.oneof(fc.constant(47), oddNumber),
  lon: fc.oneof(fc.constant(8), oddNumber),
});

/** Filters of the right form, of any nesting. */
const anyFilter: Arbitrary<unknown> = fc.letrec<{ filter: unknown }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    ...['eq', 'lt', 'lte', 'gt', 'gte'].map((operator) =>
      fc.tuple(attributeName, comparand).map((operands) => ({ [operator]: operands })),
    ),
    fc.tuple(attributeName, fc.array(comparand, { maxLength: 4 })).map((operands) => ({ in: operands })),
    fc.oneof(attributeName, fc.tuple(attributeName)).map((name) => ({ exists: name })),
    fc
      .tuple(attributeName, centre, fc.oneof(fc.constant(1e4), oddNumber))
      .map((operands) => ({ near: operands })),
    fc.array(tie('filter'), { maxLength: 3 }).map((and) => ({ and })),
    fc.array(tie('filter'), { maxLength: 3 }).map((or) => ({ or })),
    tie('filter').map((not) => ({ not })),
  ),
})).filter;

/** Filters, half of which fit the documents that are indexed. */
export const filter = fc.oneof(
  fc.constantFrom<unknown>(
    { eq: ['city', 'Bern'] },
    { and: [{ gte: ['pay', 60] }, { not: { in: ['city', ['Basel', 'Bern']] } }] },
    { or: [{ exists: 'pay' }, { lt: ['pay', -0] }] },
  ),
  anyFilter,
);

const attributes = fc.dictionary(
  attributeName,
  fc.oneof(
    comparand,
    fc.constant(null),
    centre,
    fc.array(fc.constantFrom('typescript', 'rust', 'care'), { maxLength: 3 }),
    anyJson,
  ),
  { maxKeys: 4 },
);

/** Fields of which the schema says less than they mean. */
const BY_NAME: Record<string, Arbitrary<unknown>> = {
  filter,
  attributes,
  facets: fc.array(fc.oneof({ weight: 9, arbitrary: fc.constant('city') }, { weight: 1, arbitrary: text }), {
    maxLength: 3,
  }),
  model: fc.oneof(fc.constantFrom('seine-embed-small', 'seine-rank-small'), text),
  id: fc.constantFrom('a', 'b', 'c', 'd', 'é', ' ', 'a/b', '%', '\u0000', '__proto__', '\ud800'),
};

/** A value that a schema allows, with a liking for borders. */
export function valid(
  schema: Schema,
  resolve: (ref: string) => Schema,
  name = '',
  depth = 0,
): Arbitrary<unknown> {
  const inner = (next: Schema, of = ''): Arbitrary<unknown> => valid(next, resolve, of, depth + 1);
  if (BY_NAME[name] !== undefined && schema.enum === undefined) return BY_NAME[name];
  if (depth > 8) return anyJson;
  if (schema.$ref !== undefined) return inner(resolve(schema.$ref), name);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return fc.oneof(...choices.map((choice) => inner(choice, name)));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === 'boolean') return fc.boolean();
  if (type === 'null') return fc.constant(null);
  if (type === 'string') return validText(schema);
  if (type === 'integer' || type === 'number') return validNumber(schema, type === 'integer');
  if (type === 'array') {
    const most = Math.min(schema.maxItems ?? 6, (schema.minItems ?? 0) + 6);
    return fc.array(inner(schema.items ?? {}), { minLength: schema.minItems ?? 0, maxLength: most });
  }
  if (type === 'object') return validObject(schema, inner);
  return anyJson;
}

function validText({ minLength = 0, maxLength = 3000, pattern }: Schema): Arbitrary<string> {
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  return text.map((value) => value.padEnd(minLength, 'x').slice(0, maxLength));
}

function validNumber(schema: Schema, whole: boolean): Arbitrary<number> {
  const low = schema.minimum ?? (schema.exclusiveMinimum === undefined ? -1000 : schema.exclusiveMinimum + 1);
  const high = Math.max(low, schema.maximum ?? (schema.exclusiveMaximum ?? low + 1001) - 1);
  if (whole)
    return fc.oneof(fc.constantFrom(low, high), fc.integer({ min: low, max: Math.min(high, low + 20) }));
  return fc.oneof(fc.constantFrom(low, high), fc.double({ min: low, max: high, noNaN: true }));
}

function validObject(
  { properties = {}, required = [], additionalProperties }: Schema,
  inner: (schema: Schema, name?: string) => Arbitrary<unknown>,
): Arbitrary<unknown> {
  const fields = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, inner(schema, name)]),
  );
  const known = fc.record(fields, { requiredKeys: required.filter((name) => name in fields) });
  if (Object.keys(properties).length > 0 || additionalProperties === false) return known;
  return fc.dictionary(
    text,
    typeof additionalProperties === 'object' ? inner(additionalProperties) : anyJson,
    {
      maxKeys: 4,
    },
  );
}
