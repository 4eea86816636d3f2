import { SeineError } from '../../core/errors.ts';
import { addRows } from './addRows.ts';

/** The lower factor L of a symmetric positive definite matrix `[n, n]`, L·Lᵀ = matrix; above the diagonal it is 0. */
export function cholesky(matrix: Float64Array, n: number): Float64Array {
  const factor = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= factor[i * n + k]! * factor[j * n + k]!;
      if (i > j) factor[i * n + j] = sum / factor[j * n + j]!;
      else if (sum > 0) factor[i * n + i] = Math.sqrt(sum);
      else {
        throw new SeineError(
          'ERR_DATA',
          `The activations of the calibration texts should give a positive definite Gram matrix, but pivot ${i} of ` +
            `${n} is ${sum}: give more and more varied texts.`,
        );
      }
    }
  }
  return factor;
}

/** Solves L·Lᵀ·X = B in place for `b` `[n, columns]`. */
export function solveInPlace(factor: Float64Array, n: number, b: Float64Array, columns: number): void {
  const subtract = (to: number, from: number, scale: number): void => {
    if (scale === 0) return;
    for (let c = 0; c < columns; c++) b[to * columns + c]! -= scale * b[from * columns + c]!;
  };
  const divide = (row: number): void => {
    for (let c = 0; c < columns; c++) b[row * columns + c]! /= factor[row * n + row]!;
  };
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) subtract(i, k, factor[i * n + k]!);
    divide(i);
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) subtract(i, k, factor[k * n + i]!);
    divide(i);
  }
}

/** The inverse of a symmetric positive definite matrix `[n, n]`. */
export function inverse(matrix: Float64Array, n: number): Float64Array {
  const factor = cholesky(matrix, n);
  // Row i of L⁻¹ has i + 1 numbers, 0 behind them; the inverse is the sum of their outer products.
  const rows = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const pivot = factor[i * n + i]!;
    const scales = factor.slice(i * n, i * n + i).map((value) => -value / pivot);
    addRows(rows, i * n, i, scales, rows, n);
    rows[i * n + i] = 1 / pivot;
  }
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const column = Float64Array.from({ length: n - i }, (_, k) => rows[(i + k) * n + i]!);
    addRows(out, i * n, i + 1, column, rows, n, i);
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) out[j * n + i] = out[i * n + j]!;
  return out;
}
