import { Ajv, type Options, type ValidateFunction } from 'ajv';
import type { FastifySchemaCompiler } from 'fastify';

const OPTIONS: Options = { useDefaults: true, removeAdditional: false, strict: true, verbose: true };
const strict = new Ajv(OPTIONS);
/** For what is text on the wire: parameters, query strings and headers. */
const coercing = new Ajv({ ...OPTIONS, coerceTypes: true });

/** Bodies are taken as they are: `"10"` is no number there. */
export const validatorCompiler: FastifySchemaCompiler<object> = ({ schema, httpPart }) =>
  (httpPart === 'body' ? strict : coercing).compile(schema);

/** Validates an object in place, filling in defaults. */
export const validatorOf = (schema: object): ValidateFunction => strict.compile(schema);
