import { SeineError, show } from '../../core/errors.ts';
import type { Line } from '../../core/readLines.ts';

/**
 * Splits a record of TREC into its fields. Exactly `names.length - 1` tabs separate fields that may hold spaces;
 * otherwise any white space separates, as in trec_eval.
 * @throws ERR_DATA if the number of fields is another.
 */
export function fieldsOf({ place, text }: Line, names: string[]): string[] {
  const tabbed = text.split('\t').map((field) => field.trim());
  const fields =
    tabbed.length === names.length && !tabbed.includes('') ? tabbed : text.trim().split(/[ \t\v\f\r]+/);
  if (fields.length !== names.length) {
    throw new SeineError(
      'ERR_DATA',
      `${place}: expected ${names.length} fields (${names.join(' ')}), got ${fields.length} in ${show(text)}.`,
    );
  }
  return fields;
}
