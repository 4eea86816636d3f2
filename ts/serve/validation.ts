import { Ajv, type ErrorObject, type Options, type ValidateFunction } from 'ajv';
import type { FastifySchemaCompiler, FastifySchemaValidationError } from 'fastify';
import { show } from '../core/errors.ts';
import { nearest } from '../core/nearest.ts';

const OPTIONS: Options = { useDefaults: true, removeAdditional: false, strict: true, verbose: true };
const strict = new Ajv(OPTIONS);
/** For what is text on the wire: parameters, query strings and headers. */
const coercing = new Ajv({ ...OPTIONS, coerceTypes: true });

/** Bodies are taken as they are: `"10"` is no number there. */
export const validatorCompiler: FastifySchemaCompiler<object> = ({ schema, httpPart }) =>
  (httpPart === 'body' ? strict : coercing).compile(schema);

/** Validates an object in place, filling in defaults. */
export const validatorOf = (schema: object): ValidateFunction => strict.compile(schema);

/**
 * One sentence from the first error of a schema: which field, what was expected and, unless it is `secret`, what came.
 */
export function describeInvalid(
  errors: (ErrorObject | FastifySchemaValidationError)[],
  part: string,
  secret = false,
): string {
  const [first] = errors;
  if (first === undefined) return `${part} does not have the expected form.`;
  const field = `${part}${first.instancePath}`.replaceAll('/', '.');
  const { keyword, params, message } = first;
  if (keyword === 'additionalProperties') {
    const name = String(params.additionalProperty);
    const { properties, patternProperties } = ('parentSchema' in first && first.parentSchema) || {};
    const near = nearest(name, Object.keys(properties ?? {}));
    const [pattern] = Object.keys(patternProperties ?? {});
    const remedy =
      pattern === undefined ? 'leave it out or correct its name' : `names are to match ${pattern}`;
    const advice = near === undefined ? remedy : `did you mean ${show(near)}?`;
    const told = secret && near === undefined ? 'field of that name' : `field ${show(name)}`;
    return `${field} has no ${told}: ${advice}${near === undefined ? '.' : ''}`;
  }
  if (keyword === 'required') return `${field} lacks the field ${show(params.missingProperty)}: give it.`;
  const allowed = keyword === 'enum' ? `: ${(params.allowedValues as unknown[]).join(', ')}` : '';
  const came = 'data' in first && !secret ? `, got ${show(first.data)}` : '';
  return `${field} ${message}${allowed}${came}.`;
}
