import { readFile } from 'node:fs/promises';
import { describeInvalid, type Invalid } from './describeInvalid.ts';
import { SeineError } from './errors.ts';

/** A schema as Ajv compiles it. */
interface Validate<T> {
  (value: unknown): value is T;
  errors?: readonly Invalid[] | null;
}

/** A recipe of a long job by its schema, defaults filled in. Errors: `ERR_NOT_FOUND`, `ERR_ARGUMENT` naming the field. */
export async function readRecipeFile<T>(path: string, validate: Validate<T>): Promise<T> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new SeineError('ERR_NOT_FOUND', `A recipe should be readable at ${path}: check the path.`, {
      cause,
    });
  }
  let recipe: unknown;
  try {
    recipe = JSON.parse(text);
  } catch (cause) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `The recipe ${path} should be JSON but is not: ${(cause as Error).message}.`,
      { cause },
    );
  }
  if (!validate(recipe)) {
    throw new SeineError('ERR_ARGUMENT', describeInvalid(validate.errors ?? [], 'recipe'));
  }
  return recipe;
}
