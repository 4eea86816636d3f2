import { SeineError, show } from '../core/errors.ts';
import { copyOffsets } from './copyOffsets.ts';
import type { Rows } from './device.ts';
import { copyMatrix } from './validate.ts';

/** Queries with what comes with them; numbers are not looked at. */
export interface OwnedQueries {
  /** `[q, dim]` */
  values: Float32Array;
  q: number;
  /** `[q, 1 + features]`, there if rows have features. */
  weights: Float32Array | undefined;
  /** `[q + 1]` with maxsim; `values` are `[tokens, dim]` then. */
  offsets: Uint32Array | undefined;
}

/** An owned copy of queries, weights and offsets that fit rows of this shape. */
export function copyQueries(
  queries: unknown,
  given: { weights?: unknown; offsets?: unknown },
  { dim, features, maxsim }: Pick<Rows, 'dim' | 'features' | 'maxsim'>,
): OwnedQueries {
  const values = copyMatrix(queries, dim, 'queries');
  const offsets = copyOffsets(given.offsets, maxsim, values.length / dim, 'queries');
  const q = offsets === undefined ? values.length / dim : offsets.length - 1;
  return { values, q, weights: copyWeights(given.weights, q, features), offsets };
}

function copyWeights(value: unknown, q: number, features: number): Float32Array | undefined {
  if (features === 0) {
    if (value === undefined) return undefined;
    throw new SeineError(
      'ERR_ARGUMENT',
      `weights are for rows with features, and these have none, got ${show(value)}: leave weights out, or upload the ` +
        'rows with features.',
    );
  }
  if (value === undefined) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `weights must be a Float32Array [queries, ${1 + features}] for rows with features, got undefined: give the ` +
        'weight of the similarity and of each feature.',
    );
  }
  const copy = copyMatrix(value, 1 + features, 'weights');
  if (copy.length === q * (1 + features)) return copy;
  throw new SeineError(
    'ERR_DIMENSION',
    `weights must hold ${1 + features} numbers for each of the ${q} queries, got ${copy.length} numbers.`,
  );
}
