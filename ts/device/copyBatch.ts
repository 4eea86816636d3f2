import { isTypedArray } from '../core/isTypedArray.ts';
import type { AttributeType } from '../core/types.ts';
import { copyAttributes } from './copyAttributes.ts';
import type { RowBatch } from './device.ts';
import { checkKeys, copyMatrix } from './validate.ts';

/** Whether a value is meant as a batch with more than numbers; what is in it may still be wrong. */
export function isRowBatch(value: unknown): value is RowBatch {
  if (typeof value !== 'object' || value === null || isTypedArray(value, 'Float32Array')) return false;
  return 'data' in value && !(Symbol.asyncIterator in value);
}

/** An owned copy of rows of `dim` numbers and of their attributes, checked against the declared `types`. */
export function copyBatch(
  value: unknown,
  dim: number,
  types: Record<string, AttributeType> | undefined = {},
): RowBatch {
  if (!isRowBatch(value)) return { data: copyMatrix(value, dim, 'data') };
  const batch = checkKeys(value, 'data', ['data', 'attributes']);
  const data = copyMatrix(batch.data, dim, 'data');
  return { data, attributes: copyAttributes(batch.attributes, data.length / dim, types) };
}
