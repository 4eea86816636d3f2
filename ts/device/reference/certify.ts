import type { Metric } from '../../core/types.ts';
import { norm } from './score.ts';

/** `dim` numbers as `scale` times integers from -127 to 127, and a rest of length `error`. */
export interface Coded {
  codes: Int8Array;
  scale: number;
  error: number;
}

/**
 * Codes of `dim` numbers from `start` on. The largest number gets the code 127 or -127, a smaller one where `narrow`
 * sums could overflow; ties go to even codes.
 */
export function encode(values: Float32Array, start: number, dim: number, narrow = false): Coded {
  const codes = new Int8Array(dim);
  let largest = 0;
  for (let i = 0; i < dim; i++) largest = Math.max(largest, Math.abs(values[start + i]!));
  const scale = Math.max(largest / 127, narrow ? largestNarrowSum(values, start, dim) / 124 : 0);
  if (scale === 0) return { codes, scale, error: 0 };
  const inverse = 1 / scale;
  const rounder = 1.5 * 2 ** 52;
  let sum = 0;
  for (let i = 0; i < dim; i++) {
    const value = values[start + i]!;
    const code = value * inverse + rounder - rounder;
    codes[i] = code;
    sum += (value - scale * code) ** 2;
  }
  return { codes, scale, error: Math.sqrt(sum) };
}

/** Of the positive, or of the negative, numbers among the eight whose products are added up in 16 bits. */
function largestNarrowSum(values: Float32Array, start: number, dim: number): number {
  let most = 0;
  for (let first = 0; first < dim; first += 16) {
    const sums = [0, 0, 0, 0];
    for (let i = first; i < Math.min(first + 16, dim); i++) {
      const value = values[start + i]!;
      sums[(i & 2) + Number(value > 0)]! += Math.abs(value);
    }
    most = Math.max(most, ...sums);
  }
  return most;
}

/**
 * What codes tell about an exact score (negated for `l2`, so that higher is better): it is at most `radius` from
 * `centre`. Implementations add what rounding costs them. `narrow`: with the query's codes for
 * sums of 16 bits. Derivation: kernels/README.md, "Certified scan".
 */
export function certify(
  metric: Metric,
  queries: Float32Array,
  query: number,
  values: Float32Array,
  row: number,
  dim: number,
  narrow = false,
): { centre: number; radius: number } {
  const cosine = metric === 'cosine';
  const queryLength = norm(queries, query, dim);
  const scanned = queries
    .subarray(query, query + dim)
    .map((value) => value / (cosine ? queryLength || 1 : 1));
  const q = encode(scanned, 0, dim, narrow);
  const x = encode(values, row, dim);
  const rowLength = norm(values, row, dim);
  const divisor = cosine && rowLength > 0 ? rowLength : 1;
  let dot = 0;
  for (let i = 0; i < dim; i++) dot += q.codes[i]! * x.codes[i]!;
  const length = norm(scanned, 0, dim);
  const centre = q.scale * (x.scale / divisor) * dot;
  const radius = q.error * (cosine ? 1 : rowLength) + (length + q.error) * (x.error / divisor);
  if (metric !== 'l2') return { centre, radius };
  return { centre: 2 * centre - length ** 2 - rowLength ** 2, radius: 2 * radius };
}
