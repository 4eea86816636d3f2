import { SeineError, show } from '../core/errors.ts';
import { isTypedArray } from '../core/isTypedArray.ts';
import { copyAttributes } from './copyAttributes.ts';
import { copyOffsets } from './copyOffsets.ts';
import type { RowBatch, UploadOptions } from './device.ts';
import { checkKeys, checkMatrix, copyMatrix } from './validate.ts';

/** Whether a value is meant as a batch with more than numbers; what is in it may still be wrong. */
export function isRowBatch(value: unknown): value is RowBatch {
  if (typeof value !== 'object' || value === null || isTypedArray(value, 'Float32Array')) return false;
  return 'data' in value && !(Symbol.asyncIterator in value);
}

export interface OwnedBatch extends RowBatch {
  /** Rows; with maxsim documents. */
  count: number;
  /** Whether `data` is with the device and is not to be read any more. */
  taken: boolean;
}

/** Hands rows and their features to the device, if it takes them; they are finite then. */
export type Take = (data: Float32Array, features: RowBatch['features']) => boolean;

/** An owned copy of rows and of what comes with them, checked against what the upload declared. */
export function copyBatch(
  value: unknown,
  { dim, attributes = {}, features = 0, maxsim = false }: UploadOptions,
  take: Take = () => false,
): OwnedBatch {
  const bare = !isRowBatch(value);
  const batch = bare
    ? { data: value }
    : checkKeys(value, 'data', ['data', 'attributes', 'features', 'offsets']);
  const data = checkMatrix(batch.data, dim, 'data');
  const offsets = copyOffsets(batch.offsets, maxsim, data.length / dim, 'documents');
  const count = offsets === undefined ? data.length / dim : offsets.length - 1;
  const owned = {
    offsets,
    attributes: bare ? undefined : copyAttributes(batch.attributes, count, attributes),
    features: copyFeatures(batch.features, count, features),
    count,
  };
  const taken = take(data, owned.features);
  return { ...owned, data: taken ? data : copyMatrix(data, dim, 'data'), taken };
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
