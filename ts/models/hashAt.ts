import { createHash } from 'node:crypto';
import { SeineError, show } from '../core/errors.ts';
import { PRECISIONS, type Precision } from '../graph/blockMatrix.ts';
import type { ModelFiles } from './resolveModel.ts';

/** SHA-256 over all that determines what a model gives out: its files and its precision. Throws `ERR_ARGUMENT` for another. */
export function hashAt({ hash }: ModelFiles, precision: Precision = 'f32'): string {
  if (!PRECISIONS.includes(precision)) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `precision must be one of ${PRECISIONS.join(', ')}, got ${show(precision)}.`,
    );
  }
  return precision === 'f32' ? hash : createHash('sha256').update(`${hash}\0${precision}`).digest('hex');
}
