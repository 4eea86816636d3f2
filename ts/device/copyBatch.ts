import { SeineError, show } from '../core/errors.ts';
import { isTypedArray } from '../core/isTypedArray.ts';
import { copyAttributes } from './copyAttributes.ts';
import type { RowBatch, UploadOptions } from './device.ts';
import { checkKeys, copyMatrix } from './validate.ts';

/** Whether a value is meant as a batch with more than numbers; what is in it may still be wrong. */
export function isRowBatch(value: unknown): value is RowBatch {
  if (typeof value !== 'object' || value === null || isTypedArray(value, 'Float32Array')) return false;
  return 'data' in value && !(Symbol.asyncIterator in value);
}

/** An owned copy of rows, their attributes and features, checked against what the upload declared. */
export function copyBatch(
  value: unknown,
  { dim, attributes = {}, features = 0 }: Pick<UploadOptions, 'dim' | 'attributes' | 'features'>,
): RowBatch {
  const bare = !isRowBatch(value);
  const batch = bare ? { data: value } : checkKeys(value, 'data', ['data', 'attributes', 'features']);
  const data = copyMatrix(batch.data, dim, 'data');
  const rows = data.length / dim;
  return {
    data,
    attributes: bare ? undefined : copyAttributes(batch.attributes, rows, attributes),
    features: copyFeatures(batch.features, rows, features),
  };
}

function copyFeatures(value: unknown, rows: number, features: number): Float32Array | undefined {
  if (features === 0) {
    if (value === undefined) return undefined;
    throw new SeineError(
      'ERR_ARGUMENT',
      `features must be declared by the upload, which it did not, got ${show(value)}: give it { features: 1 } or more.`,
    );
  }
  if (value === undefined) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `data must be an object with data and features [rows, ${features}], as the upload declared, got no features.`,
    );
  }
  const copy = copyMatrix(value, features, 'features');
  if (copy.length === rows * features) return copy;
  throw new SeineError(
    'ERR_DIMENSION',
    `features must hold ${features} numbers for each of the ${rows} rows, got ${copy.length} numbers.`,
  );
}
