import { show } from './errors.ts';
import { nearest } from './nearest.ts';

/** An error of a JSON schema as Ajv gives it, its `verbose` fields included. */
export interface Invalid {
  keyword: string;
  params: Record<string, unknown>;
  message?: string | undefined;
  instancePath: string;
  parentSchema?: unknown;
  data?: unknown;
}

/**
 * One sentence from the first error of a schema: which field, what was expected and, unless it is `secret`, what came.
 */
export function describeInvalid(errors: readonly Invalid[], part: string, secret = false): string {
  const [first] = errors;
  if (first === undefined) return `${part} does not have the expected form.`;
  const field = `${part}${first.instancePath}`.replaceAll('/', '.');
  const { keyword, params, message } = first;
  if (keyword === 'additionalProperties') {
    const name = String(params.additionalProperty);
    const { properties, patternProperties } = (first.parentSchema ?? {}) as Record<
      string,
      object | undefined
    >;
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
