import { createHash } from 'node:crypto';
import { SeineError, show } from '../core/errors.ts';
import { PRECISIONS, type Precision } from '../graph/blockMatrix.ts';
import type { ModelFiles } from './resolveModel.ts';

/** SHA-256 over all that determines what a model gives out: its files, its precision and its objective. Throws `ERR_ARGUMENT` for another. */
export function hashAt(
  { hash }: ModelFiles,
  precision: Precision = 'f32',
  objective?: string | undefined,
): string {
  if (!PRECISIONS.includes(precision)) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `precision must be one of ${PRECISIONS.join(', ')}, got ${show(precision)}.`,
    );
  }
  if (precision === 'f32' && objective === undefined) return hash;
  const parts = [hash, precision, ...(objective === undefined ? [] : [objective])];
  return createHash('sha256').update(parts.join('\0')).digest('hex');
}
