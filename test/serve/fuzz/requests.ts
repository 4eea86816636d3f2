import fc, { type Arbitrary } from 'fast-check';
import { damaged, mutated } from './mutations.ts';
import { filter, type Schema, text, valid } from './values.ts';

export interface FuzzRequest {
  /** As the OpenAPI document names it. */
  route: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string;
}

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  schema: Schema;
}

interface Operation {
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema?: Schema }> };
}

export interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, Schema> };
}

/** Larger bodies are cut, so that none is refused, and its connection closed, before it is sent. */
const MOST_BODY = 2 ** 20;

/** Requests to every operation that the document describes; about a third of them are as they should be. */
export function requests(document: OpenApi): Arbitrary<FuzzRequest> {
  const resolve = (ref: string): Schema =>
    document.components?.schemas?.[decodeURIComponent(ref.split('/').at(-1)!)] ?? {};
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const { parameters = [], requestBody } = operation;
      // What takes nothing can do little wrong.
      const weight = requestBody !== undefined ? 8 : parameters.length > 0 ? 4 : 1;
      return { weight, arbitrary: operationRequests(path, method, operation, resolve) };
    }),
  );
  return fc.oneof(...operations);
}

function operationRequests(
  path: string,
  method: string,
  { parameters = [], requestBody }: Operation,
  resolve: (ref: string) => Schema,
): Arbitrary<FuzzRequest> {
  const target = fc
    .tuple(...parameters.map((parameter) => parameterText(parameter, resolve)))
    .map((given) => fill(path, parameters, given));
  const bodies = Object.entries(requestBody?.content ?? {}).map(([type, { schema = {} }]) =>
    typedBody(type, schema, resolve),
  );
  const body: Arbitrary<TypedBody> = bodies.length === 0 ? fc.constant({ headers: {} }) : fc.oneof(...bodies);
  return fc.tuple(target, body, oddHeaders).map(([filled, { headers, body: content }, odd]) => ({
    route: `${method.toUpperCase()} ${path}`,
    method: method.toUpperCase(),
    path: filled,
    headers: { ...headers, ...odd },
    ...(content !== undefined && { body: content.slice(0, MOST_BODY) }),
    [fc.toStringMethod]: () =>
      [method, filled, JSON.stringify({ ...headers, ...odd }), content]
        .map((part) => part?.slice(0, 2000))
        .join(' '),
  }));
}

const oddText = fc.oneof(
  text,
  fc.constantFrom('%', '..', '1e400', '-1', '9'.repeat(400), 'true', '[]', '{}', 'null'),
);

/** The text of a parameter, or `undefined` to leave it out. */
function parameterText(
  { name, required = false, schema }: Parameter,
  resolve: (ref: string) => Schema,
): Arbitrary<string | undefined> {
  const told = name === 'filter' ? filter : valid(schema, resolve, name);
  const asText = told.map((value) => (typeof value === 'object' ? JSON.stringify(value) : String(value)));
  return fc.oneof(
    { weight: 4, arbitrary: asText },
    { weight: 1, arbitrary: oddText },
    { weight: required ? 1 : 4, arbitrary: fc.constant(undefined) },
  );
}

function fill(path: string, parameters: Parameter[], given: (string | undefined)[]): string {
  const query: string[] = [];
  let filled = path;
  for (const [i, { name, in: where }] of parameters.entries()) {
    const value = given[i];
    const encoded = value === undefined ? undefined : encodeURIComponent(Buffer.from(value).toString());
    if (where === 'path') filled = filled.replace(`{${name}}`, encoded ?? '%zz');
    else if (where === 'query' && encoded !== undefined) query.push(`${name}=${encoded}`);
  }
  return query.length > 0 ? `${filled}?${query.join('&')}` : filled;
}

interface TypedBody {
  headers: Record<string, string>;
  body?: string;
}

function typedBody(type: string, schema: Schema, resolve: (ref: string) => Schema): Arbitrary<TypedBody> {
  const value = valid(schema, resolve);
  // Lines are documents, whatever the schema says of the body as a whole.
  const lines = type === 'application/x-ndjson';
  const line = valid(DOCUMENT, resolve);
  const write = (content: Arbitrary<unknown>): Arbitrary<string> =>
    content.map((one) => JSON.stringify(one) ?? '');
  const join = (one: Arbitrary<string>): Arbitrary<string> =>
    fc
      .tuple(fc.array(one, { maxLength: 5 }), fc.constantFrom('\n', '\r\n', '\n\n'))
      .map(([all, end]) => all.join(end));
  const good = lines ? join(write(line)) : write(value);
  const bad = lines ? join(fc.oneof(write(line), write(mutated(line)))) : write(mutated(value));
  const headers = { 'content-type': type };
  return fc.oneof(
    { weight: 6, arbitrary: good.map((body) => ({ headers, body })) },
    { weight: 6, arbitrary: bad.map((body) => ({ headers, body })) },
    { weight: 3, arbitrary: damaged(good).map((body) => ({ headers, body })) },
    { weight: 1, arbitrary: fc.tuple(good, oddType).map(([body, odd]) => ({ headers: odd, body })) },
    { weight: 1, arbitrary: fc.constant({ headers }) },
  );
}

const DOCUMENT: Schema = {
  type: 'object',
  required: ['id', 'text'],
  properties: {
    id: { type: 'string' },
    title: { type: 'string' },
    text: { type: 'string' },
    attributes: { type: 'object' },
  },
  additionalProperties: false,
};

const oddType = fc.oneof(
  fc
    .constantFrom(
      'text/plain',
      'application/json; charset=utf-16',
      'application/x-ndjson',
      'application/json, text/html',
      'multipart/form-data',
      'application/x-www-form-urlencoded',
      ';',
      'application/',
    )
    .map((type): Record<string, string> => ({ 'content-type': type })),
  fc.constant<Record<string, string>>({}),
);

const printable = fc.string({ unit: 'grapheme-ascii', maxLength: 100 });
const oddHeaders = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Record<string, string>>({}) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          'x-seine-workload',
          'x-request-id',
          'authorization',
          'accept',
          'x-api-key',
          'accept-encoding',
        ),
        fc.oneof(printable, fc.constantFrom('bulk', 'judge', 'interactive', 'Bearer x', 'x'.repeat(4000))),
      )
      .map(([name, value]): Record<string, string> => ({ [name]: value })),
  },
);
