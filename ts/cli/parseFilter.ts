import { SeineError } from '../core/errors.ts';
import type { FilterExpression } from '../core/types.ts';

/** The condition of `--filter`, if it was given. Only the syntax is judged here; the index judges the condition. */
export function parseFilter(text: string | undefined): FilterExpression | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as FilterExpression;
  } catch (cause) {
    const example = '{"eq":["city","Zurich"]}';
    const reason = (cause as Error).message;
    throw new SeineError('ERR_FILTER', `--filter must be JSON such as '${example}': ${reason}.`, { cause });
  }
}
