import { convertValue, EXPECTED_VALUES, type RawValue } from '../../core/attributeValues.ts';
import { SeineError, show } from '../../core/errors.ts';
import type { AttributeType, AttributeValue } from '../../core/types.ts';

/** `raw` as a value of `type`; throws `ERR_DATA` with what is wrong, as the end of a sentence, if it is none. */
export function convert(name: string, raw: RawValue, type: AttributeType): AttributeValue {
  const value = convertValue(raw, type);
  if (value === undefined) {
    const remedy = type === 'keyword' ? `leave it out with --attributes` : `or give --type ${name}=keyword`;
    throw new SeineError(
      'ERR_DATA',
      `must hold ${EXPECTED_VALUES[type]} in "${name}", got ${show(raw.value)}; ${remedy}`,
    );
  }
  return value;
}
