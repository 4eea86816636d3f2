import { addRows } from './addRows.ts';
import { cholesky, solveInPlace } from './cholesky.ts';

/** `H [n, n] · W [n, d]` */
export function product(gram: Float64Array, weights: Float64Array, n: number, d: number): Float64Array {
  const out = new Float64Array(n * d);
  for (let i = 0; i < n; i++) addRows(out, i * d, d, gram.subarray(i * n, (i + 1) * n), weights, d);
  return out;
}

/** Rows of a matrix `[…, d]`. */
export function rowsOf(matrix: Float64Array, rows: readonly number[], d: number): Float64Array {
  const out = new Float64Array(rows.length * d);
  rows.forEach((from, to) => {
    out.set(matrix.subarray(from * d, (from + 1) * d), to * d);
  });
  return out;
}

/** The part of `H [n, n]` in these rows and columns. */
export function principalPart(gram: Float64Array, rows: readonly number[], n: number): Float64Array {
  return Float64Array.from(
    { length: rows.length ** 2 },
    (_, i) => gram[rows[Math.floor(i / rows.length)]! * n + rows[i % rows.length]!]!,
  );
}

/**
 * The weights `Ŵ [kept, d]` on the kept rows that minimise `tr (W − Ŵ)ᵀ H (W − Ŵ)`: they solve the normal equations
 * `H_kk Ŵ = H_k W`. `target` is `H·W [n, d]`.
 */
export function refit(
  gram: Float64Array,
  target: Float64Array,
  kept: readonly number[],
  n: number,
  d: number,
): Float64Array {
  const fitted = rowsOf(target, kept, d);
  solveInPlace(cholesky(principalPart(gram, kept, n), kept.length), kept.length, fitted, d);
  return fitted;
}

/** `tr (W − Ŵ)ᵀ H (W − Ŵ) / tr Wᵀ H W`, where Ŵ has the rows `kept` alone; `target` is `H·W`. */
export function relativeError(
  gram: Float64Array,
  target: Float64Array,
  weights: Float64Array,
  fitted: Float64Array,
  kept: readonly number[],
  n: number,
): number {
  const d = weights.length / n;
  const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  const whole = dot(weights, target);
  if (whole === 0) return 0;
  const crossed = dot(fitted, rowsOf(target, kept, d));
  const own = dot(fitted, product(principalPart(gram, kept, n), fitted, kept.length, d));
  return Math.max(0, whole - 2 * crossed + own) / whole;
}
